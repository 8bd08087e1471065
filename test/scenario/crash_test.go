package scenario

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/lab/cluster"
)

// The controller is killed at 20 random moments of a stream of commands: what was acknowledged is there, nothing is half
// there, and all of it converges.
func TestControllerKilled(t *testing.T) {
	w := up(t, 2)
	w.nodes()
	rng := rand.New(rand.NewPCG(1, 2))
	stop := make(chan struct{})
	type step struct {
		name    string
		deleted bool
	}
	acked := make(chan step, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(acked)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			name := fmt.Sprintf("r%03d", i)
			if _, err := w.Linstor(w.ctx, "resource-definition", "create", name); err != nil {
				continue // not acknowledged: may or may not be there
			}
			acked <- step{name: name}
			if i%8 == 0 {
				if _, err := w.Linstor(w.ctx, "volume-definition", "create", name, "8M"); err == nil {
					_, _ = w.Linstor(w.ctx, "resource", "create", "--async", name, "--auto-place", "2")
				}
			} else if i%3 == 0 {
				if _, err := w.Linstor(w.ctx, "resource-definition", "delete", "--async", name); err == nil {
					acked <- step{name, true}
				}
			}
		}
	}()
	for i := range 20 {
		time.Sleep(time.Duration(20+rng.IntN(500)) * time.Millisecond) //nolint: a random moment is the point
		if err := w.StopController(w.ctx, syscall.SIGKILL); err != nil {
			t.Fatalf("kill %d: %v", i, err)
		}
		if err := w.StartController(w.ctx); err != nil {
			t.Fatalf("start after kill %d: %v", i, err)
		}
	}
	close(stop)
	<-done
	want, ndel := map[string]bool{}, 0
	for s := range acked {
		want[s.name] = !s.deleted
		if s.deleted {
			ndel++
		}
	}
	if len(want) < 20 {
		t.Fatalf("only %d commands were acknowledged", len(want))
	}
	t.Logf("%d creates and %d deletes acknowledged", len(want), ndel)
	w.online()
	w.until(2*time.Minute, "what was acknowledged holds", func() (bool, string) {
		out := w.lin("-m resource-definition list")
		for name, there := range want {
			if strings.Contains(out, `"`+name+`"`) != there {
				return false, fmt.Sprintf("%s: there should be %v", name, there)
			}
		}
		return true, ""
	})
	w.until(3*time.Minute, "every replica is UpToDate", func() (bool, string) {
		n := 0
		for _, r := range w.resources("") {
			if len(r.Volumes) == 0 || r.Volumes[0].State == nil || r.Volumes[0].State.DiskState != "UpToDate" {
				return false, fmt.Sprintf("%+v", r)
			}
			n++
		}
		return n > 0, fmt.Sprint(n)
	})
	w.on("alpha", Binary+" store check")
}

// Binary in the machines.
const Binary = cluster.Binary

// shim stands before every program that changes something: at the Nth it kills the satellite, before or after it ran.
const shim = `#!/bin/sh
real=%s
n=$(cat /run/shim/count 2>/dev/null || echo 0); n=$((n+1)); echo $n >/run/shim/count
at=$(cat /run/shim/at 2>/dev/null || echo 0)
if [ "$n" = "$at" ] && [ "$(cat /run/shim/when)" = before ]; then kill -9 $PPID; exit 1; fi
"$real" "$@"; rc=$?
if [ "$n" = "$at" ]; then kill -9 $PPID; fi
exit $rc
`

// The satellite is killed before and after every program that create and delete run; another one takes up where it ended.
func TestSatelliteKilledInEveryStep(t *testing.T) {
	w := up(t, 2)
	w.nodes()
	w.on("bravo", "mkdir -p /run/shim/bin")
	for _, p := range []string{"lvcreate", "lvremove", "lvchange", "drbdadm", "drbdmeta", "drbdsetup", "lvm"} {
		real := strings.TrimSpace(w.on("bravo", "command -v "+p+" || true"))
		if real == "" {
			continue
		}
		if err := w.Machine("bravo").PutBytes(w.ctx, fmt.Appendf(nil, shim, real), "/run/shim/bin/"+p, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.on("bravo", "echo 0 >/run/shim/at; echo after >/run/shim/when")
	restart := func() {
		if alive, _ := w.Alive(w.ctx, "satellite", "bravo"); alive {
			if err := w.Signal(w.ctx, "satellite", "bravo", syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.StartSatelliteWith(w.ctx, "bravo", "PATH=/run/shim/bin:/usr/sbin:/usr/bin:/sbin:/bin"); err != nil {
			t.Fatal(err)
		}
	}
	restart()
	w.online()
	for _, when := range []string{"before", "after"} {
		for n := 1; n <= 60; n++ {
			name := fmt.Sprintf("%s%02d", when, n)
			w.on("bravo", fmt.Sprintf("echo 0 >/run/shim/count; echo %s >/run/shim/when; echo %d >/run/shim/at", when, n))
			w.define(name, "8M")
			w.lin("resource create --async " + name + " --auto-place 2")
			w.revive(name, restart, func() bool {
				list := w.resources(name)
				if len(list) != 2 {
					return false
				}
				for _, r := range list {
					if len(r.Volumes) == 0 || r.Volumes[0].State == nil || r.Volumes[0].State.DiskState != "UpToDate" {
						return false
					}
				}
				return true
			})
			w.lin("resource-definition delete --async " + name)
			w.revive(name, restart, func() bool { return len(w.resources(name)) == 0 })
			w.nothingLeft("bravo")
			used := w.on("bravo", "cat /run/shim/count")
			var ran int
			_, _ = fmt.Sscan(used, &ran)
			if ran < n {
				t.Logf("%s: create and delete run %d programs; killed at each", when, ran)
				break
			}
		}
	}
}

// revive waits for ok and starts the satellite again whenever it is found dead.
func (w *world) revive(name string, restart func(), ok func() bool) {
	w.t.Helper()
	w.until(90*time.Second, name+" converges", func() (bool, string) {
		if ok() {
			return true, ""
		}
		if alive, err := w.Alive(w.ctx, "satellite", "bravo"); err == nil && !alive {
			restart()
		}
		return false, w.lin("-m resource list -r " + name)
	})
}

// The power of each node is cut during create, sync and delete.
func TestPowerCut(t *testing.T) {
	for _, node := range []string{"alpha", "bravo"} {
		for _, during := range []string{"create", "sync", "delete"} {
			t.Run(node+" during "+during, func(t *testing.T) {
				w := up(t, 2)
				w.nodes()
				w.define("r0", "48M")
				if during == "sync" { // slow enough to be caught
					w.lin("resource-definition drbd-options r0 --resync-rate 4M")
				}
				var sum string
				if during == "delete" {
					w.lin("resource create r0 --auto-place 2")
					w.upToDate("r0", 2)
				} else {
					w.lin("resource create --async r0 --auto-place 2")
				}
				switch during {
				case "create":
					w.until(20*time.Second, "the device is there", func() (bool, string) {
						out, _ := w.Machine(node).Sh(w.ctx, "lvs --noheadings "+cluster.VG)
						return strings.Contains(out, "r0_"), out
					})
				case "sync":
					w.until(30*time.Second, "it syncs", func() (bool, string) {
						out, _ := w.Machine("alpha").Sh(w.ctx, "drbdsetup status r0 --verbose")
						return strings.Contains(out, "Sync"), out
					})
					w.on("alpha", "drbdadm primary r0")
					sum = w.write("alpha", w.device("r0"), 4)
				case "delete":
					w.lin("resource-definition delete --async r0")
				}
				if err := w.Machine(node).Kill(); err != nil {
					t.Fatal(err)
				}
				if err := w.PowerOn(w.ctx, node); err != nil {
					t.Fatal(err)
				}
				w.online()
				if during == "delete" {
					w.until(time.Minute, "r0 is gone", func() (bool, string) {
						out := w.lin("-m resource-definition list")
						return !strings.Contains(out, `"r0"`), out
					})
					w.nothingLeft("alpha")
					w.nothingLeft("bravo")
					return
				}
				if during == "sync" {
					w.lin("resource-definition drbd-options r0 --resync-rate 100M")
				}
				w.upToDate("r0", 2)
				if sum != "" {
					w.on("alpha", "drbdadm primary r0")
					w.check("alpha", w.device("r0"), 4, sum)
					w.on("alpha", "drbdadm secondary r0")
				}
				w.on("bravo", "drbdadm primary r0")
				if sum != "" {
					w.check("bravo", w.device("r0"), 4, sum)
				}
			})
		}
	}
}

// The network between the nodes is cut and healed: the primary goes on, the other catches up, what was asked for in the
// meantime is applied, and no last copy is removed on hearsay.
func TestNetworkCut(t *testing.T) {
	w := up(t, 2)
	w.nodes()
	w.create("r0", "48M", 2)
	w.upToDate("r0", 2)
	dev := w.device("r0")
	w.on("alpha", "drbdadm primary r0")
	if err := w.Cut("alpha", "bravo"); err != nil {
		t.Fatal(err)
	}
	w.connected("alpha", "r0", false)
	sum := w.write("alpha", dev, 8)
	w.until(30*time.Second, "bravo is offline", func() (bool, string) {
		out := w.lin("node list")
		return strings.Contains(out, "OFFLINE"), out
	})
	w.on("alpha", "drbdadm secondary r0")
	w.refused("resource delete alpha r0", "UpToDate")
	w.lin("resource-definition set-property r0 Aux/while away")
	if err := w.Heal("alpha", "bravo"); err != nil {
		t.Fatal(err)
	}
	w.online()
	w.upToDate("r0", 2)
	w.on("bravo", "drbdadm primary r0")
	w.check("bravo", dev, 8, sum)
	w.on("bravo", "drbdadm secondary r0")
	w.lin("resource delete alpha r0")
	w.nothingLeft("alpha")
	w.on("bravo", "drbdadm primary r0")
	w.check("bravo", dev, 8, sum)
}
