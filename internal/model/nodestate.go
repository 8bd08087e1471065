package model

// Order says which word is newer: (epoch, instance) of the controller that speaks. The generation is each object's own.
type Order struct {
	Epoch    uint64
	Instance UUID // of that controller process
}

// NodeState is what a node is told: the whole desired state of that node in meaning, changes on the wire.
// What is in neither list is not ours to touch: absence is never an order.
type NodeState struct {
	Pools       []PoolSpec
	DevicePools []DevicePoolSpec
	Resources   []ResourceSpec // by name, then ID
}

// PoolSpec is a pool to watch and to make volumes in.
type PoolSpec struct {
	UUID    UUID
	Name    string
	Kind    ProviderKind
	Backing string // volume group, zpool or directory
}

// Want is what a replica or volume shall become.
type Want uint8

const (
	Up   Want = iota // there, and running
	Gone             // removed: the one order that destroys, and only the incarnation it names
)

// ResourceSpec is one incarnation of one replica on this node.
type ResourceSpec struct {
	Definition UUID
	Name       string
	ID         UUID   // Resource.UUID
	Generation uint64 // of the definition
	Want       Want
	Diskless   bool
	// WholeDefinition, with Gone: every replica goes, so no other copy needs to be good.
	WholeDefinition bool
	// LastUnused, with Gone: it is the definition's only diskful replica; removing it is allowed while unused.
	LastUnused bool
	// Lose, with Gone: the user typed the override, the node's own guard doesn't hold it back either.
	Lose bool
	// HeldBy, with Gone (8.4): the replica that has all that this one said it has (ResourceStatus.Within), and is proven good and
	// connected to another good one. The node needs to see no other copy, if its own kernel says the same still.
	HeldBy UUID
	// Client: it is up without a disk, while the disks that its volumes name and their metadata are made. An older node
	// attaches them at once.
	Client bool
	// DropDisk: the disks of the incarnations that its volumes name are detached and removed, as soon as a connected peer is
	// UpToDate for each; the replica stays, without a disk. An older node leaves all as it is.
	DropDisk bool
	// Hold, with DropDisk: not now, the controller sees no other good copy. What is done stays done.
	Hold bool
	// Down: taken out of the kernel where it isn't in use; devices, metadata and config stay. An older node leaves it up.
	Down    bool
	DRBD    *DRBDSpec    // nil: no DRBD layer, or a tombstone that never had one
	Volumes []VolumeSpec // by number
	// Quiet names the standstill in which I/O is to be held; "": I/O goes on. Held under a lease of QuietLimit.
	Quiet UUID
	// Unheld, with Quiet: DRBD is looked at, and I/O goes on (Snapshot.Unheld).
	Unheld bool
	// Verify: the replica's blocks are to be compared with those of all its peers, once for this ID; "": not. An older node
	// leaves it.
	Verify UUID
	// Snapshot: this isn't a replica but a copy of a snapshot, and only Definition, Name, ID, Generation and Want mean
	// something besides.
	Snapshot *SnapshotSpec
	// Rollback: the replica is down, and goes back to what it was.
	Rollback *RollbackSpec
}

// DRBDSpec is DRBD's part of a resource.
type DRBDSpec struct {
	Generation DRBDGeneration // pinned; another module on the node: leave all untouched, report Blocked
	Secret     string
	PeerSlots  int
	NodeID     int
	Address    string // where this node listens
	Port       int
	// Options by section (Disk, Net, Resource, PeerDevice), then name as in drbd.conf(5).
	Options map[string]map[string]string
	Peers   []PeerSpec // by node name; on which a replica is desired
	// Others (8.4) are all other replicas that there may be anywhere, not only the one peer: only they can still call. nil: not said.
	Others []UUID
	Forget []int // node-ids of removed peers whose slot is to be forgotten, then reported in Forgotten
}

// PeerSpec is another replica of the same definition.
type PeerSpec struct {
	Node     string
	ID       UUID
	NodeID   int
	Address  string
	Port     int
	Diskless bool
	// Stays: nobody asked to remove it (8.4): where it returns it must get what it missed.
	Stays bool
	// Options of this connection alone (Net, PeerDevice), over the resource\'s; 9 only.
	Options map[string]map[string]string
	// Paths to it, if several or others than Address; 9 only.
	Paths []PathSpec
}

// Seed is how an uninitialised volume gets its first good copy. Only the replica that the controller named has one.
type Seed uint8

const (
	NoSeed   Seed = iota
	SeedSync      // become UpToDate alone, peers sync from here
	SeedSkip      // when every peer is Connected and all are Inconsistent: declare all equal
)

// VolumeSpec is one volume of a replica.
type VolumeSpec struct {
	ID      UUID // label on the backing device
	Number  int
	Minor   int
	SizeKiB int64 // usable
	// BackingKiB is what to ask of the pool: usable size plus DRBD's metadata, before the pool rounds up.
	BackingKiB int64
	Pool       string // "" when diskless
	Backing    string // name of the backing device in its pool
	Want       Want
	// Initialised: metadata was made; it is never made again on this incarnation. While it is false the node makes it
	// (again if need be), reports VolumeStatus.MDReady, and doesn't attach before it is told true.
	Initialised bool
	Seed        Seed
	Options     map[string]map[string]string // Disk
	// GrowKiB: the volume is to grow, until it offers this much; the backing device first, to BackingKiB. 0: it doesn't grow.
	GrowKiB int64
	// Resize: every replica's backing device has grown, and this node is to let DRBD take that over.
	Resize bool
	// GrowAlone: another replica has grown without this one and refuses it as too small: the backing device
	// grows though no peer is connected.
	GrowAlone bool
	// From: the device is made from this copy of a snapshot in the same pool instead of empty.
	From *Source
	// LUKS: it is encrypted; all above it, DRBD's metadata too, lie in the mapping. An older node leaves the whole resource
	// as it is.
	LUKS *LUKSSpec
	// Throttle of the backing device; nil: none. An older node keeps none.
	Throttle *Throttle
	// FileSystem to be made on it here, once; nil: none. An older node makes none.
	FileSystem *FileSystemSpec
}

// Clone is deep enough for a node that keeps what it was told: specs are replaced whole, never edited.
func (s NodeState) Clone() NodeState {
	s.Pools = append([]PoolSpec(nil), s.Pools...)
	s.DevicePools = append([]DevicePoolSpec(nil), s.DevicePools...)
	s.Resources = append([]ResourceSpec(nil), s.Resources...)
	return s
}
