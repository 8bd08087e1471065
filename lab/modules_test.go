package lab_test

import (
	"os"
	"path/filepath"
	"testing"

	"holdfast/lab/labtest"
)

// TestExtraModules: a module in HOLDFAST_LAB_MODULES is loaded instead of the kernel's own. A copy of the stock one stands
// in for it here; it makes another image.
func TestExtraModules(t *testing.T) {
	t.Parallel()
	one := labtest.Up(t, labtest.Config{Machines: 1, Extra: ""})
	path := must(t, one.Machine("alpha"), "modinfo -n dummy")
	b, err := one.Machine("alpha").Get(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "dummy.ko"), b, 0o644); err != nil {
		t.Fatal(err)
	}
	two := labtest.Up(t, labtest.Config{Machines: 1, Extra: dir, Cold: true})
	m := two.Machine("alpha")
	if got, want := must(t, m, "modinfo -n dummy"), "/lib/modules/"+two.Release()+"/updates/dummy.ko"; got != want {
		t.Errorf("would load %s, not %s", got, want)
	}
	must(t, m, "modprobe dummy && grep -q ^dummy /proc/modules")
	if two.Release() != one.Release() {
		t.Errorf("kernel %s is not the one that the module is for, %s", two.Release(), one.Release())
	}
}
