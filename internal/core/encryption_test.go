package core_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan/nodestate"
)

var encrypted = []model.LayerKind{model.LayerDRBD, model.LayerLUKS, model.LayerStorage}

func (w *world) encrypts(node string) {
	seen := *w.tx.Snapshot().Node(node).Seen
	seen.Layers = append(slices.Clone(seen.Layers), model.LayerLUKS)
	w.tx.SeeNode(node, &seen)
}

func (w *world) luks(node, def string) *model.LUKSSpec {
	w.t.Helper()
	s := nodestate.Resources(w.tx.Snapshot(), w.def(def), node)
	if len(s) != 1 || len(s[0].Volumes) != 1 || s[0].Volumes[0].LUKS == nil {
		w.t.Fatalf("node %s is told %+v", node, s)
	}
	return s[0].Volumes[0].LUKS
}

// TestPassphrase: created once, changed with the old one, entered after a restart; wrong ones change nothing.
func TestPassphrase(t *testing.T) {
	w := newWorld(t)
	w.node("alpha", model.DRBD8, 1<<20)
	w.node("bravo", model.DRBD8, 1<<20)
	w.do(core.DefinitionCreate{Name: "web", Layers: encrypted})
	w.refused(fault.NotFound, core.VolumeCreate{Definition: "web", SizeKiB: 8192})
	w.refused(fault.NotFound, core.PassphraseEnter{Passphrase: model.Secret("one")})
	w.refused(fault.Invalid, core.PassphraseCreate{})
	w.refused(fault.Invalid, core.PassphraseCreate{New: model.Secret("two\nlines")})
	w.do(core.PassphraseCreate{New: model.Secret("one")})
	w.refused(fault.Exists, core.PassphraseCreate{New: model.Secret("two")})
	w.do(core.VolumeCreate{Definition: "web", SizeKiB: 8192})
	w.refused(fault.Unsupported, core.ResourceCreate{Definition: "web", On: []core.ResourceOn{{Node: "alpha"}}})
	w.encrypts("alpha")
	w.do(core.ResourceCreate{Definition: "web", On: []core.ResourceOn{{Node: "alpha"}}})
	if _, err := w.try(core.Autoplace{Definition: "web", Filter: model.SelectFilter{PlaceCount: 2}}); !fault.Is(err, fault.NotEnoughNodes) || !bytes.Contains([]byte(fault.Of(err).Details), []byte("bravo: it has no LUKS")) {
		t.Fatalf("placed on a node without LUKS: %v", err)
	}
	key := w.luks("alpha", "web").Keys[0]
	if text := fmt.Sprintf("%v %+v %s %x", key, w.luks("alpha", "web"), key, key); bytes.Contains([]byte(text), key) {
		t.Fatal("a key is printed:", text)
	}

	w.tx.Unlock(nil) // as after a restart
	if got := w.luks("alpha", "web"); got.Keys != nil || got.Gen != 1 {
		t.Fatalf("locked, and yet it says %d keys", len(got.Keys))
	}
	w.refused(fault.NotFound, core.VolumeCreate{Definition: "web", SizeKiB: 8192})
	w.refused(fault.Invalid, core.PassphraseEnter{Passphrase: model.Secret("two")})
	w.refused(fault.Invalid, core.PassphraseChange{Old: model.Secret("two"), New: model.Secret("three")})
	before := w.tx.Snapshot().Definition("web").Volumes[0].Keys
	w.do(core.PassphraseChange{Old: model.Secret("one"), New: model.Secret("two")})
	if w.def("web").Volumes[0].Keys != before {
		t.Error("a new passphrase encrypts volumes' keys anew")
	}
	w.tx.Unlock(nil)
	w.refused(fault.Invalid, core.PassphraseEnter{Passphrase: model.Secret("one")})
	w.do(core.PassphraseEnter{Passphrase: model.Secret("two")})
	if !bytes.Equal(w.luks("alpha", "web").Keys[0], key) {
		t.Fatal("the volume's key is another one")
	}
}

// TestVolumePassphrase: the old key stays until each replica says that the new one opens it.
func TestVolumePassphrase(t *testing.T) {
	w := newWorld(t)
	w.node("alpha", model.DRBD8, 1<<20)
	w.node("bravo", model.DRBD8, 1<<20)
	w.encrypts("alpha")
	w.encrypts("bravo")
	w.do(core.PassphraseCreate{New: model.Secret("one")})
	w.do(core.DefinitionCreate{Name: "plain"})
	w.refused(fault.Invalid, core.VolumeCreate{Definition: "plain", SizeKiB: 8192, Passphrase: model.Secret("x")})
	w.refused(fault.Refused, core.VolumeGroupPut{Group: model.DefaultGroup, Create: true, Override: map[string]string{"Encryption/Passphrase": "x"}})
	w.do(core.DefinitionCreate{Name: "web", Layers: encrypted})
	w.do(core.VolumeCreate{Definition: "web", SizeKiB: 8192, Props: map[string]string{"Encryption/Passphrase": "mine"}})
	if p := w.def("web").Volumes[0].Props; len(p) != 0 {
		t.Fatal("the passphrase is among the properties", p)
	}
	w.do(core.VolumePassphrase{Definition: "web", New: model.Secret("ours")})
	if k := w.def("web").Volumes[0].Keys; len(k.Keys) != 1 || k.Gen != 2 {
		t.Fatalf("nobody has the old key, and yet: %+v", k)
	}
	w.do(core.ResourceCreate{Definition: "web", On: []core.ResourceOn{{Node: "alpha"}, {Node: "bravo"}}})
	if got, want := nodestate.Resources(w.tx.Snapshot(), w.def("web"), "alpha")[0].Volumes[0].BackingKiB, int64(8192+16384+4096); got != want {
		t.Errorf("%d KiB are asked for, want %d", got, want)
	}
	if w.def("web").Volumes[0].SkipSync {
		t.Error("the first sync is skipped though new keys make noise")
	}
	opens := func(gen int) func(*model.ResourceStatus) {
		return func(st *model.ResourceStatus) { st.Volumes[0].LUKS = &model.LUKSStatus{Open: true, Gen: gen} }
	}
	w.see("alpha", "web", model.DiskUpToDate, opens(2))
	w.see("bravo", "web", model.DiskUpToDate, opens(2))
	w.do(core.VolumePassphrase{Definition: "web", New: model.Secret("theirs")})
	k := w.luks("alpha", "web")
	if len(k.Keys) != 2 || string(k.Keys[0]) != "theirs" || string(k.Keys[1]) != "ours" || !k.Typed {
		t.Fatalf("alpha is told %d keys", len(k.Keys))
	}
	w.see("alpha", "web", model.DiskUpToDate, opens(3))
	if n := len(w.luks("bravo", "web").Keys); n != 2 {
		t.Fatalf("bravo still has the old key, and is told %d", n)
	}
	w.see("bravo", "web", model.DiskUpToDate, opens(3))
	if n := len(w.luks("bravo", "web").Keys); n != 1 {
		t.Fatalf("both have the new key, and %d are kept", n)
	}
}
