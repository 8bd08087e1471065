package sim

import (
	"maps"
	"slices"
	"strings"

	"holdfast/internal/controller"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// command is a user's, on its way. It watches what the real one does.
type command struct {
	ctl      *ctl
	inner    core.Command
	text     string
	ticket   *controller.Ticket
	answered bool
	async    bool
	sent     int64 // ms
	effects  []effect
	forgive  []model.UUID // volume definitions whose data the user gave up
}

// effect on the map of names: a name comes, or it goes with all that is below it.
type effect struct {
	name string
	gone bool
}

// Apply implements core.Command.
func (k *command) Apply(tx *state.Tx, env core.Env) (core.Reply, error) {
	before := tx.Fork().Snapshot()
	run := k.inner.Apply
	if k.ctl.w.cfg.Break == PlacedOutside && places(k.inner) {
		run = k.outside
	}
	reply, err := run(tx, env)
	if err != nil {
		return reply, err
	}
	k.effects, k.forgive = effects(k.inner, before, tx.Snapshot())
	k.ctl.applied = append(k.ctl.applied, k)
	return reply, nil
}

// lost: the process that had it is gone.
func (k *command) lost() {
	if !k.answered {
		k.answered = true
		k.ctl.w.logf("nobody answers: %s", k.text)
	}
}

// refused tells whether the answer was an error.
func (k *command) refused() bool {
	if k.ticket == nil || !k.ticket.Done() {
		return false
	}
	_, err := k.ticket.Result()
	return err != nil
}

// unknown tells whether the answer was that nobody knows.
func (k *command) unknown() bool {
	if k.ticket == nil || !k.ticket.Done() {
		return false
	}
	_, err := k.ticket.Result()
	return fault.Is(err, fault.OutcomeUnknown)
}

func nodeName(n string) string       { return "node " + model.Key(n) }
func poolOf(n, p string) string      { return "pool " + model.Key(n) + "/" + model.Key(p) }
func defName(d string) string        { return "def " + model.Key(d) }
func volName(d string, n int) string { return "vol " + model.Key(d) + "/" + string(rune('0'+n)) }
func repName(d, n string) string     { return "rep " + model.Key(d) + "/" + model.Key(n) }
func live(d *state.Definition) bool  { return d != nil && !d.Deleting }
func volIDs(d *state.Definition) (ids []model.UUID) {
	for _, v := range d.Volumes {
		ids = append(ids, v.UUID)
	}
	return ids
}

// effects of an accepted command, said in the simplest way: by its words, not by what it did. Only what a command may
// choose (where replicas go, which number a volume gets) is taken from its result.
func effects(c core.Command, before, after *state.Snapshot) (out []effect, forgive []model.UUID) {
	come := func(n string) { out = append(out, effect{name: n}) }
	go_ := func(n string) { out = append(out, effect{n, true}) }
	switch c := c.(type) {
	case core.NodeCreate:
		come(nodeName(c.Name))
	case core.NodeDelete:
		go_(nodeName(c.Name))
	case core.NodeLost:
		go_(nodeName(c.Name))
		before.OnNode(c.Name, func(d *state.Definition) bool {
			if live(d) {
				go_(repName(d.Name, c.Name))
				if slices.ContainsFunc(c.Lose, func(l string) bool { return model.Key(l) == model.Key(d.Name) }) {
					forgive = append(forgive, volIDs(d)...)
				}
			}
			return true
		})
	case core.PoolCreate:
		come(poolOf(c.Node, c.Name))
	case core.PoolDelete:
		go_(poolOf(c.Node, c.Name))
	case core.DefinitionCreate:
		come(defName(c.Name))
	case core.DefinitionDelete:
		if d := before.Definition(c.Name); live(d) {
			go_(defName(c.Name))
			forgive = volIDs(d)
		}
	case core.VolumeCreate:
		d := after.Definition(c.Definition)
		for _, v := range d.Volumes {
			if old := before.Definition(c.Definition).Volume(v.Number); old == nil {
				come(volName(c.Definition, v.Number))
			}
		}
	case core.DefinitionClone:
		d := after.Definition(c.Name)
		come(defName(c.Name))
		for _, v := range d.Volumes {
			come(volName(c.Name, v.Number))
		}
		for _, r := range d.Resources {
			come(repName(c.Name, r.Node))
		}
	case core.SnapshotRestoreVolumes:
		for _, v := range after.Definition(c.To).Volumes {
			if !v.Deleting {
				come(volName(c.To, v.Number))
			}
		}
	case core.SnapshotRestoreResources:
		for _, r := range after.Definition(c.To).Resources {
			if !r.Deleting {
				come(repName(c.To, r.Node))
			}
		}
	case core.VolumeDelete:
		if d := before.Definition(c.Definition); live(d) && d.Volume(c.Number) != nil {
			go_(volName(c.Definition, c.Number))
			forgive = []model.UUID{d.Volume(c.Number).UUID}
		}
	case core.Spawn:
		come(defName(c.Name))
		d := after.Definition(c.Name)
		for _, v := range d.Volumes {
			come(volName(c.Name, v.Number))
		}
		for _, r := range d.Resources {
			come(repName(c.Name, r.Node))
		}
	case core.ToggleDisk:
		if !c.Diskless { // of a tie-breaker
			come(repName(c.Definition, c.Node))
		}
	case core.MakeAvailable:
		come(repName(c.Definition, c.Node))
	case core.ResourceCreate:
		for _, on := range c.On {
			come(repName(c.Definition, on.Node))
		}
	case core.Autoplace:
		b, a := before.Definition(c.Definition), after.Definition(c.Definition)
		for _, r := range a.Resources {
			if old := b.Replica(r.UUID); old == nil {
				come(repName(c.Definition, r.Node))
			}
		}
	case core.ResourceDelete:
		d := before.Definition(c.Definition)
		if !live(d) {
			break
		}
		r := d.On(c.Node)
		if r == nil || r.Deleting && len(c.Lose) == 0 {
			break
		}
		go_(repName(c.Definition, c.Node))
		others := 0
		for _, o := range d.Resources {
			if o.UUID != r.UUID && !o.Deleting && !o.Diskless {
				others++
			}
		}
		if len(c.Lose) > 0 || others == 0 && !r.Diskless {
			forgive = volIDs(d)
		}
	}
	return out, forgive
}

// naive is the map of names that accepted commands make.
type naive struct {
	have  map[string]bool
	loose map[string]bool // definitions whose replicas move by themselves
	maybe []*command      // stored or not, nobody knows yet
}

func below(name string) []string {
	kind, rest, _ := strings.Cut(name, " ")
	switch kind {
	case "node":
		return []string{"pool " + rest + "/"}
	case "def":
		return []string{"vol " + rest + "/", "rep " + rest + "/"}
	}
	return nil
}

func apply(have map[string]bool, all []*command) map[string]bool {
	have = maps.Clone(have)
	for _, k := range all {
		for _, e := range k.effects {
			if !e.gone {
				have[e.name] = true
				continue
			}
			delete(have, e.name)
			for _, pre := range below(e.name) {
				maps.DeleteFunc(have, func(n string, _ bool) bool { return strings.HasPrefix(n, pre) })
			}
		}
	}
	return have
}

// settle ends a batch: accepted, or refused, or nobody knows.
func (n *naive) settle(w *world, all []*command, err error) {
	all = slices.DeleteFunc(all, func(k *command) bool { return k.refused() && !k.unknown() })
	n.loosen(all)
	w.oracle.lostNodes(all)
	if err == nil {
		n.have = apply(n.have, all)
		w.oracle.forgive(all)
		return
	}
	n.maybe = nil
	for _, k := range all {
		if k.unknown() {
			n.maybe = append(n.maybe, k)
		}
	}
	w.oracle.forgive(n.maybe)
}

// crashed: the batch under way is in the store or not.
func (n *naive) crashed(w *world, all []*command) {
	n.maybe = append(n.maybe, all...)
	n.loosen(all)
	w.oracle.lostNodes(all)
	w.oracle.forgive(all)
}

// found says what the store held after all.
func (n *naive) found(s *state.Snapshot) {
	if with := apply(n.have, n.maybe); maps.Equal(n.tight(with), n.tight(names(s))) {
		n.have = with
	}
	n.maybe = nil
}

// names of a snapshot.
func names(s *state.Snapshot) map[string]bool {
	out := map[string]bool{}
	s.Nodes(func(x *state.Node) bool {
		out[nodeName(x.Name)] = true
		for _, p := range x.Pools {
			if p.Kind != model.Diskless {
				out[poolOf(x.Name, p.Name)] = true
			}
		}
		return true
	})
	s.Definitions(func(d *state.Definition) bool {
		if d.Deleting {
			return true
		}
		out[defName(d.Name)] = true
		for _, v := range d.Volumes {
			if !v.Deleting {
				out[volName(d.Name, v.Number)] = true
			}
		}
		for _, r := range d.Resources {
			if !r.Deleting && !r.TieBreaker { // that one comes and goes by itself
				out[repName(d.Name, r.Node)] = true
			}
		}
		return true
	})
	return out
}

// checkNames compares with the published state.
func (w *world) checkNames(s *state.Snapshot) {
	have, want := names(s), w.oracle.names.have
	if maps.Equal(have, want) {
		return
	}
	var more, less []string
	for n := range have {
		if !want[n] {
			more = append(more, n)
		}
	}
	for n := range want {
		if !have[n] {
			less = append(less, n)
		}
	}
	tight := func(n string) bool { return !isLoose(w.oracle.names.loose, n) }
	if !slices.ContainsFunc(more, tight) && !slices.ContainsFunc(less, tight) {
		return
	}
	slices.Sort(more)
	slices.Sort(less)
	w.broken("I4", "the published state isn't what the accepted commands make: too much %q, missing %q", more, less)
}

func (n *naive) loosen(all []*command) {
	for _, k := range all {
		if def := loosens(k.inner); def != "" {
			if n.loose == nil {
				n.loose = map[string]bool{}
			}
			n.loose[model.Key(def)] = true
		}
	}
}

// tight are the names that no rule changes.
func (n *naive) tight(have map[string]bool) map[string]bool {
	out := maps.Clone(have)
	maps.DeleteFunc(out, func(name string, _ bool) bool { return isLoose(n.loose, name) })
	return out
}
