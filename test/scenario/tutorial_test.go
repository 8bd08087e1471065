package scenario

import (
	"strings"
	"testing"

	"holdfast/lab"
	"holdfast/lab/cluster"
)

// The tutorial in both spellings, and what each command prints.
func TestTutorial(t *testing.T) {
	w := shared(t)
	for _, m := range w.Machines { // a cluster as it begins
		w.lin("storage-pool delete " + m.Name + " swpool")
		w.lin("node delete " + m.Name)
	}
	w.lin("node create --node-type Combined alpha 10.77.0.1")
	w.lin("node create --node-type Satellite bravo 10.77.0.2")
	w.online()
	for _, want := range []string{"alpha", "COMBINED", "10.77.0.2:3366 (SSL)", "Online"} {
		if out := w.lin("node list"); !strings.Contains(out, want) {
			t.Errorf("node list has no %q:\n%s", want, out)
		}
	}
	w.lin("storage-pool create lvm alpha swpool " + cluster.VG)
	w.lin("storage-pool create bravo swpool lvm " + cluster.VG)
	if out := w.lin("storage-pool list"); strings.Count(out, cluster.VG) != 2 || strings.Count(out, "Ok") < 2 {
		t.Errorf("storage-pool list:\n%s", out)
	}
	w.define("backups", "64M")
	w.lin("resource create backups --auto-place 2")
	w.upToDate("backups", 2)
	for _, line := range []string{"resource list", "volume list", "resource list-volumes", "n l", "sp l", "rd l", "vd l", "r l", "v l"} {
		if out := w.lin(line); !strings.Contains(out, "backups") && !strings.Contains(out, "alpha") {
			t.Errorf("%s:\n%s", line, out)
		}
	}
	dev := w.device("backups")
	w.on("alpha", "drbdadm primary backups")
	sum := w.write("alpha", dev, 8)
	w.refused("resource-definition delete backups", "in use")
	w.on("alpha", "drbdadm secondary backups")
	w.on("bravo", "drbdadm primary backups")
	w.check("bravo", dev, 8, sum)
	w.on("bravo", "drbdadm secondary backups")
	w.refused("storage-pool delete alpha swpool", "backups")
	w.refused("node delete alpha", "backups")
	w.lin("resource-definition delete backups")
	w.each(func(m *lab.Machine) error { return w.empty(m.Name) })
	for _, m := range w.Machines {
		w.lin("storage-pool delete " + m.Name + " swpool")
		w.lin("node delete " + m.Name)
	}
	w.nodes()
}
