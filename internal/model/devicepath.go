package model

import (
	"regexp"
	"strings"

	"holdfast/internal/fault"
)

var (
	devicePath = regexp.MustCompile(`^/dev/[A-Za-z0-9_+:.=@#-]+(/[A-Za-z0-9_+:.=@#-]+)*$`)
	groupName  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.+]*([-][A-Za-z0-9_.+]+)*$`)
)

// CheckDevicePath: a plain path below /dev, at most 250 characters.
func CheckDevicePath(s string) error {
	if !devicePath.MatchString(s) || len(s) > 250 || strings.Contains(s+"/", "/../") || strings.Contains(s+"/", "/./") {
		return fault.New(fault.Invalid, fault.StoragePool, "'%s' is not the path of a device.", s).In("device_paths").
			Because("A path below /dev is needed.").Do("`physical-storage list` shows the empty devices.")
	}
	return nil
}

// CheckDevicePoolName: what LVM and ZFS both take as name of a group: a letter, then letters, digits, '_', '.', '+' and '-',
// at most 100 characters, and none of ZFS's own words (zpool-create(8)).
func CheckDevicePoolName(s string) error {
	bad := !groupName.MatchString(s) || len(s) > 100
	for _, word := range []string{"mirror", "raidz", "draid", "spare", "log", "snapshot", "pvmove"} {
		bad = bad || strings.HasPrefix(s, word) && (word != "log" && word != "spare" || s == word)
	}
	if bad {
		return fault.New(fault.Invalid, fault.StoragePool, "'%s' can't be the name of a device pool.", s).In("pool_name").
			Because("It must begin with a letter, have at most 100 characters of A-Z a-z 0-9 _ . + -, and be none of the words that LVM and ZFS keep to themselves.").
			Do("Choose another name.")
	}
	return nil
}
