package satellite

import (
	"strings"
	"testing"
	"time"

	"holdfast/internal/model"
)

// encrypt makes the resource's volumes encrypted, with these keys; none: the controller is locked.
func (n *node) encrypt(name string, gen int, keys ...string) {
	for i := range n.specs {
		if n.specs[i].Name != name {
			continue
		}
		vols := append([]model.VolumeSpec(nil), n.specs[i].Volumes...)
		for j := range vols {
			l := &model.LUKSSpec{Gen: gen}
			for _, k := range keys {
				l.Keys = append(l.Keys, model.Secret(k))
			}
			if vols[j].LUKS == nil {
				vols[j].BackingKiB += model.LUKSHeaderKiB
			}
			vols[j].LUKS = l
		}
		n.specs[i].Volumes = vols
	}
}

func (n *node) locked() bool {
	st := n.of("backups")
	return st.Phase == model.Blocked && strings.Contains(st.Reason, "waits for its key")
}

// TestEncryptedUnderDRBD: made, and what becomes of it when the node boots, the satellite restarts, the key changes, and at its end.
func TestEncryptedUnderDRBD(t *testing.T) {
	r, alpha, bravo := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	alpha.encrypt("backups", 1, "one")
	bravo.encrypt("backups", 1, "one")
	r.run(20 * time.Second)
	r.upToDate("backups")
	label := alpha.specs[0].Volumes[0].ID
	if m := alpha.m.Mappings(); len(m) != 1 || m[0] != model.MappingName(label) {
		t.Fatalf("%v", m)
	}
	if l := alpha.volume("backups", 0).LUKS; l == nil || !l.Open || l.Gen != 1 {
		t.Errorf("%+v", l)
	}
	b, err := alpha.m.ReadFile(cfg.keptFile())
	if err != nil || strings.Contains(string(b), `"keys"`) || !strings.Contains(string(b), `"luks"`) {
		t.Errorf("what is kept on disk: %v %s", err, b)
	}
	for _, l := range alpha.m.Log() {
		if strings.HasPrefix(l, "$ ") && strings.Contains(l, "one") && !strings.Contains(l, "onerror") && strings.Contains(l, "cryptsetup") && !strings.Contains(l, "none") {
			t.Errorf("a key is in an argument: %s", l)
		}
	}

	// A boot without a controller: it waits for its key, and goes on waiting for a controller that is locked.
	alpha.cut()
	alpha.away = true
	alpha.boot()
	r.run(10 * time.Second)
	if p := alpha.a.replicas[alpha.specs[0].ID].status; p.Phase != model.Blocked || !strings.Contains(p.Reason, "waits for its key") {
		t.Fatalf("%+v\n%s", p, r.traces())
	}
	alpha.encrypt("backups", 1)
	alpha.away = false
	r.run(10 * time.Second)
	if !alpha.locked() {
		t.Fatalf("%+v", alpha.of("backups"))
	}
	alpha.encrypt("backups", 1, "one")
	r.run(15 * time.Second)
	r.upToDate("backups")

	// A restart of the satellite under a locked controller: what is open goes on.
	alpha.encrypt("backups", 1)
	alpha.kill()
	alpha.start()
	r.run(10 * time.Second)
	r.upToDate("backups")

	// Another key, that bravo hears of late.
	bravo.cut()
	for _, n := range r.nodes {
		n.encrypt("backups", 2, "two", "one")
	}
	r.run(10 * time.Second)
	if l := alpha.volume("backups", 0).LUKS; l == nil || l.Gen != 2 {
		t.Fatalf("%+v\n%s", l, r.traces())
	}
	bravo.boot()
	r.run(15 * time.Second)
	r.upToDate("backups")
	for _, n := range r.nodes {
		n.encrypt("backups", 2, "two")
	}
	alpha.cut()
	alpha.boot()
	r.run(15 * time.Second)
	r.upToDate("backups")

	// A wrong one is said, and nothing is formatted.
	alpha.cut()
	alpha.encrypt("backups", 3, "three")
	alpha.boot()
	r.run(15 * time.Second)
	if st := alpha.of("backups"); st.Phase != model.Failed || !strings.Contains(st.Reason, "none of the keys") || !alpha.volume("backups", 0).LUKS.WrongKey {
		t.Fatalf("%+v", st)
	}
	alpha.encrypt("backups", 2, "two")
	r.run(60 * time.Second)
	r.upToDate("backups")

	for _, n := range r.nodes {
		n.remove("backups", whole)
	}
	r.run(15 * time.Second)
	for _, n := range r.nodes {
		n.nothingLeft()
		if m := n.m.Mappings(); len(m) > 0 {
			t.Errorf("%s: %v is still open", n.name, m)
		}
	}
}

// TestEncryptedAlone: nobody gets the device before the controller has noted that it mustn't be formatted again.
func TestEncryptedAlone(t *testing.T) {
	r := newRig(t, model.DRBD8, "alpha")
	alpha := r.nodes[0]
	r.deploy("backups", model.DRBD8, model.NoSeed, 1)
	alpha.specs[0].DRBD = nil
	alpha.encrypt("backups", 1, "one")
	label := alpha.specs[0].Volumes[0].ID
	for n := 1; n < 8; n++ { // and however often it dies meanwhile
		alpha.m.CrashAfter(n)
		r.run(5 * time.Second)
		if alpha.m.CrashAfter(0); !alpha.m.Running() {
			alpha.kill()
			alpha.start()
		}
	}
	r.run(15 * time.Second)
	if v := alpha.volume("backups", 0); v.Device != model.MappingPath(label) || v.Disk != model.DiskCreated || !v.MDReady || !alpha.specs[0].Volumes[0].Initialised {
		t.Fatalf("%+v\n%s", v, r.traces())
	}
	formats := func() (n int) {
		for _, l := range alpha.m.Log() {
			if strings.HasPrefix(l, "$ cryptsetup -q luksFormat") {
				n++
			}
		}
		return n
	}
	before := formats()
	if before == 0 {
		t.Fatal("it was never formatted")
	}
	alpha.cut()
	alpha.boot()
	r.run(15 * time.Second)
	if v := alpha.volume("backups", 0); v.Device == "" || formats() != before {
		t.Fatalf("%+v, formatted %d times, then %d", v, before, formats())
	}
}

// TestEncryptedStaysSo: a controller that doesn't know of encryption doesn't get plain text written.
func TestEncryptedStaysSo(t *testing.T) {
	r, alpha, bravo := pair(t)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	alpha.encrypt("backups", 1, "one")
	bravo.encrypt("backups", 1, "one")
	r.run(20 * time.Second)
	r.upToDate("backups")
	alpha.specs[0].Generation++
	vols := append([]model.VolumeSpec(nil), alpha.specs[0].Volumes...)
	vols[0].LUKS = nil
	alpha.specs[0].Volumes = vols
	alpha.cut()
	alpha.boot()
	r.run(15 * time.Second)
	if !alpha.locked() {
		t.Fatalf("%+v\n%s", alpha.of("backups"), r.traces())
	}
}
