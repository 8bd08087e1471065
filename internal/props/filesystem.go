package props

import (
	"holdfast/internal/fault"
	"holdfast/internal/model"
)

// Keys of the file system that is made on a new volume.
const (
	FileSystemType = "FileSystem/Type"
	MkfsParams     = "FileSystem/MkfsParams"
	FileSystemUser = "FileSystem/User"
	FileSystemGrp  = "FileSystem/Group"
)

// FileSystem that is to be made, by the first of the levels that has each key; nil: none.
func FileSystem(levels ...map[string]string) *model.FileSystemSpec {
	typ, _ := First(FileSystemType, levels...)
	if typ == "" {
		return nil
	}
	f := &model.FileSystemSpec{Type: typ}
	f.Params, _ = First(MkfsParams, levels...)
	f.User, _ = First(FileSystemUser, levels...)
	f.Group, _ = First(FileSystemGrp, levels...)
	return f
}

// checkFileSystem looks at what becomes a part of a command on a node. The type may be set elsewhere, so what any of them
// takes is good here; the node looks again.
func checkFileSystem(obj fault.Object, key, value string) error {
	bad := func(why, do string) error {
		return fault.New(fault.Invalid, obj, "The value '%s' of the property '%s' is not valid.", value, key).In("property").Because("%s", why).Do("%s", do)
	}
	switch key {
	case MkfsParams:
		var last error
		for _, typ := range model.FileSystems {
			if _, last = model.MkfsParams(typ, value); last == nil {
				return nil
			}
		}
		_, first := model.MkfsParams(model.FileSystems[0], value)
		return bad("For ext4: "+first.Error()+". For xfs: "+last.Error()+".",
			"Give options of mkfs alone, without any that read files, name other devices or write over what is there.")
	case FileSystemUser, FileSystemGrp:
		if value != "" && !model.OwnerName(value) { // the gateway sends "" for nobody
			return bad("It must be a name or a number.", "Give one.")
		}
	}
	return nil
}
