package model

import (
	"strings"
	"testing"
)

func TestMkfsParams(t *testing.T) {
	for _, c := range []struct{ typ, in, want string }{
		{"ext4", "", ""},
		{"ext4", "-E nodiscard,stride=16 -L home", "-E nodiscard,stride=16 -L home"},
		{"ext4", "-Lhome -qK -m1", "-L home -qK -m 1"},
		{"ext4", "-O ^has_journal,64bit", "-O ^has_journal,64bit"},
		{"ext4", "-J size=4", "-J size=4"},
		{"xfs", "-d agcount=4,su=64k -m crc=1 -K", "-d agcount=4,su=64k -m crc=1 -K"},
	} {
		got, err := MkfsParams(c.typ, c.in)
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s %q: %q %v", c.typ, c.in, got, err)
		}
	}
	for _, c := range []struct{ typ, in string }{
		{"ext4", "/dev/sda"}, {"ext4", "-d /etc"}, {"ext4", "-d/etc"}, {"ext4", "-qd /etc"}, {"ext4", "-J device=UUID=1"}, {"ext4", "-Jdevice=x"}, {"ext4", "-F"}, {"ext4", "-c"},
		{"ext4", "-E offset=4096"}, {"ext4", "-E nodiscard,offset=1"}, {"ext4", "-O journal_dev"}, {"ext4", "-l bad"}, {"ext4", "-z undo"}, {"ext4", "-n"}, {"ext4", "-S"},
		{"ext4", "-L"}, {"ext4", "-L a/b"}, {"ext4", "-L -d"}, {"ext4", "--help"}, {"ext4", "-"}, {"ext4", "4096"}, {"ext4", "-L a b"}, {"ext4", "-t xfs"}, {"ext4", "-V"},
		{"xfs", "-p proto"}, {"xfs", "-l logdev=x"}, {"xfs", "-r rtdev=x"}, {"xfs", "-d name=x"}, {"xfs", "-d file"}, {"xfs", "-d size=1m"}, {"xfs", "-f"}, {"xfs", "-N"}, {"xfs", "-c options=x"},
		{"btrfs", ""},
	} {
		if got, err := MkfsParams(c.typ, c.in); err == nil {
			t.Errorf("%s %q is taken: %q", c.typ, c.in, got)
		}
	}
}
