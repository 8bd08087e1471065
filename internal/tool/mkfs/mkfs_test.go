package mkfs

import (
	"errors"
	"strings"
	"testing"
)

func TestArgv(t *testing.T) {
	for _, c := range []struct {
		f    FileSystem
		want string
	}{
		{FileSystem{"ext4", nil, -1, -1}, "mkfs.ext4 -q -E nodiscard /dev/drbd1000"},
		{FileSystem{"ext4", []string{"-L", "home", "-E", "stride=4"}, 7, -1}, "mkfs.ext4 -q -L home -E nodiscard,stride=4,root_owner=7:0 /dev/drbd1000"},
		{FileSystem{"ext4", []string{"-E", "discard"}, -1, -1}, "mkfs.ext4 -q -E discard /dev/drbd1000"},
		{FileSystem{"xfs", []string{"-L", "home"}, -1, -1}, "mkfs.xfs -q -L home -K /dev/drbd1000"},
	} {
		got, err := c.f.Argv("/dev/drbd1000")
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%+v: %v %v", c.f, got, err)
		}
	}
	for _, f := range []FileSystem{{"xfs", nil, 7, -1}, {"ntfs", nil, -1, -1}} {
		if _, err := f.Argv("/dev/drbd1000"); !errors.Is(err, ErrBadArg) {
			t.Errorf("%+v: %v", f, err)
		}
	}
	for _, dev := range []string{"", "-n", "drbd1000", "/etc/passwd", "/dev/../etc/passwd", "/dev/a b"} {
		if _, err := (FileSystem{"ext4", nil, -1, -1}).Argv(dev); !errors.Is(err, ErrBadArg) {
			t.Errorf("%q: %v", dev, err)
		}
	}
}
