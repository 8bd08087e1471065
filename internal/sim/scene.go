package sim

import (
	"fmt"
	"slices"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/sim/machine"
	"holdfast/internal/state"
)

// Cut is a death in the middle of an operation.
type Cut struct {
	Who   string // "controller", or a node; "": nobody dies
	Power bool   // of a node: its power goes, not only its satellite
	At    int    // which of the controller's steps, or of the effects that the node's satellite has on its machine, is the last; from 1
}

func (c Cut) String() string {
	switch {
	case c.Who == "":
		return "nobody dies"
	case c.Power:
		return fmt.Sprintf("%s loses power after effect %d", c.Who, c.At)
	case c.Who == ctlDeath:
		return fmt.Sprintf("the controller dies after step %d", c.At)
	}
	return fmt.Sprintf("the satellite on %s dies after effect %d", c.Who, c.At)
}

const ctlDeath = "controller"

// Scene is one cell of the crash matrix: an operation, on DRBD 8 or 9, and a cut.
type Scene struct {
	Operation string
	DRBD      int // 8 or 9
	Cut       Cut
	Seed      uint64 // order of what happens at the same time
}

func (s Scene) String() string {
	return fmt.Sprintf("%s, DRBD %d, seed %d, %s", s.Operation, s.DRBD, s.Seed, s.Cut)
}

// scene plays a Scene.
type scene struct {
	Scene
	op     operation
	length map[string]int // how many steps and effects the operation has, by who may die
	// programs that jobs of replicas ran for the operation, on all nodes; if nobody dies
	programs int
}

// undisturbed tells whether a scene is played in which nobody dies: its user doesn't hang up, either, before he has his answer.
func (c Config) undisturbed() bool { return c.scene != nil && c.scene.Cut.Who == "" }

// PlayScene plays one cell of the crash matrix: three nodes with thin pools, a volume on two of them with data, an operation,
// a death in it. Then all is mended, the user types again what wasn't done, everything must become as desired, and every
// acknowledged write be readable on each replica. It gives the first broken invariant, and how many places there were to cut,
// by who may die.
func PlayScene(s Scene, cfg Config) (Played, map[string]int) {
	i := slices.IndexFunc(operations, func(o operation) bool { return o.name == s.Operation })
	if i < 0 || !operations[i].on(s.DRBD) {
		return Played{Failure: &Failure{Seed: s.Seed, Invariant: "scene", Text: fmt.Sprintf("no operation %q on DRBD %d", s.Operation, s.DRBD)}}, nil
	}
	sc := &scene{Scene: s, op: operations[i], length: map[string]int{}}
	cfg.scene = sc
	return Play(s.Seed, cfg), sc.length
}

// choose a profile for the scene.
func (sc *scene) choose(w *world) {
	p := &w.profile
	for range nodeNames {
		p.gen = append(p.gen, map[int]string{8: "8.4.11", 9: "9.2.18"}[sc.DRBD])
		kind := model.LVMThin
		if sc.op.thick {
			kind = model.LVM
		}
		p.files, p.pools, p.zeroes = append(p.files, false), append(p.pools, kind), append(p.zeroes, true)
	}
	p.snapshots = true
	w.net.RateKiB = 8 << 10
}

const theirs = "mail" // the definition that scenes are about

func (sc *scene) play(w *world) {
	w.main.boot(0)
	w.quiet(2000)
	for _, n := range w.nodes {
		w.nodeComes(n)
	}
	w.settle()
	if !sc.op.bare {
		w.type_(core.DefinitionCreate{Name: theirs})
		w.type_(core.VolumeCreate{Definition: theirs, SizeKiB: 8192})
		w.type_(core.ResourceCreate{Definition: theirs, On: []core.ResourceOn{{Node: "alpha", Pool: poolName}, {Node: "bravo", Pool: poolName}}})
		w.settle()
		sc.use(w)
	}
	if sc.op.prepare != nil {
		sc.op.prepare(w)
		w.settle()
	}
	if sc.op.idle {
		sc.release(w)
	}
	sc.cut(w)
	w.mendAll()
	w.settle()
	for range 6 {
		why := sc.missing(w)
		if why == "" || w.failure != nil {
			break
		}
		w.logf("not done: %s", why)
		sc.op.do(w)
		w.settle()
	}
	if why := sc.missing(w); why != "" {
		w.broken("I5", "%s isn't done, however often it is typed: %s", sc.op.name, why)
	}
	sc.checkData(w)
}

// use has alpha's user write.
func (sc *scene) use(w *world) {
	for _, a := range w.running() {
		if a.n.name != "alpha" || a.r.Name != theirs || w.failure != nil {
			continue
		}
		r := a.n.m.Operator("drbdadm", "-c", a.n.res(theirs), "primary", theirs)
		if r.Exit != 0 {
			w.broken("scene", "alpha can't be made primary: %s", r.Stderr)
			return
		}
		w.oracle.promoted(w, a)
		must(a.n.m.Open(theirs, 0))
	}
	for range 3 {
		w.write()
	}
}

func (sc *scene) release(w *world) {
	for _, n := range w.nodes {
		w.demote(n)
	}
	w.quiet(200)
}

// enough is how many events a user has his volume in use while it is operated on.
const enough = 250

// cut plays the operation, up to the cut and beyond it.
func (sc *scene) cut(w *world) {
	w.settling, w.idle = false, false
	before, effects, programs := w.ctlSteps, map[*node]int{}, 0
	for _, n := range w.nodes {
		effects[n] = n.m.Effects()
		programs += n.programs
		if sc.Cut.Who == n.name && sc.Cut.Power {
			n.m.CutAfter(sc.Cut.At)
		} else if sc.Cut.Who == n.name {
			n.m.CrashAfter(sc.Cut.At)
		}
	}
	sc.op.do(w)
	over, rest := false, 0
	for i := 0; i < 4000 && w.failure == nil && rest < 40; i++ {
		if sc.Cut.Who == ctlDeath && !over && w.ctlSteps-before >= sc.Cut.At {
			w.main.crash()
			over = true
		}
		over = over || slices.ContainsFunc(w.nodes, func(n *node) bool { return n.name == sc.Cut.Who && n.agent == nil })
		w.next()
		if i%16 == 0 {
			w.write()
			w.checkFrozen()
		}
		if i == enough { // on 8.4 some things wait until nobody uses the volume
			sc.release(w)
		}
		if over {
			rest++
		} else if i%8 == 7 && len(w.unsettled()) == 0 && w.net.Unsynced() == 0 && sc.missing(w) == "" {
			break
		}
	}
	for _, l := range w.unsettled() {
		w.logf("when it was mended: %s", l.text)
	}
	if sc.Cut.Who == "" {
		sc.length[ctlDeath] = w.ctlSteps - before
		for _, n := range w.nodes {
			sc.length[n.name] = n.m.Effects() - effects[n]
			sc.programs += n.programs
		}
		sc.programs -= programs
	}
}

// missing says what the operation hasn't done.
func (sc *scene) missing(w *world) string {
	s := w.snapshot()
	if s == nil || s.Controller() == nil {
		return "there is no controller"
	}
	return sc.op.missing(w, s.Definition(theirs))
}

// checkData reads all acknowledged writes on each replica with a disk, as its user.
func (sc *scene) checkData(w *world) {
	for _, n := range w.nodes {
		for _, a := range w.running() {
			if a.n != n || w.failure != nil {
				continue
			}
			if d := w.snapshot().Definition(a.r.Name); d != nil && d.Cloning.Failed() {
				continue // there never were any data
			}
			if !w.oracle.permits(w, a) {
				if s := w.snapshot(); s.Definition(a.r.Name) != nil && !slices.ContainsFunc(a.r.Volumes, func(v machine.VolumeView) bool { return v.State == "Diskless" }) {
					w.broken("I1", "at the end %s may not be used on %s", a.r.Name, n.name)
				}
				continue
			}
			r := n.m.Operator("drbdadm", "-c", n.res(a.r.Name), "primary", a.r.Name)
			if r.Exit != 0 {
				w.broken("I1", "at the end %s can't be used on %s: %s", a.r.Name, n.name, r.Stderr)
				return
			}
			w.oracle.promoted(w, a)
			w.demote(n)
		}
	}
}

// operation is something that users do.
type operation struct {
	name    string
	only    int                                               // DRBD generation; 0: both
	bare    bool                                              // nothing is there before
	thick   bool                                              // in volume groups without thin pools
	idle    bool                                              // nobody uses the volume meanwhile
	prepare func(w *world)                                    // what must be there before
	do      func(w *world)                                    // types it; again, if it wasn't done
	missing func(w *world, d *state.Definition) (what string) // d is theirs, or nil
}

func (o operation) on(drbd int) bool { return o.only == 0 || o.only == drbd }

// Operations lists the names of those that a DRBD generation has.
func Operations(drbd int) (out []string) {
	for _, o := range operations {
		if o.on(drbd) {
			out = append(out, o.name)
		}
	}
	return out
}
