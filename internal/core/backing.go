package core

import (
	"regexp"
	"strings"

	"holdfast/internal/model"
)

// modernPoolProps turns LINSTOR's older names of StorDriver/StorPoolName into that (linstor-features 1.2).
func modernPoolProps(kind model.ProviderKind, given map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range given {
		switch k {
		case "StorDriver/LvmVg", "StorDriver/FileDir", "StorDriver/ZPool", "StorDriver/ZPoolThin":
			if thin := given["StorDriver/ThinPool"]; k == "StorDriver/LvmVg" && kind == model.LVMThin && thin != "" {
				v += "/" + thin
			}
			k = model.PropPoolName
		case "StorDriver/ThinPool":
			if kind == model.LVMThin && given["StorDriver/LvmVg"] != "" {
				continue
			}
		}
		out[k] = v
	}
	return out
}

var (
	lvmNameRE = regexp.MustCompile(`^[A-Za-z0-9_+.][A-Za-z0-9_+.-]{0,126}$`)                      // lvm(8), VALID NAMES
	zfsNameRE = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.:-]*(/[A-Za-z0-9_:][A-Za-z0-9_.:-]*)*$`) // zfs(8), zpool-create(8)
)

// checkBacking says why b can't be the backing of such a pool; "" if it can.
func checkBacking(kind model.ProviderKind, b string) string {
	if b == "" {
		return "The property " + model.PropPoolName + " is missing."
	}
	switch kind {
	case model.FileThin, model.File:
		if !strings.HasPrefix(b, "/") || strings.Contains(b, "/../") || strings.HasSuffix(b, "/..") || strings.Contains(b, "//") {
			return "A directory with an absolute path is needed."
		}
		for _, root := range []string{"/dev", "/proc", "/sys", "/boot", "/etc", "/run"} {
			if b == root || strings.HasPrefix(b, root+"/") {
				return "Volumes don't belong below " + root + "."
			}
		}
	case model.LVMThin:
		vg, thin, ok := strings.Cut(b, "/")
		if !ok || !lvmName(vg) || !lvmName(thin) {
			return "A thin pool is named VOLUME_GROUP/THIN_POOL."
		}
	case model.ZFS, model.ZFSThin:
		if !zfsNameRE.MatchString(b) || len(b) > 128 {
			return "A zpool, or a dataset in one, is named ZPOOL or ZPOOL/DATASET."
		}
	default:
		if !lvmName(b) {
			return "The name of a volume group has no '/' and doesn't begin with '-'."
		}
	}
	return ""
}

func lvmName(s string) bool { return lvmNameRE.MatchString(s) && s != "." && s != ".." }

func backingWord(kind model.ProviderKind) string {
	switch kind {
	case model.FileThin, model.File:
		return "directory"
	case model.LVMThin:
		return "thin pool, as VOLUME_GROUP/THIN_POOL"
	case model.ZFS, model.ZFSThin:
		return "zpool or dataset"
	}
	return "volume group"
}

// sameSpace tells whether two pools of these kinds over one backing would make their volumes in one place. A zpool takes
// thick and thin ones.
func sameSpace(a, b model.ProviderKind) bool {
	file := func(k model.ProviderKind) bool { return k == model.File || k == model.FileThin }
	return a == b || file(a) && file(b)
}
