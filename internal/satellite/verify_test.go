package satellite

import (
	"strings"
	"testing"
	"time"

	"holdfast/internal/model"
)

// verify tells the first node to compare.
func (r *rig) verify(id model.UUID) {
	for i, n := range r.nodes {
		n.change("backups", func(s *model.ResourceSpec, _ *model.VolumeSpec) {
			s.DRBD.Options = map[string]map[string]string{"Net": {"verify-alg": model.VerifyAlg}}
			s.Verify = ""
			if i == 0 {
				s.Verify = id
			}
		})
	}
}

func (r *rig) verifyIs(want model.VerifyPhase, reason string) model.VerifyProgress {
	r.t.Helper()
	got := r.nodes[0].of("backups").Verify
	if got.State != want || !strings.Contains(got.Reason, reason) {
		r.t.Fatalf("verify is %+v, want %d %q\n%s", got, want, reason, r.traces())
	}
	return got
}

func deployed(t *testing.T, gen model.DRBDGeneration, names ...string) *rig {
	r := newRig(t, gen, names...)
	r.deploy("backups", gen, model.SeedSync, 1)
	r.run(10 * time.Second)
	r.upToDate("backups")
	r.net.RateKiB = 16 << 10 // 64 MiB take four seconds
	return r
}

// A block that rotted is found and reported, nothing is copied, and the same order doesn't compare twice.
func TestVerifyFindsWhatDiffers(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		r := deployed(t, gen, "alpha", "bravo")
		if !r.nodes[1].m.Rot(r.nodes[1].volume("backups", 0).Backing) {
			t.Fatal("nothing rotted")
		}
		r.verify("v1")
		r.run(2 * time.Second)
		r.verifyIs(model.VerifyBegun, "")
		if st := r.nodes[0].of("backups"); st.Phase != model.Done || st.Peers[0].Volumes[0].Replication != "VerifyS" {
			t.Fatalf("while it runs: %+v", st)
		}
		r.run(10 * time.Second)
		r.verifyIs(model.VerifyEnded, "")
		if kib := r.nodes[0].of("backups").Peers[0].Volumes[0].OutOfSyncKiB; kib != 4 {
			t.Fatalf("%d KiB differ, want 4", kib)
		}
		begun := strings.Count(r.traces(), "verify backups")
		r.run(5 * time.Second)
		if n := strings.Count(r.traces(), "verify backups"); n != begun {
			t.Errorf("it was begun %d times, then %d", begun, n)
		}
		r.upToDate("backups")
	}
}

// A connection that is lost breaks it off, which is said; a new order waits for the peer, then compares.
func TestVerifyBrokenOff(t *testing.T) {
	r := deployed(t, model.DRBD9, "alpha", "bravo", "charlie")
	r.verify("v1")
	r.run(2 * time.Second)
	r.verifyIs(model.VerifyBegun, "")
	r.net.Cut("alpha", "charlie")
	r.run(2 * time.Second)
	r.verifyIs(model.VerifyBroken, "the connection to charlie was lost")
	r.verify("v2")
	r.run(2 * time.Second)
	r.verifyIs(model.VerifyWaits, "the connection to charlie is Connecting")
	r.net.Heal("alpha", "charlie")
	r.run(15 * time.Second)
	if got := r.verifyIs(model.VerifyEnded, ""); got.ID != "v2" {
		t.Errorf("%+v", got)
	}
}

// A satellite that is started anew takes up the verify that DRBD goes on with.
func TestVerifyOutlivesTheSatellite(t *testing.T) {
	r := deployed(t, model.DRBD9, "alpha", "bravo")
	r.verify("v1")
	r.run(2 * time.Second)
	r.nodes[0].kill()
	r.nodes[0].start()
	r.run(time.Second)
	r.verifyIs(model.VerifyBegun, "")
	r.run(10 * time.Second)
	r.verifyIs(model.VerifyEnded, "")
	if n := strings.Count(strings.Join(r.nodes[0].m.LogSince(0), "\n"), " verify backups"); n != 1 {
		t.Errorf("begun %d times: %q", n, r.nodes[0].m.LogSince(0))
	}
}

// DRBD that refuses is the verify's trouble, not the replica's.
func TestVerifyRefused(t *testing.T) {
	r := deployed(t, model.DRBD9, "alpha", "bravo")
	r.nodes[0].change("backups", func(s *model.ResourceSpec, _ *model.VolumeSpec) { s.Verify = "v1" }) // no verify-alg
	r.run(3 * time.Second)
	r.verifyIs(model.VerifyBroken, "VERIFYAlgNotAvail")
	if st := r.nodes[0].of("backups"); st.Phase != model.Done {
		t.Errorf("%+v", st)
	}
}

// A disk that is lost in the midst of it ends the kernel's comparing: that was no verify.
func TestVerifyLosesADisk(t *testing.T) {
	for who, want := range []string{"volume 0 became Diskless here", "has none"} {
		r := deployed(t, model.DRBD9, "alpha", "bravo", "charlie")
		r.verify("v1")
		r.run(2 * time.Second)
		r.verifyIs(model.VerifyBegun, "")
		n := r.nodes[2*who]
		n.m.Fail("drbdadm adjust", 1000)
		if res, err := n.m.Run(ctx, cmd("drbdadm", "-c", cfg.configFile("backups"), "detach", "backups")); err != nil || res.Exit != 0 {
			t.Fatal(res, err)
		}
		r.run(10 * time.Second)
		r.verifyIs(model.VerifyBroken, want)
	}
}

// What holds the replica up holds its verify up, and is its reason.
func TestVerifyWaitsForOtherWork(t *testing.T) {
	r := deployed(t, model.DRBD9, "alpha", "bravo")
	alpha := r.nodes[0]
	alpha.m.Fail("drbdadm", 1000)
	r.verify("v1") // a new digest in the config
	r.run(5 * time.Second)
	st := alpha.of("backups")
	if st.Reason == "" || st.Phase != model.Failed {
		t.Fatalf("%+v", st)
	}
	r.verifyIs(model.VerifyWaits, st.Reason)
	alpha.m.Fail("drbdadm", 0)
	r.run(time.Minute)
	r.verifyIs(model.VerifyEnded, "")
}
