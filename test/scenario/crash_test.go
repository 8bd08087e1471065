package scenario

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"holdfast/api"
	"holdfast/lab/cluster"
)

// The controller is killed at 20 random moments of a stream of commands: what was acknowledged is there, nothing is half
// there, and all of it converges.
func TestControllerKilled(t *testing.T) {
	w := shared(t)
	rng := rand.New(rand.NewPCG(1, 2))
	l := ledger{want: map[string]bool{}}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for c := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					l.commands(w, fmt.Sprintf("r%d-%03d", c, i), c == 0 && i%4 == 0, i%3 == 2)
				}
			}
		})
	}
	kills := 0
	for ; kills < 20 || kills < 60 && !l.enough(); kills++ { // a busy machine gets less done between two
		if err := cluster.Pause(w.ctx, time.Duration(20+rng.IntN(600))*time.Millisecond); err != nil { // a random moment is the point
			t.Fatal(err)
		}
		if err := w.StopController(w.ctx, syscall.SIGKILL); err != nil {
			t.Fatalf("kill %d: %v", kills, err)
		}
		if err := w.StartController(w.ctx); err != nil {
			t.Fatalf("start after kill %d: %v", kills, err)
		}
	}
	close(stop)
	wg.Wait()
	w.took(w.start, "%d kills: %d creates and %d deletes acknowledged, %d commands unanswered", kills, l.created, l.deleted, l.failed)
	if !l.enough() {
		t.Fatal("too little was acknowledged")
	}
	w.online()
	w.until(2*time.Minute, "what was acknowledged holds", func() (bool, string) {
		var list []api.ResourceDefinition
		if err := w.api.Do(w.ctx, "GET", "/v1/resource-definitions", nil, nil, &list); err != nil {
			return false, err.Error()
		}
		have := map[string]bool{}
		for _, d := range list {
			have[d.Name] = true
		}
		for name, there := range l.want {
			if have[name] != there {
				return false, fmt.Sprintf("%s: there should be %v", name, there)
			}
		}
		return true, ""
	})
	w.until(3*time.Minute, "every replica is UpToDate", func() (bool, string) {
		n := map[string]int{}
		for _, r := range w.resources("") {
			if !good(r) {
				return false, fmt.Sprintf("%+v", r)
			}
			n[r.Name]++
		}
		for name, r := range n {
			if r != 2 {
				return false, fmt.Sprintf("%s has %d replicas", name, r)
			}
		}
		return len(n) >= l.placed, fmt.Sprint(n)
	})
	w.on("alpha", cluster.Binary+" store check")
}

// ledger of what a stream of commands was answered.
type ledger struct {
	mu                               sync.Mutex
	want                             map[string]bool // by name: whether it must be there; of what is uncertain it has nothing
	created, deleted, placed, failed int
}

// enough tells whether so much was acknowledged that the test sees something.
func (l *ledger) enough() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.created >= 20 && l.deleted >= 2 && l.placed >= 1
}

// commands creates a definition and then gives it replicas, or deletes it, or neither.
func (l *ledger) commands(w *world, name string, place, remove bool) {
	def := api.ResourceDefinitionCreate{ResourceDefinition: api.ResourceDefinition{Name: name}}
	if !l.ok(w, "POST", "/v1/resource-definitions", def, func() { l.created++; l.want[name] = true }) {
		return
	}
	switch {
	case place:
		vol := api.VolumeDefinitionCreate{}
		vol.VolumeDefinition.SizeKib = 8 << 10
		if l.ok(w, "POST", "/v1/resource-definitions/"+name+"/volume-definitions", vol, nil) {
			two := api.AutoPlaceRequest{}
			two.SelectFilter.PlaceCount = new(api.Int(2))
			l.ok(w, "POST", "/v1/resource-definitions/"+name+"/autoplace?async=true", two, func() { l.placed++ })
		}
	case remove:
		l.mu.Lock()
		delete(l.want, name)
		l.mu.Unlock()
		l.ok(w, "DELETE", "/v1/resource-definitions/"+name, nil, func() { l.deleted++; l.want[name] = false })
	}
}

// ok sends a command; note is called if it was acknowledged.
func (l *ledger) ok(w *world, method, path string, in any, note func()) bool {
	path, query, _ := strings.Cut(path, "?")
	q, err := url.ParseQuery(query)
	if err == nil {
		err = w.api.Do(w.ctx, method, path, q, in, nil)
	}
	l.mu.Lock()
	if err != nil {
		l.failed++
	} else if note != nil {
		note()
	}
	l.mu.Unlock()
	if err != nil { // the controller is away; a busy loop would only take its processor
		_ = cluster.Pause(w.ctx, 300*time.Millisecond)
	}
	return err == nil
}

// good tells whether the first volume of a replica is UpToDate.
func good(r api.ResourceWithVolumes) bool {
	return len(r.Volumes) > 0 && r.Volumes[0].State != nil && r.Volumes[0].State.DiskState == "UpToDate"
}

// The satellite is killed at each program that create and delete run: before it did its work, while it does, and after.
// The next satellite takes up where that one ended. Programs that differ only in names and numbers count as one.
func TestSatelliteKilledInEveryStep(t *testing.T) {
	w := shared(t)
	k := w.killer("bravo")
	w.online()
	var all []string
	for _, when := range []string{"before", "during", "after"} {
		k.at(when, when)
		w.define(when, "8M")
		for _, n := range []string{"alpha", "bravo"} {
			w.lin("resource create --async " + n + " " + when)
		}
		k.until(when+" is made", func() bool {
			list := w.resources(when)
			return len(list) == 2 && good(list[0]) && good(list[1])
		})
		w.lin("resource-definition delete --async " + when)
		k.until(when+" is gone", func() bool { return len(w.resources(when)) == 0 })
		w.nothingLeft("bravo")
		all = append(all, k.seen(when)...)
	}
	k.had(all, "lvcreate", "lvremove", "create-md", "adjust", "down")
	k.end()
}

// The power of each node is cut during create, sync and delete.
func TestPowerCut(t *testing.T) {
	for _, node := range []string{"alpha", "bravo"} {
		for _, during := range []string{"create", "sync", "delete"} {
			t.Run(node+" during "+during, func(t *testing.T) {
				w := shared(t)
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
					// Later than LVM's own moment: it writes its metadata without a flush in between, so that a cut there
					// can cost the volume group, whatever Holdfast does. (It flushes after each change.)
					w.until(time.Minute, "metadata is being made", func() (bool, string) {
						out, _ := w.Machine(node).Sh(w.ctx, "pidof drbdmeta; drbdsetup status r0 2>/dev/null | grep -v '^#'") // with 9, a comment says that there is none
						return strings.TrimSpace(out) != "", out
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
				w.kill(node)
				w.powerOn(node)
				w.online()
				if during == "delete" {
					w.until(time.Minute, "r0 is gone", func() (bool, string) {
						out := w.lin("-m resource-definition list")
						return !strings.Contains(out, `"r0"`), out
					})
					return // that nothing is left is looked at after each story
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
	w := shared(t)
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
