package model

import (
	"net/netip"
	"regexp"
	"strings"

	"holdfast/internal/fault"
)

// UUID identifies one incarnation of an object; names may be used again, UUIDs never are. Lower-case, 8-4-4-4-12.
type UUID string

// Key is the form of a name that is compared: LINSTOR's names are case-insensitive and keep their display case
// (linstor-features 2.1).
func Key(name string) string { return strings.ToLower(name) }

var (
	hostLabel = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?$`)
	wordName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
)

// CheckNodeName: hostname-like, 2 to 255 characters (RFC 1123 labels; linstor-features 2.1).
func CheckNodeName(s string) error {
	ok := len(s) >= 2 && len(s) <= 255
	for _, l := range strings.Split(s, ".") {
		ok = ok && len(l) <= 63 && hostLabel.MatchString(l)
	}
	if !ok {
		return fault.New(fault.Invalid, fault.Node, "The node name '%s' is not valid.", s).In("name").
			Because("A node name has 2 to 255 characters and is a host name: letters, digits, '-', '_' and '.'.").
			Do("Use the name that `uname -n` prints on the node.")
	}
	return nil
}

func checkWord(o fault.Object, what, field, s string, min int) error {
	if len(s) < min || len(s) > 48 || !wordName.MatchString(s) {
		return fault.New(fault.Invalid, o, "The %s name '%s' is not valid.", what, s).In(field).
			Because("It must have %d to 48 characters of A-Z a-z 0-9 _ -, the first a letter or '_'.", min).
			Do("Choose another name.")
	}
	return nil
}

// CheckResourceName: 2 to 48 characters; "all" and "proxy" are drbdadm's (linstor-features 2.1).
func CheckResourceName(s string) error {
	if err := checkWord(fault.ResourceDefinition, "resource", "name", s, 2); err != nil {
		return err
	}
	if k := Key(s); k == "all" || k == "proxy" {
		return fault.New(fault.Invalid, fault.ResourceDefinition, "The resource name '%s' is reserved.", s).In("name").
			Because("drbdadm gives it a meaning of its own.").Do("Choose another name.")
	}
	return nil
}

// CheckPoolName: 3 to 48 characters.
func CheckPoolName(s string) error {
	return checkWord(fault.StoragePool, "storage pool", "storage_pool_name", s, 3)
}

// CheckGroupName: 2 to 48 characters.
func CheckGroupName(s string) error {
	return checkWord(fault.ResourceGroup, "resource group", "name", s, 2)
}

// CheckKVName: 2 to 48 characters.
func CheckKVName(s string) error {
	return checkWord(fault.KeyValueStore, "key-value store", "name", s, 2)
}

// CheckInterfaceName: 3 to 32 characters.
func CheckInterfaceName(s string) error {
	if len(s) < 3 || len(s) > 32 || !hostLabel.MatchString(s) {
		return fault.New(fault.Invalid, fault.NetInterface, "The network interface name '%s' is not valid.", s).In("name").
			Because("It must have 3 to 32 characters of A-Z a-z 0-9 _ -.").Do("Choose another name.")
	}
	return nil
}

// CheckAddress: an IPv4 or IPv6 address, no host name, no zone.
func CheckAddress(s string) error {
	if a, err := netip.ParseAddr(s); err != nil || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() {
		return fault.New(fault.Invalid, fault.NetInterface, "'%s' is not an address that a node can have.", s).In("address").
			Because("An IPv4 or IPv6 address is needed.").Do("Give the address as numbers, for example 10.77.0.1.")
	}
	return nil
}

// Sizes of a volume in KiB (drbd-utils' man page gives DRBD's limits: 1 PiB with 8.4 and 9).
const (
	MinVolumeKiB = 4 // LINSTOR's; backing devices are whole extents, which leaves DRBD's metadata room (Backing)
	MaxVolumeKiB = 1 << 40
)

// CheckVolumeSize: MinVolumeKiB to MaxVolumeKiB.
func CheckVolumeSize(kib int64) error {
	if kib < MinVolumeKiB || kib > MaxVolumeKiB {
		return fault.New(fault.Invalid, fault.VolumeDefinition, "A volume of %d KiB is not possible.", kib).In("size_kib").
			Because("The size must be between %d KiB and %d KiB.", int64(MinVolumeKiB), int64(MaxVolumeKiB)).Do("Choose a size in that range.")
	}
	return nil
}

// MaxVolumeNumber, MaxMinor and MaxNodeID are DRBD's (drbdsetup(8)); port range is TCP's.
const (
	MaxVolumeNumber = 65534
	MaxMinor        = 1<<20 - 1
	MaxNodeID       = 31
	MaxPeerSlots    = 31
)

// CheckVolumeNumber: 0 to MaxVolumeNumber.
func CheckVolumeNumber(n int) error {
	if n < 0 || n > MaxVolumeNumber {
		return fault.New(fault.Invalid, fault.VolumeDefinition, "The volume number %d is not valid.", n).In("volume_number").
			Because("It must be between 0 and %d.", MaxVolumeNumber).Do("Choose another number, or none.")
	}
	return nil
}
