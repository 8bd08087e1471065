package satellite

import (
	"slices"
	"testing"
	"time"

	"holdfast/internal/model"
)

// Bravo and charlie replicate to each other in alpha's place, and are in use. Alpha has nothing that bravo lacks, says so, and goes when
// told who holds it, wherever that is stopped, though it sees nobody.
func TestGoesUnseen(t *testing.T) {
	for _, power := range []bool{false, true} {
		for n := 0; n < 100; n++ {
			r, alpha, bravo, charlie := moved(t)
			bravo.use()
			id, err := bravo.m.Write("backups", 0)
			if err != nil {
				t.Fatal(err)
			}
			if !charlie.m.Readable("backups", 0, id) {
				t.Fatal("charlie isn't connected")
			}
			r.run(10 * time.Second)
			if w := alpha.of("backups").Within; w != "backups-on-bravo" {
				t.Fatalf("alpha is within %q\n%s", w, r.traces())
			}
			stop := alpha.m.CrashAfter
			if power {
				stop = alpha.m.CutAfter
			}
			stop(n)
			alpha.remove("backups", func(s *model.ResourceSpec) { s.HeldBy = "backups-on-bravo" })
			r.run(10 * time.Second)
			stopped := alpha.revive()
			r.run(2 * time.Minute)
			if !alpha.of("backups").Gone {
				t.Fatalf("power %v, after effect %d: alpha isn't gone: %+v\n%s", power, n, alpha.of("backups"), r.traces())
			}
			if n > 0 && !stopped {
				if n < 3 {
					t.Errorf("only %d effects", n-1)
				}
				break
			}
		}
	}
}

// Nobody removes what alpha was written to alone, whoever is said to hold it; nor what another is said to hold than the one with which it
// was in sync; nor on an order of a controller that isn't there.
func TestStaysUnseen(t *testing.T) {
	gone := func(s *model.ResourceSpec) { s.HeldBy = "backups-on-bravo" }
	for name, prepare := range map[string]func(*rig, *node){
		"written to, order after": func(r *rig, alpha *node) {
			alpha.write()
			r.run(10 * time.Second)
			alpha.remove("backups", gone)
		},
		"written to and cut, order after": func(r *rig, alpha *node) {
			alpha.use()
			if _, err := alpha.m.Write("backups", 0); err != nil {
				t.Fatal(err)
			}
			alpha.cut()
			alpha.boot()
			r.run(10 * time.Second)
			alpha.remove("backups", gone)
		},
		"written to after its events ceased to arrive": func(_ *rig, alpha *node) {
			alpha.deaf = true
			alpha.write()
			alpha.remove("backups", gone)
		},
		"held by another": func(_ *rig, alpha *node) {
			alpha.remove("backups", func(s *model.ResourceSpec) { s.HeldBy = "backups-on-charlie" })
		},
		"told of no holder": func(_ *rig, alpha *node) { alpha.remove("backups", nil) },
		"no controller": func(r *rig, alpha *node) {
			alpha.m.CrashAfter(1) // it has kept the order
			alpha.remove("backups", gone)
			r.run(2 * time.Second)
			alpha.away = true
			if !alpha.revive() {
				t.Fatal("it didn't die")
			}
			r.run(10 * time.Second)
			if !slices.ContainsFunc(alpha.a.kept.State.Resources, func(s model.ResourceSpec) bool { return s.HeldBy != "" }) {
				t.Fatalf("the order isn't kept: %+v", alpha.a.kept.State.Resources)
			}
		},
	} {
		r, alpha, _, _ := moved(t)
		r.run(10 * time.Second)
		prepare(r, alpha)
		r.run(3 * time.Minute)
		if alpha.of("backups").Gone || len(alpha.m.LVs("sw_ssd")) == 0 {
			t.Errorf("%s: alpha went\n%s", name, r.traces())
		}
	}
}

// Bravo is left in the midst of a sync from alpha: what is on its disk is nobody's, and it goes though it sees nobody.
func TestGoesInTheMidstOfItsSync(t *testing.T) {
	r, alpha, bravo, charlie := pairAnd(t, "alpha")
	for range 100 {
		if bravo.volume("backups", 0).Disk == model.DiskInconsistent && len(bravo.of("backups").Peers) == 1 && bravo.of("backups").Peers[0].State == model.Connected {
			break
		}
		r.run(250 * time.Millisecond)
	}
	r.peerOf(alpha, "charlie", true)
	alpha.use()
	r.run(20 * time.Second)
	if d := bravo.volume("backups", 0).Disk; d != model.DiskInconsistent || charlie.volume("backups", 0).Disk != model.DiskUpToDate {
		t.Fatalf("bravo is %s\n%s", d, r.traces())
	}
	if w := bravo.of("backups").Within; w != "backups-on-alpha" {
		t.Fatalf("bravo is within %q\n%s", w, r.traces())
	}
	bravo.cut()
	bravo.boot()
	r.run(5 * time.Second)
	bravo.remove("backups", func(s *model.ResourceSpec) { s.HeldBy = "backups-on-alpha" })
	r.run(2 * time.Minute)
	if !bravo.of("backups").Gone {
		t.Fatalf("bravo isn't gone: %+v\n%s", bravo.of("backups"), r.traces())
	}
}

// Bravo was away while alpha was written to, and makes room for charlie when the two have agreed on what it lacks and nothing of it
// has come: it stays Outdated, with marks that are alpha's, and goes though it sees nobody.
func TestGoesBeforeItsSync(t *testing.T) {
	r, alpha, bravo, charlie := pairAnd(t, "alpha")
	r.run(20 * time.Second)
	r.net.Cut("alpha", "bravo")
	alpha.use()
	if _, err := alpha.m.Write("backups", 0); err != nil {
		t.Fatal(err)
	}
	r.net.SyncDelay = time.Hour
	r.net.Heal("alpha", "bravo")
	r.run(5 * time.Second)
	if d := bravo.volume("backups", 0).Disk; d != "Outdated" {
		t.Fatalf("bravo is %s\n%s", d, r.traces())
	}
	r.peerOf(alpha, "charlie", true)
	r.net.SyncDelay = 0
	r.run(20 * time.Second)
	if d := bravo.volume("backups", 0).Disk; d != "Outdated" || charlie.volume("backups", 0).Disk != model.DiskUpToDate {
		t.Fatalf("bravo is %s, charlie %s\n%s", d, charlie.volume("backups", 0).Disk, r.traces())
	}
	if w := bravo.of("backups").Within; w != "backups-on-alpha" {
		t.Fatalf("bravo is within %q\n%s", w, r.traces())
	}
	bravo.remove("backups", func(s *model.ResourceSpec) { s.HeldBy = "backups-on-alpha" })
	r.run(time.Minute)
	if !bravo.of("backups").Gone {
		t.Fatalf("bravo isn't gone: %+v\n%s", bravo.of("backups"), r.traces())
	}
}

// One is within its peer only once they were in sync, while nothing is written alone, and where it never had another: 8.4 lets in whoever
// calls.
func TestWithin(t *testing.T) {
	r, alpha, bravo, charlie := moved(t)
	r.run(10 * time.Second)
	for n, want := range map[*node]model.UUID{alpha: "backups-on-bravo", bravo: "", charlie: "backups-on-bravo"} {
		if got := n.of("backups").Within; got != want {
			t.Errorf("%s is within %q, not %q", n.name, got, want)
		}
	}
	r.net.Cut("bravo", "charlie")
	r.run(10 * time.Second)
	charlie.write()
	charlie.kill() // events don't tell of what is marked; whoever relies on it asks anew
	charlie.start()
	r.peerOf(alpha, "charlie", true) // they never meet: charlie waits for bravo elsewhere
	r.run(10 * time.Second)
	for _, n := range []*node{alpha, charlie} {
		if got := n.of("backups").Within; got != "" {
			t.Errorf("%s is within %q", n.name, got)
		}
	}
	r.net.Heal("bravo", "charlie")
	r.peerOf(alpha, "bravo", true)
	r.run(time.Minute)
	for n, want := range map[*node]model.UUID{alpha: "", charlie: "backups-on-bravo"} {
		if got := n.of("backups").Within; got != want {
			t.Errorf("%s is within %q, not %q\n%s", n.name, got, want, r.traces())
		}
	}
}

// Charlie knows who its peer is wherever its first steps are stopped.
func TestWithinAfterACrash(t *testing.T) {
	for _, power := range []bool{false, true} {
		for n := 1; n < 100; n++ {
			r := newRig(t, model.DRBD8, "alpha", "bravo", "charlie")
			alpha, bravo, charlie := r.nodes[0], r.nodes[1], r.nodes[2]
			stop := charlie.m.CrashAfter
			if power {
				stop = charlie.m.CutAfter
			}
			stop(n)
			r.deploy("backups", model.DRBD8, model.SeedSync, 1)
			r.peerOf(alpha, "bravo", true)
			r.peerOf(bravo, "alpha", true)
			r.peerOf(charlie, "bravo", true)
			r.run(10 * time.Second)
			stopped := charlie.revive()
			r.peerOf(bravo, "charlie", true)
			r.run(time.Minute)
			if w := charlie.of("backups").Within; w != "backups-on-bravo" {
				t.Errorf("power %v, after effect %d: charlie is within %q\n%s", power, n, w, r.traces())
			}
			if !stopped {
				if n < 5 {
					t.Errorf("only %d effects", n-1)
				}
				break
			}
		}
	}
}

// Bravo, which alpha could still call, is within charlie only once alpha is gone for certain.
func TestWithinOnceNobodyCalls(t *testing.T) {
	r, _, bravo, _ := moved(t)
	for _, x := range []struct {
		others []model.UUID
		want   model.UUID
	}{
		{nil, ""}, // an older controller doesn't say
		{[]model.UUID{"backups-on-alpha", "backups-on-charlie"}, ""},
		{[]model.UUID{"backups-on-charlie"}, "backups-on-charlie"},
	} {
		bravo.specs[0].DRBD.Others = x.others
		bravo.specs[0].Generation++
		r.run(10 * time.Second)
		if w := bravo.of("backups").Within; w != x.want {
			t.Errorf("with %q bravo is within %q, not %q\n%s", x.others, w, x.want, r.traces())
		}
	}
}

// write promotes the node's replica, writes once, and demotes it.
func (n *node) write() {
	n.r.t.Helper()
	n.use()
	if _, err := n.m.Write("backups", 0); err != nil {
		n.r.t.Fatal(err)
	}
	n.m.Close("backups", 0)
	if res, err := n.m.Run(ctx, cmd("drbdadm", "-c", cfg.configFile("backups"), "secondary", "backups")); err != nil || res.Exit != 0 {
		n.r.t.Fatal(res, err)
	}
}
