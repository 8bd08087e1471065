package satellite

import (
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/model"
)

// peerOf tells a node who its one peer is.
func (r *rig) peerOf(n *node, peer string, stays bool) {
	i := slices.IndexFunc(r.nodes, func(x *node) bool { return x.name == peer })
	for k := range n.specs {
		d := *n.specs[k].DRBD
		d.Peers = []model.PeerSpec{{Node: peer, ID: model.UUID("backups-on-" + peer), NodeID: i, Address: address(i).String(), Port: 7000, Stays: stays}}
		n.specs[k].DRBD = &d
		n.specs[k].Generation++
	}
}

// pairAnd is alpha and bravo, each other's peers, and charlie, who is told that his is another.
func pairAnd(t *testing.T, peer string) (r *rig, alpha, bravo, charlie *node) {
	r = newRig(t, model.DRBD8, "alpha", "bravo", "charlie")
	alpha, bravo, charlie = r.nodes[0], r.nodes[1], r.nodes[2]
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.peerOf(alpha, "bravo", true)
	r.peerOf(bravo, "alpha", true)
	r.peerOf(charlie, peer, true)
	return r, alpha, bravo, charlie
}

// moved is bravo with charlie in alpha's place, and alpha still there.
func moved(t *testing.T) (r *rig, alpha, bravo, charlie *node) {
	r, alpha, bravo, charlie = pairAnd(t, "bravo")
	r.run(10 * time.Second)
	r.peerOf(bravo, "charlie", true)
	r.run(20 * time.Second)
	if st := bravo.of("backups"); st.Phase != model.Done || st.Peers[0].State != model.Connected || charlie.volume("backups", 0).Disk != model.DiskUpToDate {
		t.Fatalf("%+v\n%s", st, r.traces())
	}
	return r, alpha, bravo, charlie
}

// What is written while a peer is exchanged for one that goes reaches it when it returns, wherever that is stopped.
func TestPeerReturns(t *testing.T) {
	for _, power := range []bool{false, true} {
		for n := 0; n < 100; n++ {
			r, _, bravo, charlie := moved(t)
			r.peerOf(bravo, "alpha", false)
			r.run(10 * time.Second)
			if st := bravo.of("backups"); st.Peers[0].Node != "alpha" || st.Peers[0].State != model.Connected {
				t.Fatalf("alpha isn't seen: %+v", st)
			}
			bravo.use()
			id, err := bravo.m.Write("backups", 0)
			if err != nil {
				t.Fatal(err)
			}
			if charlie.m.Readable("backups", 0, id) {
				t.Fatal("the model tells charlie by itself")
			}
			stop := bravo.m.CrashAfter
			if power {
				stop = bravo.m.CutAfter
			}
			stop(n)
			r.peerOf(bravo, "charlie", true)
			r.run(10 * time.Second)
			stopped := bravo.revive()
			r.run(2 * time.Minute)
			if st := bravo.of("backups"); st.Phase != model.Done || st.Peers[0].State != model.Connected {
				t.Fatalf("power %v, after effect %d: %+v\n%s", power, n, st, r.traces())
			}
			if !charlie.m.Readable("backups", 0, id) {
				t.Fatalf("power %v, after effect %d: charlie lacks the write\n%s", power, n, r.traces())
			}
			if n > 0 && !stopped {
				if n < 8 {
					t.Errorf("only %d effects", n-1)
				}
				break
			}
		}
	}
}

// Where nothing was written, nothing is copied.
func TestPeerReturnsUnchanged(t *testing.T) {
	r, _, bravo, charlie := moved(t)
	r.peerOf(bravo, "alpha", false)
	r.run(10 * time.Second)
	r.peerOf(bravo, "charlie", true)
	r.run(10 * time.Second)
	if st := bravo.of("backups"); st.Phase != model.Done || st.Peers[0].Node != "charlie" || st.Peers[0].State != model.Connected {
		t.Fatalf("%+v", st)
	}
	if log := strings.Join(bravo.m.LogSince(0), "\n"); strings.Contains(log, "new-current-uuid backups") {
		t.Errorf("its data were renamed: %s", log)
	}
	if n := strings.Count(strings.Join(charlie.m.LogSince(0), "\n"), "synced backups"); n != 1 {
		t.Errorf("charlie was synced %d times", n)
	}
}

// Bravo is in the midst of syncing charlie when alpha, its peer before, is to return. What is written then, alone, isn't lost,
// whatever alpha did meanwhile: the two refuse each other at worst.
func TestPeerReturnsInTheMidstOfASync(t *testing.T) {
	for name, unsure := range map[string]bool{"alpha knows that it wrote nothing": false, "alpha was restarted": true} {
		r := newRig(t, model.DRBD8, "alpha", "bravo", "charlie")
		alpha, bravo, charlie := r.nodes[0], r.nodes[1], r.nodes[2]
		r.deploy("backups", model.DRBD8, model.SeedSync, 1)
		r.peerOf(alpha, "bravo", true)
		r.peerOf(bravo, "alpha", true)
		r.peerOf(charlie, "bravo", true)
		r.run(10 * time.Second)
		r.net.RateKiB = 16
		r.net.Cut("alpha", "bravo")
		r.peerOf(bravo, "charlie", true)
		r.peerOf(alpha, "charlie", false)
		r.run(10 * time.Second)
		if st := bravo.of("backups"); st.Peers[0].Node != "charlie" || st.Peers[0].State != model.Connected || charlie.volume("backups", 0).Disk != model.DiskInconsistent {
			t.Fatalf("charlie isn't being synced: %+v\n%s", st, r.traces())
		}
		r.peerOf(bravo, "alpha", true)
		r.run(10 * time.Second)
		bravo.use()
		id, err := bravo.m.Write("backups", 0)
		if err != nil {
			t.Fatal(err)
		}
		bravo.m.Close("backups", 0)
		if res, err := bravo.m.Run(ctx, cmd("drbdadm", "-c", cfg.configFile("backups"), "secondary", "backups")); err != nil || res.Exit != 0 {
			t.Fatal(res, err)
		}
		if unsure {
			alpha.cut()
			alpha.boot()
		}
		r.peerOf(alpha, "bravo", true)
		r.run(10 * time.Second)
		r.net.RateKiB = 1 << 20
		r.net.Heal("alpha", "bravo")
		r.run(time.Minute)
		if !bravo.m.Readable("backups", 0, id) {
			t.Errorf("%s: the write is gone\n%s", name, r.traces())
		}
		if !unsure && (!alpha.m.Readable("backups", 0, id) || alpha.of("backups").Phase != model.Done) {
			t.Errorf("%s: alpha lacks the write\n%s", name, r.traces())
		}
	}
}

// Alpha and charlie were written to since bravo left alpha. Bravo is to go, and doesn't know whether it was written to itself
// when it sees alpha again: its data don't take the place of alpha's.
func TestWhoGoesOverwritesNobody(t *testing.T) {
	r, alpha, bravo, charlie := pairAnd(t, "alpha")
	r.run(10 * time.Second)
	r.peerOf(alpha, "charlie", true)
	r.peerOf(bravo, "charlie", true)
	r.run(20 * time.Second)
	alpha.use()
	id, err := alpha.m.Write("backups", 0)
	if err != nil {
		t.Fatal(err)
	}
	if !charlie.m.Readable("backups", 0, id) || bravo.m.Readable("backups", 0, id) {
		t.Fatalf("it isn't alpha and charlie that are connected\n%s", r.traces())
	}
	alpha.m.Close("backups", 0)
	if res, err := alpha.m.Run(ctx, cmd("drbdadm", "-c", cfg.configFile("backups"), "secondary", "backups")); err != nil || res.Exit != 0 {
		t.Fatal(res, err)
	}
	bravo.remove("backups", nil)
	bravo.cut()
	bravo.boot()
	r.run(10 * time.Second)
	r.peerOf(alpha, "bravo", false)
	r.peerOf(bravo, "alpha", true)
	r.run(time.Minute)
	if !alpha.m.Readable("backups", 0, id) {
		t.Errorf("alpha lost the write\n%s", r.traces())
	}
	if !bravo.of("backups").Gone {
		t.Errorf("bravo isn't gone: %+v", bravo.of("backups"))
	}
}
