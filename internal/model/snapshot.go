package model

import (
	"maps"
	"slices"

	"holdfast/internal/fault"
)

// SnapshotState is where a snapshot stands. One definition has at most one snapshot being taken.
//
//	Suspending --all I/O stands still--> Copying --all copies made--> Resuming --all leases held to the end--> Successful
//	     |                                  |                            |
//	     +-------- a node fails, is gone, or its lease ended too early --+--> Failed: I/O goes on, the copies go, Reason says why
//
//	any --a user's order--> Deleting --every node says that its copy is gone--> forgotten
//
// Of snapshots that are taken together (With) none becomes Successful unless all do, and all in one commit. One that is
// Suspending and Waits is told to no node before its turn comes.
type SnapshotState string

const (
	SnapshotSuspending SnapshotState = "suspending"
	SnapshotCopying    SnapshotState = "copying"
	SnapshotResuming   SnapshotState = "resuming"
	SnapshotSuccessful SnapshotState = "successful"
	SnapshotFailed     SnapshotState = "failed"
	SnapshotDeleting   SnapshotState = "deleting"
)

// Taking tells whether it isn't decided yet.
func (s SnapshotState) Taking() bool {
	return s == SnapshotSuspending || s == SnapshotCopying || s == SnapshotResuming
}

// Snapshot is a copy of a definition's volumes at one moment, on each of its nodes. It is part of its definition.
type Snapshot struct {
	UUID      UUID
	Name      string
	Props     map[string]string
	CreatedMS int64
	State     SnapshotState
	Reason    string // of Failed
	// Disconnected, with Failed: because a node's session ended.
	Disconnected bool
	// With are the definitions of which snapshots are taken at the same moment, this one too; nil: it is alone. They
	// have the same Lease.
	With []UUID
	// Lease names the standstill of I/O in which it is taken.
	Lease UUID
	// Waits, while Suspending: others are being taken on its nodes, and no I/O is held for it yet. BegunMS is when its turn came
	// (since 1970 UTC); 0: not yet, or not known.
	Waits   bool
	BegunMS int64
	// Quiet are the replicas whose I/O stands still meanwhile.
	Quiet []UUID
	// Unheld: Quiet have only looked at DRBD since it was asked for, and their I/O goes on. Each copy is good, of a moment of its
	// own, and has all that was acknowledged before; who needs them to be equal keeps one and fills the others from it.
	Unheld  bool
	Volumes []SnapshotVolume // by number
	Copies  []SnapshotCopy   // by node
	// For is the definition that is being cloned from it; the controller removes it when it is no longer needed. "": a
	// user's, or Auto.
	For UUID
	// Auto: taken by the property AutoSnapshot/RunEvery, and counted by AutoSnapshot/Keep.
	Auto bool
	// Together: it is of no use unless its copies have all that good replicas have which take no part. Not so where users named
	// the nodes: they know whom to trust.
	Together bool
	// NodeIDs are those that DRBD's metadata in the copies may remember.
	NodeIDs []int
}

// AutoSnapshots is where a definition stands with the snapshots that are taken by themselves.
type AutoSnapshots struct {
	NextMS int64  // not before; 0: at once, or they are off
	Reason string // why the last one that was due couldn't be begun; "": it could
}

// SnapshotVolume is what the volume was when the snapshot was taken.
type SnapshotVolume struct {
	Number  int
	SizeKiB int64
	Gross   bool
	Props   map[string]string
	// BackingKiB is what the volume took of its pools, as far as is known.
	BackingKiB int64
	// Keys with one of which the copies open; nil: they aren't encrypted.
	Keys *VolumeKeys
}

// SnapshotCopy is a snapshot on one node.
type SnapshotCopy struct {
	UUID     UUID // the incarnation
	Node     string
	Replica  UUID // of which it was taken
	Deleting bool
	Volumes  []CopyVolume // by number
}

// CopyVolume is one volume of a copy.
type CopyVolume struct {
	UUID   UUID // the incarnation label
	Number int
	Pool   string
	Of     UUID // the label of the device of which it was taken
	// RoomKiB it has for what is written to the device while it lasts (LVM, for a clone by copy); 0: it needs none.
	RoomKiB int64
}

// SnapshotName is the name of the snapshot of a device, as drivers know it (pool.SnapshotName).
func SnapshotName(device, snapshot string) string { return device + "@" + snapshot }

// Clone is deep.
func (s Snapshot) Clone() Snapshot {
	s.Props, s.With, s.Quiet, s.NodeIDs = maps.Clone(s.Props), slices.Clone(s.With), slices.Clone(s.Quiet), slices.Clone(s.NodeIDs)
	s.Volumes = slices.Clone(s.Volumes)
	for i := range s.Volumes {
		s.Volumes[i].Props = maps.Clone(s.Volumes[i].Props)
	}
	s.Copies = slices.Clone(s.Copies)
	for i := range s.Copies {
		s.Copies[i].Volumes = slices.Clone(s.Copies[i].Volumes)
	}
	return s
}

// On returns the copy on that node (any case) that stays, or nil; it points into s.
func (s *Snapshot) On(node string) *SnapshotCopy {
	for i := range s.Copies {
		if c := &s.Copies[i]; !c.Deleting && Key(c.Node) == Key(node) {
			return c
		}
	}
	return nil
}

// Volume returns the volume of that number, or nil.
func (s *Snapshot) Volume(number int) *SnapshotVolume {
	for i := range s.Volumes {
		if s.Volumes[i].Number == number {
			return &s.Volumes[i]
		}
	}
	return nil
}

// Volume returns the copy of the volume of that number, or nil.
func (c *SnapshotCopy) Volume(number int) *CopyVolume {
	for i := range c.Volumes {
		if c.Volumes[i].Number == number {
			return &c.Volumes[i]
		}
	}
	return nil
}

// Snapshot of that name (any case), or nil; it points into d. One that is Deleting is found if there is no other.
func (d *ResourceDefinition) Snapshot(name string) *Snapshot {
	var gone *Snapshot
	for i := range d.Snapshots {
		if s := &d.Snapshots[i]; Key(s.Name) == Key(name) {
			if s.State != SnapshotDeleting {
				return s
			}
			gone = s
		}
	}
	return gone
}

// SnapshotByID returns the snapshot, or nil; it points into d.
func (d *ResourceDefinition) SnapshotByID(id UUID) *Snapshot {
	for i := range d.Snapshots {
		if d.Snapshots[i].UUID == id {
			return &d.Snapshots[i]
		}
	}
	return nil
}

// Taking is the snapshot that is being taken, or nil; it points into d.
func (d *ResourceDefinition) Taking() *Snapshot {
	for i := range d.Snapshots {
		if d.Snapshots[i].State.Taking() {
			return &d.Snapshots[i]
		}
	}
	return nil
}

// NodeOf names the node on which the replica or the copy of a snapshot is; "" if there is none of that incarnation.
func (d *ResourceDefinition) NodeOf(id UUID) string {
	if r := d.Replica(id); r != nil {
		return r.Node
	}
	for i := range d.Snapshots {
		for j := range d.Snapshots[i].Copies {
			if c := &d.Snapshots[i].Copies[j]; c.UUID == id {
				return c.Node
			}
		}
	}
	return ""
}

// Nodes on which there is a replica or a copy of a snapshot, or what is left of one; by key, each once.
func (d *ResourceDefinition) Nodes() []string {
	var out []string
	add := func(node string) {
		if k := Key(node); !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	for i := range d.Resources {
		add(d.Resources[i].Node)
	}
	for i := range d.Snapshots {
		for j := range d.Snapshots[i].Copies {
			add(d.Snapshots[i].Copies[j].Node)
		}
	}
	return out
}

// CheckSnapshotName: 2 to 48 characters.
func CheckSnapshotName(s string) error { return checkWord(fault.Snapshot, "snapshot", "name", s, 2) }

// Source is the copy of a snapshot from which a new volume gets its first data.
type Source struct {
	Snapshot UUID
	Label    UUID   // of the copy's device
	Device   string // its name in the pool
}

// SnapshotSpec is a snapshot on this node: what a ResourceSpec is about that has one.
type SnapshotSpec struct {
	// Take: it is to be taken now. Else it is there, and one that is missing is lost.
	Take   bool
	Copies []CopySpec // by number
}

// CopySpec is one volume of it.
type CopySpec struct {
	ID     UUID // label of the copy
	Number int
	Pool   string
	Name   string // of the copy in its pool
	Of     UUID   // label of the device
	Device string // name of the device of which it is taken
	// RoomKiB: see CopyVolume. An older satellite takes none with it.
	RoomKiB int64
}

// QuietState is how a standstill of I/O goes, as its node sees it.
//
//	Held --the controller orders it to end--> Over: it was held all the time
//	  |
//	  +--> Lapsed: it couldn't be, or ended by itself; Reason says why
type QuietState uint8

const (
	NotQuiet QuietState = iota
	QuietHeld
	QuietOver
	QuietLapsed
)

// QuietStatus is the newest standstill of a replica.
type QuietStatus struct {
	Lease  UUID
	State  QuietState
	Reason string // of Lapsed
}

// LastAuto is the newest snapshot that was taken by itself and isn't being deleted, or nil; it points into d.
func (d *ResourceDefinition) LastAuto() (last *Snapshot) {
	for i := range d.Snapshots {
		if s := &d.Snapshots[i]; s.Auto && s.State != SnapshotDeleting {
			last = s
		}
	}
	return last
}
