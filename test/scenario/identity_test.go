package scenario

import (
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/lab/cluster"
)

const (
	stateDir  = "/var/lib/holdfast"
	configDir = "/var/lib/holdfast.d"
)

// A second cluster's controller claims a satellite that belongs to the first; a copy of the controller with its store and
// keys is started beside it. Both are refused, and both say so.
func TestSecondController(t *testing.T) {
	w := shared(t)
	// The other controller runs on bravo, with its files apart from those of bravo's satellite.
	const start = "(" + cluster.Binary + " controller --config /run/other.toml >>/var/log/other.log 2>&1 & echo $! >/run/other.pid)"
	const stop = "p=$(cat /run/other.pid); kill $p; while kill -0 $p 2>/dev/null; do sleep .1; done"
	w.on("bravo", `rm -rf /var/lib/other; printf 'state_dir = "/var/lib/other"\n[store]\npath = "/var/lib/other/controller.db"\n' >/run/other.toml; `+start)
	other := func(line string) string {
		out, err := w.Machine("bravo").Sh(w.ctx, "LS_CONTROLLERS=10.77.0.2 "+cluster.Binary+" "+line)
		if err != nil {
			return err.Error()
		}
		return out
	}
	w.until(20*time.Second, "the other controller answers", func() (bool, string) {
		out := other("controller version")
		return strings.Contains(out, "linstor controller"), out
	})
	other("node create alpha 10.77.0.1")
	w.until(30*time.Second, "the other controller says why", func() (bool, string) {
		out := other("node list") + w.on("bravo", "cat /var/log/other.log")
		return strings.Contains(out, "belongs to"), out
	})
	w.online()
	w.on("bravo", stop)

	// A copy of the controller's files, as a careless backup would be put back on another machine. The first has been
	// started since, so the copy takes the same epoch; started once more, a newer one. The satellites stay with the first,
	// which is alive.
	w.stop(syscall.SIGTERM)
	w.on("alpha", "cd "+stateDir+" && tar cf /tmp/state.tar .")
	w.begin()
	w.online()
	b, err := w.Machine("alpha").Get(w.ctx, "/tmp/state.tar")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Machine("bravo").PutBytes(w.ctx, b, "/tmp/state.tar", 0o600); err != nil {
		t.Fatal(err)
	}
	w.on("bravo", "rm -rf /var/lib/other; mkdir -p /var/lib/other; cd /var/lib/other; tar xf /tmp/state.tar")
	for _, epoch := range []string{"the same epoch", "a newer epoch"} {
		w.on("bravo", ">/var/log/other.log; "+start)
		const told = "another controller"
		w.until(30*time.Second, "the copy with "+epoch+" says that there is another controller", func() (bool, string) {
			out := other("node list")
			return strings.Count(out, "OTHER_CONTROLLER") == 2 && strings.Contains(w.on("bravo", "cat /var/log/other.log"), told), out
		})
		for _, n := range []string{"alpha", "bravo"} {
			if log := w.Log(w.ctx, "satellite", n); !strings.Contains(log, told) {
				t.Errorf("the satellite on %s doesn't say that another controller was there:\n%s", n, log)
			}
		}
		w.online()
		w.create(strings.Fields(epoch)[1], "8M", 2) // the first goes on
		w.on("bravo", stop)
	}
	w.on("bravo", "rm -rf /var/lib/other")
}

var takeOver = regexp.MustCompile(`store take-over --above (\d+)`)

// takeOverAbove is the epoch that a refusal advises to take over from, "" for none.
func takeOverAbove(err error) string {
	if m := takeOver.FindStringSubmatch(fmt.Sprint(err)); m != nil {
		return m[1]
	}
	return ""
}

// The store is rolled back to an older copy: nothing is destroyed, what it doesn't know is reported as orphan.
func TestStoreRolledBack(t *testing.T) {
	w := shared(t)
	w.create("old", "16M", 2)
	w.upToDate("old", 2)
	w.stop(syscall.SIGTERM)
	w.on("alpha", "cp -a "+stateDir+" /root/backup")
	w.begin()
	w.online()
	w.create("young", "16M", 2)
	w.upToDate("young", 2)
	dev := w.device("young")
	w.on("alpha", "drbdadm primary young")
	sum := w.write("alpha", dev, 4)
	w.lin("resource-definition create gone")
	// A rollback over more than one start: the satellites know a newer epoch.
	w.stop(syscall.SIGTERM)
	w.begin()
	w.online()
	w.stop(syscall.SIGTERM)
	w.on("alpha", "cp -a /root/backup/controller.db* "+stateDir+"/ && rm -f "+stateDir+"/controller.db-wal "+stateDir+"/controller.db-shm")
	w.begin()
	above := ""
	w.until(30*time.Second, "the satellites refuse the older controller, and it says what to do", func() (bool, string) {
		_, err := w.Linstor(w.ctx, "resource-definition", "set-property", "old", "Aux/x", "y")
		above = takeOverAbove(err)
		return above != "", fmt.Sprint(err)
	})
	w.stop(syscall.SIGTERM)
	w.on("alpha", cluster.Binary+" store take-over --above "+above)
	w.begin()
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
	for _, n := range []string{"alpha", "bravo"} { // by hand: the store knows nothing of it any more
		w.on(n, "drbdadm down young && rm "+configDir+"/young.res && lvremove -qq -y "+cluster.VG+"/young_00000 && sync /dev/vda")
	}
}

// A name is deleted and created again while one node is away: the new one is another volume, the old one is removed when
// the node returns, and then the new one comes up there.
func TestNameReusedWhileAway(t *testing.T) {
	w := shared(t)
	w.create("r0", "16M", 2)
	w.upToDate("r0", 2)
	w.on("alpha", "drbdadm primary r0")
	w.write("alpha", w.device("r0"), 2)
	w.on("alpha", "drbdadm secondary r0")
	w.kill("bravo")
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
	w.powerOn("bravo")
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
	w := shared(t)
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
	if out := w.on("alpha", "ls /etc/drbd.d"); !strings.Contains(out, "handmade.res") {
		t.Fatalf("%s", out)
	}
	for _, n := range []string{"alpha", "bravo"} {
		w.on(n, "drbdadm down handmade && rm /etc/drbd.d/handmade.res && lvremove -qq -y "+cluster.VG+"/handmade "+cluster.VG+"/taken_00000 && sync /dev/vda")
	}
}

// At the next boot the node has no DRBD module: the resource is left untouched there, with a reason, and comes back with
// the module.
func TestModuleAbsent(t *testing.T) {
	w := shared(t)
	w.create("r0", "16M", 2)
	w.upToDate("r0", 2)
	w.on("alpha", "drbdadm primary r0")
	sum := w.write("alpha", w.device("r0"), 2)
	w.on("bravo", "mkdir -p /root/hidden && for f in $(find /lib/modules -name 'drbd*.ko*'); do mv $f /root/hidden/; echo $f >>/root/hidden/list; done; sync")
	if err := w.Machine("bravo").KillKeeping(1); err != nil {
		t.Fatal(err)
	}
	w.powerOn("bravo")
	w.online()
	w.until(time.Minute, "the reason is told", func() (bool, string) {
		out := w.lin("-m resource list -r r0")
		return strings.Contains(out, "no DRBD module"), out
	})
	if out := w.on("bravo", "lvs --noheadings -o name,tags "+cluster.VG); !strings.Contains(out, "r0_00000") {
		t.Fatalf("the volume was touched:\n%s", out)
	}
	w.on("bravo", "while read f; do mv /root/hidden/$(basename $f) $f; done </root/hidden/list; depmod; modprobe drbd")
	w.lin("node reconnect bravo") // it looks at its modules again, at the latest after a minute
	w.upToDate("r0", 2)
	w.on("alpha", "drbdadm secondary r0")
	w.on("bravo", "drbdadm primary r0")
	w.check("bravo", w.device("r0"), 2, sum)
}
