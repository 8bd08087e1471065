package lab_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"holdfast/lab"
	"holdfast/lab/labtest"
)

// TestPools runs the storage drivers' conformance suite on the real LVM, loop devices, XFS and ext4, in a machine. It takes a minute
// for each kind, so it waits for HOLDFAST_LAB_FULL=1.
func TestPools(t *testing.T) {
	if os.Getenv("HOLDFAST_LAB_FULL") != "1" {
		t.Skip("takes minutes; set HOLDFAST_LAB_FULL=1 to run it")
	}
	l := labtest.Up(t, labtest.Config{Machines: 1})
	m := l.Machine("alpha")
	putPooltest(t, m)
	must(t, m, "modprobe dm-thin-pool; modprobe xfs; modprobe loop; vgcreate -q sw_ssd /dev/vda")
	for _, kind := range []string{"FILE", "FILE_THIN", "FILE_EXT4", "LVM_THIN", "LVM"} {
		t.Run(kind, func(t *testing.T) { conforms(t, m, "HOLDFAST_POOLTEST=sw_ssd", "TestThisMachine/^"+kind+"$") })
	}
}

// TestZpools is TestPools for ZFS, whose module is compiled the first time.
func TestZpools(t *testing.T) {
	if os.Getenv("HOLDFAST_LAB_FULL") != "1" {
		t.Skip("takes minutes; set HOLDFAST_LAB_FULL=1 to run it")
	}
	l := labtest.Up(t, labtest.Config{Machines: 1, ZFS: true})
	m := l.Machine("alpha")
	putPooltest(t, m)
	must(t, m, "modprobe zfs; zpool list; udevadm settle")
	for _, kind := range []string{"ZFS", "ZFS_THIN"} {
		t.Run(kind, func(t *testing.T) {
			conforms(t, m, "HOLDFAST_POOLTEST_DISK=/dev/vdb", "TestZFSOnThisMachine/^"+kind+"$")
		})
	}
}

// putPooltest compiles the suite and puts it into a machine.
func putPooltest(t *testing.T, m *lab.Machine) {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "pooltest")
	cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", bin, "holdfast/internal/pool/pooltest")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := m.Put(t.Context(), bin, "/tmp/pooltest"); err != nil {
		t.Fatal(err)
	}
}

// conforms runs tests of the suite in a machine.
func conforms(t *testing.T, m *lab.Machine, env, tests string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	res, err := m.Exec(ctx, "env", env, "/tmp/pooltest", "-test.v", "-test.run="+tests, "-test.timeout=19m")
	if err != nil {
		t.Fatal(err)
	}
	if res.Exit != 0 {
		t.Errorf("exit %d\n%s\n%s", res.Exit, res.Stdout, res.Stderr)
		return
	}
	t.Logf("%s", res.Stdout)
}
