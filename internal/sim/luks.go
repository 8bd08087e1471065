package sim

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"

	"holdfast/internal/core"
	"holdfast/internal/model"
)

// encryption is what users do with encrypted volumes. It has a randomness of its own, and is in a third of the worlds.
type encryption struct {
	on     bool
	rng    *rand.Rand
	passes []string // master passphrases that were, or may be, in use
	volume int      // passphrases of volumes so far
}

func (e *encryption) init(seed uint64) {
	e.rng = rand.New(rand.NewPCG(seed, 0x4c554b53))
	e.on = e.rng.IntN(3) == 0
}

func (e *encryption) chance(percent int) bool { return e.on && e.rng.IntN(100) < percent }

// layers of a new definition; nil: as always.
func (w *world) layers() []model.LayerKind {
	switch e := &w.luks; {
	case !e.chance(50):
		return nil
	case e.chance(10):
		return []model.LayerKind{model.LayerLUKS, model.LayerStorage}
	}
	return []model.LayerKind{model.LayerDRBD, model.LayerLUKS, model.LayerStorage}
}

func (e *encryption) next() string {
	e.passes = append(e.passes, fmt.Sprintf("master %d", len(e.passes)))
	return e.passes[len(e.passes)-1]
}

func (e *encryption) known() string {
	if len(e.passes) == 0 || e.chance(5) {
		return "wrong"
	}
	return e.passes[len(e.passes)-1-e.rng.IntN(min(2, len(e.passes)))]
}

// passphrases is an act of a user.
func (w *world) passphrases() {
	e := &w.luks
	switch k := e.rng.IntN(10); {
	case k < 2 || len(e.passes) == 0:
		w.type_(core.PassphraseCreate{New: model.Secret(e.next())})
	case k < 6:
		w.type_(core.PassphraseEnter{Passphrase: model.Secret(e.known())})
	case k < 7:
		old := e.known()
		w.type_(core.PassphraseChange{Old: model.Secret(old), New: model.Secret(e.next())})
	default:
		e.volume++
		w.type_(core.VolumePassphrase{Definition: w.name(), Number: e.rng.IntN(2), New: model.Secret(fmt.Sprintf("volume %d", e.volume))})
	}
}

// unlock enters the passphrase when all is mended; who typed it may not have heard whether it counts, so all are tried.
func (w *world) unlock() {
	s := w.snapshot()
	if !w.luks.on || s == nil || s.Controller() == nil || !w.main.brain.Started() || s.Master() != nil {
		return
	}
	if s.Controller().Master == nil {
		w.type_(core.PassphraseCreate{New: model.Secret(w.luks.next())})
		return
	}
	for i := range w.luks.passes {
		w.type_(core.PassphraseEnter{Passphrase: model.Secret(w.luks.passes[len(w.luks.passes)-1-i])})
	}
}

// checkMappings: no encrypted device is open of which nobody knows, and no key is on disk.
func (w *world) checkMappings(n *node, labels map[string]bool) {
	for _, name := range n.m.Mappings() {
		if !labels[strings.TrimPrefix(name, "holdfast-")] {
			w.broken("I5", "the encrypted device %s is still open on %s", name, n.name)
		}
	}
	if bytes.Contains(n.memory(), []byte(`"keys"`)) {
		w.broken("I5", "the memory of %s has keys in it", n.name)
	}
}
