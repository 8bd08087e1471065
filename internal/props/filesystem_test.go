package props

import (
	"strings"
	"testing"

	"holdfast/internal/fault"
)

func TestFileSystemProperties(t *testing.T) {
	for key, value := range map[string]string{FileSystemType: "xfs", MkfsParams: "-d agcount=4", FileSystemUser: "www-data", FileSystemGrp: ""} {
		if err := Check(VolumeDefinition, fault.VolumeDefinition, key, value); err != nil {
			t.Errorf("%s=%s: %v", key, value, err)
		}
	}
	for key, value := range map[string]string{FileSystemType: "ntfs", MkfsParams: "-d /etc", FileSystemUser: "-R", FileSystemGrp: "a:b"} {
		if err := Check(VolumeDefinition, fault.VolumeDefinition, key, value); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s=%s: %v", key, value, err)
		}
	}
	if f := FileSystem(map[string]string{MkfsParams: "-K"}, map[string]string{FileSystemType: "ext4", MkfsParams: "-q"}); f == nil || f.Type != "ext4" || f.Params != "-K" {
		t.Errorf("%+v", f)
	}
}
