package scenario

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/lab/cluster"
)

const stateDir = "/var/lib/holdfast"

// A second cluster's controller claims a satellite that belongs to the first; a copy of the controller with its store and
// keys is started beside it. Both are refused, and both say so.
func TestSecondController(t *testing.T) {
	w := up(t, 3, func(c *cluster.Config) { c.NoSatellite = []string{"charlie"} })
	for i, n := range []string{"alpha", "bravo"} {
		w.lin(fmt.Sprintf("node create %s 10.77.0.%d", n, i+1))
	}
	w.until(30*time.Second, "both are online", func() (bool, string) {
		out := w.lin("node list")
		return strings.Count(out, "Online") == 2, out
	})
	w.on("charlie", Binary+" controller >/var/log/other.log 2>&1 & echo $! >/run/other.pid")
	other := func(line string) string {
		out, err := w.Machine("charlie").Sh(w.ctx, "LS_CONTROLLERS=10.77.0.3 "+Binary+" "+line)
		if err != nil {
			return err.Error()
		}
		return out
	}
	w.until(20*time.Second, "the other controller answers", func() (bool, string) {
		out := other("controller version")
		return strings.Contains(out, "linstor controller"), out
	})
	other("node create bravo 10.77.0.2")
	w.until(30*time.Second, "the other controller says why", func() (bool, string) {
		out := other("node list") + w.on("charlie", "cat /var/log/other.log")
		return strings.Contains(out, "belongs to"), out
	})
	if out := w.lin("node list"); strings.Count(out, "Online") != 2 {
		t.Fatalf("the first controller lost its satellite:\n%s", out)
	}
	w.on("charlie", "kill $(cat /run/other.pid)")

	// A copy of the running controller, as a careless backup would restore it on another machine.
	w.on("alpha", "cd "+stateDir+" && tar cf /tmp/state.tar .")
	b, err := w.Machine("alpha").Get(w.ctx, "/tmp/state.tar")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Machine("charlie").PutBytes(w.ctx, b, "/tmp/state.tar", 0o600); err != nil {
		t.Fatal(err)
	}
	w.on("charlie", "rm -rf "+stateDir+" && mkdir -p "+stateDir+" && cd "+stateDir+" && tar xf /tmp/state.tar && ("+Binary+" controller >/var/log/copy.log 2>&1 & echo $! >/run/copy.pid)")
	w.until(40*time.Second, "the copy or the first says that there are two", func() (bool, string) {
		out := w.on("charlie", "cat /var/log/copy.log") + w.Log(w.ctx, "controller", "alpha") + w.lin("node list")
		return strings.Contains(out, "another controller") || strings.Contains(out, "other controller") || strings.Contains(out, "OTHER_CONTROLLER") || strings.Contains(out, "read-only"), out
	})
}

// The store is rolled back to an older copy: nothing is destroyed, what it doesn't know is reported as orphan.
func TestStoreRolledBack(t *testing.T) {
	w := up(t, 2)
	w.nodes()
	w.create("old", "16M", 2)
	w.upToDate("old", 2)
	if err := w.StopController(w.ctx, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	w.on("alpha", "cp -a "+stateDir+" /root/backup")
	if err := w.StartController(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.online()
	w.create("young", "16M", 2)
	w.upToDate("young", 2)
	dev := w.device("young")
	w.on("alpha", "drbdadm primary young")
	sum := w.write("alpha", dev, 4)
	w.lin("resource-definition create gone")
	if err := w.StopController(w.ctx, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	w.on("alpha", "cp -a /root/backup/controller.db* "+stateDir+"/ && rm -f "+stateDir+"/controller.db-wal "+stateDir+"/controller.db-shm")
	if err := w.StartController(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.until(30*time.Second, "the satellites refuse the older controller, and it says what to do", func() (bool, string) {
		_, err := w.Linstor(w.ctx, "resource-definition", "create", "more")
		return err != nil && strings.Contains(err.Error(), "take-over"), fmt.Sprint(err)
	})
	if err := w.StopController(w.ctx, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	w.on("alpha", Binary+" store take-over --above 100")
	if err := w.StartController(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.online()
	w.until(time.Minute, "the orphans are reported", func() (bool, string) {
		out := w.lin("node info") + w.lin("-m node list")
		return strings.Contains(out, "young_00000"), out
	})
	w.upToDate("old", 2)
	w.check("alpha", dev, 4, sum)
	for _, n := range []string{"alpha", "bravo"} {
		if out := w.on(n, "drbdsetup status young; lvs --noheadings -o name "+cluster.VG); !strings.Contains(out, "disk:UpToDate") || !strings.Contains(out, "young_00000") {
			t.Fatalf("%s lost what the older store doesn't know:\n%s", n, out)
		}
	}
}

// A name is deleted and created again while one node is away: the new one is another volume, the old one is removed when
// the node returns, and then the new one comes up there.
func TestNameReusedWhileAway(t *testing.T) {
	w := up(t, 2)
	w.nodes()
	w.create("r0", "16M", 2)
	w.upToDate("r0", 2)
	w.on("alpha", "drbdadm primary r0")
	w.write("alpha", w.device("r0"), 2)
	w.on("alpha", "drbdadm secondary r0")
	if err := w.Machine("bravo").Kill(); err != nil {
		t.Fatal(err)
	}
	w.until(30*time.Second, "bravo is offline", func() (bool, string) {
		out := w.lin("node list")
		return strings.Contains(out, "OFFLINE"), out
	})
	w.lin("resource-definition delete r0")
	w.define("r0", "24M")
	w.lin("resource create alpha r0")
	w.lin("resource create --async bravo r0")
	w.until(time.Minute, "the new one is good on alpha", func() (bool, string) {
		out, _ := w.Machine("alpha").Sh(w.ctx, "drbdsetup status r0 --verbose")
		return strings.Contains(out, " disk:UpToDate"), out
	})
	w.on("alpha", "drbdadm primary r0")
	sum := w.write("alpha", w.device("r0"), 2)
	w.on("alpha", "drbdadm secondary r0")
	if err := w.PowerOn(w.ctx, "bravo"); err != nil {
		t.Fatal(err)
	}
	w.online()
	w.upToDate("r0", 2)
	w.on("bravo", "drbdadm primary r0")
	w.check("bravo", w.device("r0"), 2, sum)
	if out := w.on("bravo", "lvs --noheadings -o name "+cluster.VG); strings.Count(out, "r0_") != 1 {
		t.Fatalf("volumes on bravo:\n%s", out)
	}
}

// A resource and LVs made by hand are left alone: their names conflict, and that is said.
func TestHandMade(t *testing.T) {
	w := up(t, 2)
	w.nodes()
	for _, n := range []string{"alpha", "bravo"} {
		w.on(n, "lvcreate -qq -y -Wn -n handmade -L 16M "+cluster.VG+" && lvcreate -qq -y -Wn -n taken_00000 -L 16M "+cluster.VG+
			" && printf hand >/dev/"+cluster.VG+"/taken_00000"+
			" && printf 'resource handmade {\n on alpha { device /dev/drbd5 minor 5; disk /dev/"+cluster.VG+"/handmade; address 10.77.0.1:7999; meta-disk internal; }\n on bravo { device /dev/drbd5 minor 5; disk /dev/"+cluster.VG+"/handmade; address 10.77.0.2:7999; meta-disk internal; }\n}\n' >/etc/drbd.d/handmade.res"+
			" && drbdadm create-md --force handmade >/dev/null 2>&1 && drbdadm up handmade")
	}
	w.on("alpha", "drbdadm primary --force handmade")
	w.define("taken", "16M")
	out, err := w.Linstor(w.ctx, "resource", "create", "taken", "--auto-place", "2")
	if err == nil || !strings.Contains(out, "didn't make") {
		t.Fatalf("the conflict isn't told: %v\n%s", err, out)
	}
	w.lin("resource-definition delete taken")
	w.create("mine", "16M", 2)
	w.upToDate("mine", 2)
	w.lin("resource-definition delete mine")
	for _, n := range []string{"alpha", "bravo"} {
		if out := w.on(n, "head -c4 /dev/"+cluster.VG+"/taken_00000; lvs --noheadings -o name "+cluster.VG+"; drbdsetup status handmade"); !strings.HasPrefix(out, "hand") || !strings.Contains(out, "handmade role:") {
			t.Fatalf("something made by hand on %s was touched:\n%s", n, out)
		}
	}
	if out := w.on("alpha", "ls /etc/drbd.d /var/lib/holdfast.d"); !strings.Contains(out, "handmade.res") {
		t.Fatalf("%s", out)
	}
}

// At the next boot the node has no DRBD module: the resource is left untouched there, with a reason, and comes back with
// the module.
func TestModuleAbsent(t *testing.T) {
	w := up(t, 2)
	w.nodes()
	w.create("r0", "16M", 2)
	w.upToDate("r0", 2)
	w.on("alpha", "drbdadm primary r0")
	sum := w.write("alpha", w.device("r0"), 2)
	w.on("bravo", "mkdir -p /root/hidden && for f in $(find /lib/modules -name 'drbd*.ko*'); do mv $f /root/hidden/; echo $f >>/root/hidden/list; done; sync")
	if err := w.Machine("bravo").KillKeeping(1); err != nil {
		t.Fatal(err)
	}
	if err := w.PowerOn(w.ctx, "bravo"); err != nil {
		t.Fatal(err)
	}
	w.online()
	w.until(time.Minute, "the reason is told", func() (bool, string) {
		out := w.lin("-m resource list -r r0")
		return strings.Contains(out, "no DRBD module"), out
	})
	if out := w.on("bravo", "lvs --noheadings -o name,tags "+cluster.VG); !strings.Contains(out, "r0_00000") {
		t.Fatalf("the volume was touched:\n%s", out)
	}
	w.on("bravo", "while read f; do mv /root/hidden/$(basename $f) $f; done </root/hidden/list; depmod; modprobe drbd")
	w.upToDate("r0", 2)
	w.on("alpha", "drbdadm secondary r0")
	w.on("bravo", "drbdadm primary r0")
	w.check("bravo", w.device("r0"), 2, sum)
}
