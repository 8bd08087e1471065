package lab_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"holdfast/lab/labtest"
)

// TestPools runs the storage drivers' conformance suite on the real LVM, loop devices and XFS, in a machine. It takes a minute
// for each kind, so it waits for HOLDFAST_LAB_FULL=1.
func TestPools(t *testing.T) {
	if os.Getenv("HOLDFAST_LAB_FULL") != "1" {
		t.Skip("takes minutes; set HOLDFAST_LAB_FULL=1 to run it")
	}
	l := labtest.Up(t, labtest.Config{Machines: 1})
	bin := filepath.Join(t.TempDir(), "pooltest")
	cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", bin, "holdfast/internal/pool/pooltest")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	m := l.Machine("alpha")
	if err := m.Put(t.Context(), bin, "/tmp/pooltest"); err != nil {
		t.Fatal(err)
	}
	must(t, m, "modprobe dm-thin-pool; modprobe xfs; modprobe loop; vgcreate -q sw_ssd /dev/vda")
	for _, kind := range []string{"FILE", "FILE_THIN", "LVM_THIN", "LVM"} {
		t.Run(kind, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			res, err := m.Exec(ctx, "env", "HOLDFAST_POOLTEST=sw_ssd", "/tmp/pooltest", "-test.v", "-test.run=TestThisMachine/^"+kind+"$", "-test.timeout=4m")
			if err != nil {
				t.Fatal(err)
			}
			if res.Exit != 0 {
				t.Errorf("exit %d\n%s\n%s", res.Exit, res.Stdout, res.Stderr)
			} else {
				t.Logf("%s", res.Stdout)
			}
		})
	}
}
