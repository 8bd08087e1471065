package api

// NodeType says which daemons a node runs. Written in upper case, read in any.
type NodeType string

// The node types.
const (
	NodeController NodeType = "CONTROLLER"
	NodeSatellite  NodeType = "SATELLITE"
	NodeCombined   NodeType = "COMBINED"
	NodeAuxiliary  NodeType = "AUXILIARY"
	NodeRemoteSpdk NodeType = "REMOTE_SPDK"
	NodeEbsTarget  NodeType = "EBS_TARGET"
)

// UnmarshalJSON reads the type in any case.
func (t *NodeType) UnmarshalJSON(b []byte) error {
	s, err := upper(b)
	*t = NodeType(s)
	return err
}

// ConnectionStatus is how the controller sees a node's satellite. Clients crash on a word they don't know, so the list
// is closed.
type ConnectionStatus string

// The connection states.
const (
	ConnOffline             ConnectionStatus = "OFFLINE"
	ConnConnected           ConnectionStatus = "CONNECTED"
	ConnOnline              ConnectionStatus = "ONLINE"
	ConnVersionMismatch     ConnectionStatus = "VERSION_MISMATCH"
	ConnFullSyncFailed      ConnectionStatus = "FULL_SYNC_FAILED"
	ConnAuthenticationError ConnectionStatus = "AUTHENTICATION_ERROR"
	ConnUnknown             ConnectionStatus = "UNKNOWN"
	ConnHostnameMismatch    ConnectionStatus = "HOSTNAME_MISMATCH"
	ConnOtherController     ConnectionStatus = "OTHER_CONTROLLER"
	ConnAuthenticated       ConnectionStatus = "AUTHENTICATED"
	ConnNoStltConn          ConnectionStatus = "NO_STLT_CONN"
	ConnMissingExtTools     ConnectionStatus = "MISSING_EXT_TOOLS"
	ConnDuplicateUname      ConnectionStatus = "DUPLICATE_UNAME"
)

// EncryptionType says how a controller talks to a satellite. Written in upper case, read in any.
type EncryptionType string

// The encryption types.
const (
	EncryptionPlain EncryptionType = "PLAIN"
	EncryptionSSL   EncryptionType = "SSL"
)

// UnmarshalJSON reads the type in any case.
func (t *EncryptionType) UnmarshalJSON(b []byte) error {
	s, err := upper(b)
	*t = EncryptionType(s)
	return err
}

// ProviderKind is the kind of a storage pool. Written as below, read in any case and without the underscore ("lvmthin").
type ProviderKind string

// The provider kinds.
const (
	Diskless          ProviderKind = "DISKLESS"
	LVM               ProviderKind = "LVM"
	LVMThin           ProviderKind = "LVM_THIN"
	ZFS               ProviderKind = "ZFS"
	ZFSThin           ProviderKind = "ZFS_THIN"
	File              ProviderKind = "FILE"
	FileThin          ProviderKind = "FILE_THIN"
	SPDK              ProviderKind = "SPDK"
	RemoteSPDK        ProviderKind = "REMOTE_SPDK"
	EBSTarget         ProviderKind = "EBS_TARGET"
	EBSInit           ProviderKind = "EBS_INIT"
	StorageSpaces     ProviderKind = "STORAGE_SPACES"
	StorageSpacesThin ProviderKind = "STORAGE_SPACES_THIN"
)

// UnmarshalJSON reads the kind leniently.
func (k *ProviderKind) UnmarshalJSON(b []byte) error {
	s, err := upper(b)
	*k = ParseProviderKind(s)
	return err
}

// ParseProviderKind reads a kind in any case, with or without underscores. An unknown word comes back in upper case.
func ParseProviderKind(s string) ProviderKind {
	switch up := upperWord(s); up {
	case "LVMTHIN":
		return LVMThin
	case "ZFSTHIN":
		return ZFSThin
	case "FILETHIN":
		return FileThin
	case "REMOTESPDK":
		return RemoteSPDK
	case "STORAGESPACES":
		return StorageSpaces
	case "STORAGESPACESTHIN":
		return StorageSpacesThin
	default:
		return ProviderKind(up)
	}
}

// LayerType is a kind of device layer. Written in upper case, read in any.
type LayerType string

// The layer types.
const (
	LayerDRBD       LayerType = "DRBD"
	LayerLUKS       LayerType = "LUKS"
	LayerStorage    LayerType = "STORAGE"
	LayerNVMe       LayerType = "NVME"
	LayerWritecache LayerType = "WRITECACHE"
	LayerCache      LayerType = "CACHE"
	LayerBCache     LayerType = "BCACHE"
)

// UnmarshalJSON reads the type in any case.
func (t *LayerType) UnmarshalJSON(b []byte) error {
	s, err := upper(b)
	*t = LayerType(s)
	return err
}

// Flags of nodes.
const (
	FlagEvicted  = "EVICTED"
	FlagEvacuate = "EVACUATE"
)

// FlagDelete marks an object of any kind that is being deleted.
const FlagDelete = "DELETE"

// Flags of resources. A list of flags names each flag whose bits are all set: a tie-breaker also lists FlagDrbdDiskless
// and FlagDiskless.
const (
	FlagClean               = "CLEAN"
	FlagDiskless            = "DISKLESS"
	FlagDiskAddRequested    = "DISK_ADD_REQUESTED"
	FlagDiskAdding          = "DISK_ADDING"
	FlagDiskRemoveRequested = "DISK_REMOVE_REQUESTED"
	FlagDiskRemoving        = "DISK_REMOVING"
	FlagTieBreaker          = "TIE_BREAKER"
	FlagDrbdDiskless        = "DRBD_DISKLESS"
	FlagNvmeInitiator       = "NVME_INITIATOR"
	FlagInactive            = "INACTIVE"
	FlagDrbdDelete          = "DRBD_DELETE"
)

// Flags of definitions and volumes.
const (
	FlagResize    = "RESIZE"
	FlagGrossSize = "GROSS_SIZE"
	FlagEncrypted = "ENCRYPTED"
	FlagCloning   = "CLONING"
	FlagFailed    = "FAILED"
)

// Disk states as DRBD names them, and DiskCreated for volumes without DRBD.
const (
	DiskUpToDate     = "UpToDate"
	DiskInconsistent = "Inconsistent"
	DiskDiskless     = "Diskless"
	DiskOutdated     = "Outdated"
	DiskConsistent   = "Consistent"
	DiskAttaching    = "Attaching"
	DiskDetaching    = "Detaching"
	DiskFailed       = "Failed"
	DiskNegotiating  = "Negotiating"
	DiskUnknown      = "DUnknown"
	DiskCreated      = "Created"
)

// HasFlag tells whether flags holds f.
func HasFlag(flags []string, f string) bool {
	for _, g := range flags {
		if g == f {
			return true
		}
	}
	return false
}
