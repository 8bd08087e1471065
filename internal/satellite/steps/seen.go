package steps

import (
	"holdfast/internal/model"
	"holdfast/internal/pool"
	"maps"
)

// Node is what plans need to know of the machine.
type Node struct {
	Name string
	// Known: DRBD below was read.
	Known bool
	DRBD  model.DRBDGeneration // of the module that is loaded or would be; 0: none
	// Session: a controller's session is open, and the spec was sent or confirmed in it. Metadata is made only then.
	Session bool
	// CopyPartKiB instead of the usual; 0: that.
	CopyPartKiB int64
	// Throttles: devices can be limited here.
	Throttles bool
}

// Seen is what is there of one incarnation, and of others that are in its way.
type Seen struct {
	Volumes map[int]Volume // by number, for each volume of the spec, and of Extra where no number is there twice
	// Extra are volumes of this incarnation that the spec doesn't mention, though nobody ever ordered them to go: they stay.
	Extra []model.VolumeSpec
	// ConfigThere: a file of this resource's name is in the config folder; Config is its text, ConfigID the incarnation
	// that its first line names ("" for none: not ours).
	ConfigThere bool
	Config      []byte
	ConfigID    model.UUID
	// KernelKnown: DRBD's state was read since the start. Kernel is the resource of that name, nil for none.
	KernelKnown bool
	Kernel      *Kernel
	// Minors that the kernel gave to resources of other names.
	Minors map[int]string
	// Owner is the incarnation that brought the kernel's resource of this name up in this boot, by our records; "" unknown.
	Owner  model.UUID
	Record Record // of this incarnation
	// OldWaits names another incarnation of the same name that still is, or may be, here; "" for none.
	OldWaits model.UUID
	// Heals counts adjusts since the last change that were to mend what the kernel lacks.
	Heals int
	// Failing: the last steps failed, or had to wait.
	Failing bool
	// Passed: the guard was passed and the resource taken down by the last job of this process.
	Passed bool
	// Forgotten are the node-ids forgotten since the incarnation is known.
	Forgotten []int
	// Quiet is the newest standstill of I/O, as far as this process knows.
	Quiet model.QuietStatus
	// Verify is the newest verify that this process began.
	Verify model.VerifyProgress
	// Rolled is the rollback that this process carried out, Anew the one for which it made the metadata anew.
	Rolled, Anew model.UUID
	// Followed: DRBD's events are followed, nothing that happens is missed, and Kernel is as they say.
	Followed bool
}

// Record is what the node remembers of an incarnation in this boot. A zero Record: nothing.
type Record struct {
	There bool
	// Applied is the checksum of the config that was last adjusted to; "" none.
	Applied string
	Minors  []int // brought up in this boot
	// Seeding: made Primary by us for the first sync; not Secondary again yet.
	Seeding bool
	// SeedVolume is the one: with 8.4 each volume has a role of its own.
	SeedVolume int
	// Met: 8.4: was connected to its peer since the boot.
	Met bool
	// Quiet is the lease under which we hold its I/O, from before it is held until after it goes on; "": none.
	Quiet model.UUID
	// Fresh are volumes that this node declared good, or is about to, with nothing in them, and that have been up since.
	Fresh []int
	// Making are volumes on which this node has begun to make a file system, in this boot or before.
	Making []int
	// Growing are volumes at whose device's new end others' metadata may lie, and what tells their own from them, see ends.
	Growing map[int]uint64
	// Exchange is what is known of peers that were exchanged for others (8.4).
	Exchange Exchange
}

// seeding is with the note that this node makes that volume Primary for a moment, seeded without it.
func (r Record) seeding(number int) Record {
	r.Seeding, r.SeedVolume = true, number
	return r
}

func (r Record) seeded() Record {
	r.Seeding, r.SeedVolume = false, 0
	return r
}

// grown is without the note that the volume's device grows.
func (r Record) grown(number int) Record {
	r.Growing = maps.Clone(r.Growing)
	delete(r.Growing, number)
	return r
}

// Volume is what is there of a volume.
type Volume struct {
	// PoolSeen: the pool was read. PoolReason: why it can't be read now.
	PoolSeen   bool
	PoolReason string
	// Device under the volume's backing name, whosever it is; nil for none.
	Device *pool.Device
	// LabelKnown: the device's label is of a volume that this node is told about, this one or another.
	LabelKnown bool
	// Made: this process made the device, so there's no need to look again before it is written to.
	Made bool
	// GrownKiB: so large this process has made the device, or found it to be, since it grows; 0: not known.
	GrownKiB int64
	// AloneKiB: so large this process has made the device without a connection, and with 8.4 DRBD's metadata lie at its end;
	// 0: not known.
	AloneKiB int64
	// Begun: this process has begun to copy another's content to it. CopiedKiB of it are there, durably.
	Begun     bool
	CopiedKiB int64
	// MDMade: this process made the metadata.
	MDMade bool
	// Initialised: this node was told so once, whatever it is told now.
	Initialised bool
	// MappingsKnown: the node's encrypted devices were looked at. Mapped: this one is open.
	MappingsKnown, Mapped bool
	// KeyKnown: this process knows its keys. KeyGen: the first key of that generation opens it, as this process has seen.
	KeyKnown bool
	KeyGen   int
	// WrongKey: none of the keys opened it when last tried.
	WrongKey bool
	// Formatted: this process made the LUKS header.
	Formatted bool
	// InnerKiB is the size of what is in the mapping.
	InnerKiB int64
	// Data: it was good here once; a first sync never starts from it.
	Data bool
	// Throttle that this process has asked for, if the device is still that one; nil: it doesn't know. NotThrottled: why it isn't so.
	Throttle     *model.Throttle
	NotThrottled string
	// FileSystem: this process has made the one that is wanted, or has found it. FileSystemNo says why it never will.
	FileSystem   bool
	FileSystemNo string
}

// Kernel is DRBD's state of a resource.
type Kernel struct {
	Role       string
	Suspended  bool
	Frozen     bool // Suspended by a command
	MayPromote bool
	Score      int // DRBD 9's promotion score
	Volumes    map[int]KernelVolume
	Peers      []KernelPeer
}

// KernelVolume is a device of the resource.
type KernelVolume struct {
	Minor     int
	Disk      string
	Client    bool // diskless on purpose
	Open      bool
	SizeKiB   int64 // usable; 0 unknown
	HasQuorum bool
	// WrittenKiB to the disk since the volume is up, by users wherever they are, and by syncs to here; as of the last whole
	// picture.
	WrittenKiB int64
}

// KernelPeer is a connection.
type KernelPeer struct {
	Name    string // as the kernel knows it; 8.4 knows none
	NodeID  int
	State   string
	Role    string
	Volumes map[int]KernelPeerVolume
}

// KernelPeerVolume is a volume towards a peer.
type KernelPeerVolume struct {
	Replication  string
	Disk         string
	OutOfSyncKiB int64
	DonePercent  float64
}

const (
	primary   = "Primary"
	secondary = "Secondary"
)

// Syncing tells whether blocks are on their way.
func (v KernelPeerVolume) Syncing() bool {
	switch v.Replication {
	case "", "Off", "Established":
		return false
	}
	return true
}
