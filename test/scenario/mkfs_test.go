package scenario

import (
	"strings"
	"testing"
	"time"

	"holdfast/lab"
)

// File systems by property: when `resource create` comes back the file system is there, with the options and the owner that
// were asked for, and it is on both replicas; without DRBD too; (in full) one whose program is missing says so, and is made once
// that is there.
func TestMkfs(t *testing.T) {
	w := shared(t)
	w.define("data", "64M")
	w.lin("resource-definition set-property data FileSystem/Type ext4")
	w.lin("resource-definition set-property data FileSystem/User 1234")
	w.refused("resource-definition set-property -- data FileSystem/MkfsParams -d/etc", "isn't allowed")
	w.lin("volume-definition set-property -- data 0 FileSystem/MkfsParams -Lhome")
	w.lin("resource create data --auto-place 2")
	dev := w.device("data")
	w.on("alpha", "drbdadm primary data")
	if out := w.on("alpha", "blkid -p "+dev); !strings.Contains(out, `TYPE="ext4"`) || !strings.Contains(out, `LABEL="home"`) {
		t.Fatalf("resource create came back before the file system was there: %s", out)
	}
	if out := w.on("alpha", "mount "+dev+" /mnt && stat -c %u:%g /mnt && echo hello >/mnt/f && umount /mnt && udevadm settle; drbdadm secondary data"); strings.TrimSpace(out) != "1234:0" {
		t.Errorf("the owner of the root folder: %s", out)
	}
	w.upToDate("data", 2)
	if out := w.on("bravo", "drbdadm primary data && fsck.ext4 -fn "+dev+" >/dev/null 2>&1 && mount "+dev+" /mnt && cat /mnt/f && umount /mnt; udevadm settle; drbdadm secondary data"); strings.TrimSpace(out) != "hello" {
		t.Errorf("on the other node: %s", out)
	}

	w.lin("resource-definition create plain --layer-list storage")
	w.lin("resource-definition set-property plain FileSystem/Type ext4")
	w.lin("volume-definition create plain 32M")
	w.lin("resource create alpha plain -s swpool")
	if out := w.on("alpha", "blkid -p /dev/sw_ssd/plain_00000"); !strings.Contains(out, `TYPE="ext4"`) {
		t.Errorf("without DRBD: %s", out)
	}

	if !full() {
		return
	}
	program := func(from, to string) {
		w.each(func(m *lab.Machine) error {
			_, err := m.Sh(w.ctx, "for d in /sbin /usr/sbin; do if [ -e $d/"+from+" ]; then mv $d/"+from+" $d/"+to+"; fi; done")
			return err
		})
	}
	program("mkfs.xfs", "mkfs.xfs.away")
	w.define("late", "320M")
	w.lin("volume-definition set-property late 0 FileSystem/Type xfs")
	w.refused("resource create late --auto-place 2", "mkfs.xfs isn't installed")
	program("mkfs.xfs.away", "mkfs.xfs")
	w.until(2*time.Minute, "the file system is made after all", func() (bool, string) {
		out := w.lin("resource diagnose late")
		return !strings.Contains(out, "isn't installed"), out
	})
	late := w.device("late")
	if out := w.on("alpha", "drbdadm primary late && blkid -p "+late+"; drbdadm secondary late"); !strings.Contains(out, `TYPE="xfs"`) {
		t.Errorf("when the program was there: %s", out)
	}
}
