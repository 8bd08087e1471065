package model

// Toggle is where a replica is on its way from diskless to diskful or back. The words are LINSTOR's flags.
//
//	diskless -> AddRequested -> Adding -> diskful     the disk and its metadata are made, it is attached and syncs
//	diskful -> RemoveRequested -> Removing -> diskless   waits for the guard; ordered: detached, then removed
//
// Back: from AddRequested and Adding to Removing and RemoveRequested, from RemoveRequested to Adding. Removing has no way back.
type Toggle string

const (
	NoToggle Toggle = ""
	// AddRequested: up without a disk as before, while the disk and its metadata are made. It was never attached.
	AddRequested Toggle = "DISK_ADD_REQUESTED"
	// Adding: attached, until each volume is UpToDate.
	Adding Toggle = "DISK_ADDING"
	// RemoveRequested: waits until another replica is proven UpToDate. Nothing was ordered yet.
	RemoveRequested Toggle = "DISK_REMOVE_REQUESTED"
	// Removing: ordered. The node's own guard still holds it back while no connected peer is UpToDate.
	Removing Toggle = "DISK_REMOVING"
)

// DiskLeaves tells whether the replica's disk is to go: it counts for no redundancy.
func (r *Resource) DiskLeaves() bool { return r.Toggle == RemoveRequested || r.Toggle == Removing }

// Diskful tells whether the replica has, or is getting, a disk that stays.
func (r *Resource) Diskful() bool { return !r.Diskless && !r.Deleting && !r.DiskLeaves() }
