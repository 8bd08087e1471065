package lab_test

import (
	"strings"
	"testing"
	"time"

	"holdfast/lab"
	"holdfast/lab/labtest"
)

// waitFor runs a condition in the machine until it holds, 30 s at most.
func waitFor(t *testing.T, m *lab.Machine, condition string) {
	t.Helper()
	script := "i=0; while [ $i -lt 300 ]; do { " + condition + "; } && exit 0; i=$((i+1)); sleep 0.1; done; exit 1"
	if _, err := m.Sh(t.Context(), script); err != nil {
		out, _ := m.Sh(t.Context(), "cat /proc/drbd; drbdsetup status --verbose --statistics; dmesg | tail -30")
		t.Fatalf("%s: never: %s: %v\n%s", m.Name, condition, err, out)
	}
}

const bothUpToDate = "drbdsetup status backups | tr '\\n' ' ' | grep -Eq '[ -]disk:UpToDate.*peer-disk:UpToDate'"

// TestDRBD: a resource by hand on LVM, two machines, first sync, file system, power cut of the primary, failover, return.
func TestDRBD(t *testing.T) {
	t.Parallel()
	l := labtest.Up(t, labtest.Config{})
	a, b := l.Machine("alpha"), l.Machine("bravo")
	t.Log(must(t, a, "cat /proc/drbd"))
	start := time.Now()
	for _, m := range l.Machines {
		if err := m.PutBytes(t.Context(), []byte(res84), "/etc/drbd.d/backups.res", 0o644); err != nil {
			t.Fatal(err)
		}
		must(t, m, `pvcreate -q /dev/vda && vgcreate -q sw_ssd /dev/vda && lvcreate -q -y -Wy -Zy -n backups_00000 -L 64m sw_ssd &&
drbdadm -- --force create-md backups && drbdadm up backups`)
	}
	waitFor(t, a, "drbdsetup status backups | grep -q peer-disk:Inconsistent")
	must(t, a, "drbdadm primary --force backups")
	waitFor(t, a, bothUpToDate)
	t.Logf("created and synced in %.1fs", time.Since(start).Seconds())
	must(t, a, "mkfs.ext4 -q -E nodiscard /dev/drbd1000 && mount /dev/drbd1000 /mnt && dd if=/dev/urandom of=/mnt/f bs=1M count=8 2>/dev/null && md5sum /mnt/f >/mnt/sum && sync")
	if err := a.Kill(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, b, "drbdsetup status backups | grep -Eq 'connection:Connecting'")
	if out := must(t, b, "drbdadm primary backups && mount /dev/drbd1000 /mnt && md5sum -c /mnt/sum"); !strings.Contains(out, "OK") {
		t.Error(out)
	}
	must(t, b, "dd if=/dev/urandom of=/mnt/g bs=1M count=8 2>/dev/null && md5sum /mnt/g >>/mnt/sum && sync")
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	must(t, a, "vgchange -q -ay sw_ssd && drbdadm up backups")
	waitFor(t, a, bothUpToDate)
	must(t, b, "umount /mnt && drbdadm secondary backups")
	if out := must(t, a, "drbdadm primary backups && mount /dev/drbd1000 /mnt && md5sum -c /mnt/sum"); strings.Count(out, "OK") != 2 {
		t.Error(out)
	}
}
