package model

// ConnectionStatus of the controller to a satellite, LINSTOR's words.
type ConnectionStatus string

const (
	StatusOffline         ConnectionStatus = "OFFLINE"
	StatusConnected       ConnectionStatus = "CONNECTED" // session open, first report not here yet
	StatusOnline          ConnectionStatus = "ONLINE"
	StatusVersionMismatch ConnectionStatus = "VERSION_MISMATCH"
	StatusAuthError       ConnectionStatus = "AUTHENTICATION_ERROR" // not claimable, wrong fingerprint
	StatusHostname        ConnectionStatus = "HOSTNAME_MISMATCH"
	StatusOtherController ConnectionStatus = "OTHER_CONTROLLER"
	StatusUnknown         ConnectionStatus = "UNKNOWN"
)

// NodeObserved is what the controller sees of a node in the current session. It is memory only and replaced whole.
type NodeObserved struct {
	Status  ConnectionStatus
	Reason  string // why not online, in words
	SinceMS int64
	NodeReport
	Fill []PoolFill // of its thin pools
	// Last is what the node said of itself in its session before this one, where that says more than NodeReport: its whole
	// report while it isn't online, and pools that it hasn't read since; nil: nothing.
	Last *NodeReport
}

// Past is what is known of the node when its session ends, for Last.
func (o *NodeObserved) Past() *NodeReport {
	if o.Status != StatusOnline {
		return o.Last
	}
	r := o.NodeReport
	return &r
}

// NodeReport is what a node says of itself.
type NodeReport struct {
	Uname        string
	BootID       string
	Version      string // of the satellite
	Kernel       string
	DRBD         DRBDGeneration // of the module that is loaded or would be; 0: none
	DRBDVersion  string         // of the module
	UtilsVersion string
	Providers    []ProviderKind
	Layers       []LayerKind
	// Unsupported names, per provider or layer, why it can't be had.
	Unsupported map[string][]string
	Pools       []PoolStatus
	Orphans     []Orphan
	// Snapshots are the kinds of pools of which this satellite can take snapshots.
	Snapshots []ProviderKind
	// Unheld: it looks at DRBD for a snapshot without holding I/O, and fills what is rolled back to one (Snapshot.Unheld).
	Unheld bool
	// Copies are the kinds of pools of which it can't, but makes volumes by copying others.
	Copies  []ProviderKind
	Hung    []HungProgram
	Devices []BlockDevice // empty disks
	// Makes are the kinds of device pools that the node can make.
	Makes       []ProviderKind
	DevicePools []DevicePoolStatus
}

// PoolStatus is a pool as last seen. Capacities in KiB.
type PoolStatus struct {
	UUID     UUID
	Name     string
	FreeKiB  int64
	TotalKiB int64
	// SeenMS is when; a pool that can't be read keeps its last figures and says why in Reason.
	SeenMS int64
	Reason string
	// MetaPercent is how full a thin pool's metadata are, 0 to 100; 0 for other kinds.
	MetaPercent float64
	// Zeroes: whatever lay there before, new volumes of this pool read as zeros.
	Zeroes bool
	// NoSnapshots says why this very pool can take no snapshots though its kind could; "" if it can, or isn't known.
	NoSnapshots string
	// Trouble says why nothing new can be made in the pool though it can be read; "" if it can.
	Trouble string
	// Volumes lists the labels found in the pool (ours only): what FreeKiB already accounts for.
	Volumes []UUID
}

// Orphan bears our label but nobody desires it: reported, left alone.
type Orphan struct {
	ID   UUID
	Pool string
	Name string // of the device, or the file's path
}

// HungProgram doesn't end and doesn't die.
type HungProgram struct {
	Pid     int
	Argv    []string
	SinceMS int64
	Pool    string // the queue it blocks
}

// Phase of a replica on its node, at the generation the status names.
//
//	Working -> Done            all is as desired
//	Working -> Failed          a step failed; it is tried again, Reason says which and why
//	Working -> Blocked         it waits for something that isn't this node's to do; Reason says what
//	any     -> Working         a new generation, or the world changed
type Phase uint8

const (
	Working Phase = iota
	Done
	Failed
	Blocked
)

// ResourceStatus is one incarnation as its node sees it; the node sends it whole whenever it differs.
type ResourceStatus struct {
	Definition UUID
	Name       string
	ID         UUID
	Generation uint64 // the newest that Phase speaks of
	Phase      Phase
	Reason     string
	SinceMS    int64
	// Gone confirms that nothing of this incarnation is left on the node: device, config, metadata, kernel object.
	Gone       bool
	InUse      bool // Primary
	Suspended  bool
	MayPromote bool
	// PromotionScore is DRBD 9's: the more the better; 0: none.
	PromotionScore int
	// MetPeer: 8.4 only: it was connected to a peer since the node's boot.
	MetPeer bool
	// Within: 8.4 only: the peer that has all that is here: they were in sync, and nothing was written here since that it didn't
	// get; "": not known.
	Within    UUID
	Forgotten []int // node-ids that DRBD here has forgotten
	Volumes   []VolumeStatus
	Peers     []PeerStatus
	Quiet     QuietStatus
	Rollback  RollbackStatus
	Verify    VerifyProgress
	// Broken: of a copy of a snapshot: its content is lost for ever; of a replica that is to be made from one: it can't be made.
	// Reason says why.
	Broken bool
}

// VolumeStatus is one volume. Disk is DRBD's word (UpToDate, Inconsistent, Outdated, Consistent, Diskless, Attaching,
// Detaching, Failed, Negotiating, DUnknown), or "Created" without DRBD; "" when there is none yet.
type VolumeStatus struct {
	ID        UUID
	Number    int
	Device    string // /dev/drbd1000
	Backing   string // /dev/sw_ssd/backups_00000
	Disk      string
	AllocKiB  int64
	UsableKiB int64
	MDReady   bool
	HasQuorum bool
	// NoDisk, under the order DropDisk: nothing of this incarnation's device is left.
	NoDisk bool
	// BackingKiB, while it grows: so large the backing device is for certain; 0 not known.
	BackingKiB int64
	// LUKS of an encrypted one.
	LUKS *LUKSStatus
	// NotThrottled says why the device isn't limited as it should be; "": it is.
	NotThrottled string
	// FileSystem: the one that was ordered is made.
	FileSystem bool
}

// PeerStatus is the connection to another replica. State is DRBD's word (Connected, Connecting, StandAlone ...).
type PeerStatus struct {
	Node    string
	NodeID  int
	State   string
	Role    string
	Volumes []PeerVolumeStatus
}

// PeerVolumeStatus is one volume towards a peer.
type PeerVolumeStatus struct {
	Number       int
	Replication  string // Established, SyncSource, SyncTarget, PausedSyncS ... ; "" or Off when not connected
	PeerDisk     string
	OutOfSyncKiB int64
	DonePercent  float64 // of a running sync, 0 to 100
}

// Volume returns the status of that number, or nil.
func (s *ResourceStatus) Volume(number int) *VolumeStatus {
	for i := range s.Volumes {
		if s.Volumes[i].Number == number {
			return &s.Volumes[i]
		}
	}
	return nil
}

// Peer returns the status towards that node (any case), or nil.
func (s *ResourceStatus) Peer(node string) *PeerStatus {
	for i := range s.Peers {
		if Key(s.Peers[i].Node) == Key(node) {
			return &s.Peers[i]
		}
	}
	return nil
}

// UpToDate tells whether every volume with a disk is UpToDate (or Created, without DRBD), and there is one.
func (s *ResourceStatus) UpToDate() bool {
	n := 0
	for _, v := range s.Volumes {
		if v.Disk != DiskUpToDate && v.Disk != DiskCreated {
			return false
		}
		n++
	}
	return n > 0
}

// Disk and connection words of DRBD (drbdsetup(8)) that decisions hang on.
const (
	DiskUpToDate     = "UpToDate"
	DiskInconsistent = "Inconsistent"
	DiskDiskless     = "Diskless"
	DiskCreated      = "Created"
	Connected        = "Connected"
	StandAlone       = "StandAlone"
)
