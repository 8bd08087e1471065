package sim

import (
	"context"
	"math/rand/v2"
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/store"
	"holdfast/internal/store/memory"
	"holdfast/internal/wire"
)

// faults of a run: the seed chooses which kinds happen at all, so that some runs are full of one kind.
type faults struct {
	kinds   []mishap
	repeat  bool
	repairs []repair
	now     struct{ stall bool }
	rng     *rand.Rand // see meanwhile
	answers *rand.Rand // see loseAnswers
}

// mishap is a kind. It gives the way back, if there is one.
type mishap struct {
	name   string
	weight int
	do     func(w *world) (undo func())
}

// repair is due after some more events.
type repair struct {
	name  string
	after int
	undo  func()
}

var allFaults = []mishap{
	{"controller dies", 8, ctlDies},
	{"commit fails", 4, commitFails},
	{"commit's outcome unknown", 4, commitUnknown},
	{"store rolled back", 1, rollBack},
	{"second controller", 1, secondController},
	{"satellite dies", 5, satelliteDies},
	{"satellite dies after an effect", 10, satelliteDiesAfter},
	{"power cut", 4, powerCut},
	{"power cut after an effect", 4, powerCutAfter},
	{"session breaks", 8, sessionBreaks},
	{"messages repeated", 2, repeated},
	{"node away", 5, nodeAway},
	{"network cut", 6, networkCut},
	{"program fails", 8, programFails},
	{"program hangs", 4, programHangs},
	{"disk full", 2, diskFull},
	{"volume group vanishes", 2, poolVanishes},
	{"module absent at boot", 2, moduleAbsent},
	{"events end", 2, eventsEnd},
	{"old order again", 3, oldOrder},
	{"controller and the only good copy go", 4, bothGo},
}

func (f *faults) choose(w *world) {
	for _, k := range allFaults {
		if w.chance(50) {
			f.kinds = append(f.kinds, k)
		}
	}
	if w.profile.apart {
		f.kinds = slices.DeleteFunc(f.kinds, func(k mishap) bool { return k.weight < 4 })
		f.kinds = append(f.kinds, mishap{"network cut", 25, networkCut}, mishap{"controller dies", 12, ctlDies}, mishap{"power cut", 8, powerCut}, mishap{"controller and the only good copy go", 12, bothGo})
	}
	if w.cfg.Calm || w.chance(3) {
		f.kinds = nil
	}
}

// strike makes something go wrong.
func (w *world) strike() {
	sum := 0
	for _, k := range w.faults.kinds {
		sum += k.weight
	}
	if sum == 0 {
		return
	}
	x := w.rng.IntN(sum)
	for _, k := range w.faults.kinds {
		if x -= k.weight; x < 0 {
			w.logf("fault: %s", k.name)
			if undo := k.do(w); undo != nil {
				w.faults.repairs = append(w.faults.repairs, repair{k.name, 1 + w.rng.IntN(8), undo})
			}
			return
		}
	}
}

// mend undoes what is due; all of it at the end.
func (w *world) mend(all bool) {
	var due []repair
	rs := w.faults.repairs
	w.faults.repairs = nil
	for _, r := range rs {
		if r.after--; r.after <= 0 || all {
			due = append(due, r)
		} else {
			w.faults.repairs = append(w.faults.repairs, r)
		}
	}
	for _, r := range due {
		w.logf("over: %s", r.name)
		r.undo()
	}
}

func (f *faults) repeats(w *world) bool { return f.repeat && w.chance(15) }

func (w *world) anyNode() *node { return pick(w, w.nodes) }

func ctlDies(w *world) func() {
	if !w.main.running() {
		return nil
	}
	w.main.crash()
	return func() { w.restart(w.main, 0) }
}

// restart boots a controller that doesn't run.
func (w *world) restart(c *ctl, minEpoch uint64) {
	if c.running() || c != w.main && c != w.rival {
		return
	}
	c.minEpoch = max(c.minEpoch, minEpoch, c.takeOver)
	c.boot(c.minEpoch)
	if c.running() && c == w.main {
		if c.takeOver > 0 { // of a rolled back store
			c.takeOver = 0
			w.oracle.names.have, w.oracle.names.maybe = names(c.brain.Snapshot()), nil
		}
		w.oracle.names.found(c.brain.Snapshot())
		if c.brain.Snapshot().Controller() != nil {
			w.checkNames(c.brain.Snapshot())
		}
		w.checkPublished(c)
	}
}

func commitFails(w *world) func() {
	w.main.store.FailNext(nil)
	return nil
}

func commitUnknown(w *world) func() {
	w.main.store.UnknownNext(w.chance(50))
	return nil
}

// copyOf is a store's content at some time.
type copyOf struct {
	st   store.State
	step int
}

func (c *ctl) copy() *copyOf {
	st, err := c.store.Load(context.Background())
	if err != nil || st.Epoch == 0 || c.brain != nil && c.brain.NeedReload() {
		return nil
	}
	return &copyOf{st, c.w.step}
}

// restore makes a store of a copy.
func (k *copyOf) restore() *memory.Backend {
	b := memory.New(string(clusterID))
	var all []store.Change
	for _, r := range k.st.Records {
		all = append(all, store.Change(r))
	}
	_, err := b.Commit(context.Background(), k.st.Epoch, 0, all)
	must(err)
	return b
}

func (w *world) highestEpoch() uint64 {
	var e uint64
	for _, c := range []*ctl{w.main, w.rival} {
		if c == nil {
			continue
		}
		if c.running() {
			e = max(e, c.brain.Order().Epoch)
		}
		if st, err := c.store.Load(context.Background()); err == nil {
			e = max(e, st.Epoch)
		}
	}
	for _, n := range w.nodes {
		e = max(e, n.highest.Epoch)
	}
	return e
}

// rollBack puts an older copy of the store in place, as from a backup, and takes over with it.
func rollBack(w *world) func() {
	if len(w.main.copies) == 0 || w.rival != nil {
		return nil
	}
	if w.main.running() {
		w.main.crash()
	}
	w.main.takeOver = w.highestEpoch()
	k := pick(w, w.main.copies)
	w.logf("the store is as it was at event %d", k.step)
	w.main.store, w.main.copies = k.restore(), nil
	w.oracle.rolledBack()
	return func() { w.restart(w.main, 0) }
}

// secondController starts a copy of the controller beside the first. In the end one of them stays.
func secondController(w *world) func() {
	k := w.main.copy()
	if k == nil || w.rival != nil {
		return nil
	}
	w.rival = &ctl{w: w, name: "c2", store: k.restore()}
	w.rival.boot(0)
	return func() {
		epoch := w.highestEpoch()
		w.logf("the second controller ends")
		w.rival.stop()
		w.rival = nil
		w.sweepConns()
		if w.main.running() {
			w.main.crash()
		}
		w.restart(w.main, epoch)
	}
}

func satelliteDies(w *world) func() {
	n := w.anyNode()
	n.kill()
	return n.boot
}

func satelliteDiesAfter(w *world) func() {
	n := w.anyNode()
	n.m.CrashAfter(1 + w.rng.IntN(12))
	return func() {
		n.m.CrashAfter(0)
		n.boot()
	}
}

func (n *node) powerOn() {
	if !n.m.On() {
		n.m.PowerOn()
		n.m.CrashAfter(0)
		n.m.CutAfter(0)
		n.m.DiskFull(false)
		n.kernelFiles()
		n.handUp = false
		n.w.logf("%s boots", n.name)
	}
	n.boot()
}

func powerCut(w *world) func() {
	n := w.anyNode()
	w.logf("%s loses power", n.name)
	n.cut()
	return n.powerOn
}

// bothGo cuts the power of a node that has the only good copy of something, and kills the controller.
func bothGo(w *world) func() {
	good := map[*vol]*node{}
	for _, n := range w.nodes {
		for _, d := range n.m.Disks() {
			i := w.oracle.inc(d.Label)
			if i == nil || !d.Good {
				continue
			}
			if _, again := good[i.vol]; again {
				n = nil
			}
			good[i.vol] = n
			if n == nil {
				break
			}
		}
	}
	for _, x := range w.oracle.sortedVols() {
		n := good[x]
		if n == nil || x.forgiven || !n.m.On() || !w.main.running() {
			continue
		}
		w.logf("%s loses power", n.name)
		n.cut()
		w.main.crash()
		w.faults.repairs = append(w.faults.repairs, repair{"controller dies", 1, func() { w.restart(w.main, 0) }})
		return n.powerOn
	}
	return nil
}

func powerCutAfter(w *world) func() {
	n := w.anyNode()
	n.m.CutAfter(1 + w.rng.IntN(12))
	return func() {
		n.m.CutAfter(0)
		n.powerOn()
	}
}

func sessionBreaks(w *world) func() {
	if len(w.conns) == 0 {
		return nil
	}
	x := pick(w, w.conns)
	x.toCtl, x.toNode = nil, nil
	switch w.rng.IntN(3) {
	case 0:
		x.closeNode()
		if x.node != nil && x.node.agent != nil && x.ags != 0 {
			x.node.agent.Lost(x.ags)
			x.node.pump()
		}
	default: // both find out by themselves
		x.toNode, x.toCtl = nil, nil
		x.breaks()
	}
	return nil
}

// breaks loses what is on its way; each end hears of it.
func (x *conn) breaks() {
	if x.node != nil && x.node.agent != nil && x.ags != 0 && !x.nodeGone {
		x.node.agent.Lost(x.ags)
		x.node.pump()
	}
	x.toCtl = nil
	x.nodeGone = true
}

func repeated(w *world) func() {
	w.faults.repeat = true
	return func() { w.faults.repeat = false }
}

func nodeAway(w *world) func() {
	n := w.anyNode()
	n.away = true
	return func() { n.away = false }
}

func networkCut(w *world) func() {
	a, b := w.anyNode(), w.anyNode()
	if a == b {
		return nil
	}
	w.net.Cut(a.name, b.name)
	return func() { w.net.Heal(a.name, b.name) }
}

var programs = []string{"mkfs.ext4", "mkfs.xfs", "wipefs", "lvm", "lvm lvcreate", "lvm lvremove", "losetup", "drbdadm", "drbdadm adjust", "drbdsetup", "drbdsetup down",
	"drbdsetup events2", "drbdmeta", "drbdmeta create-md", "modinfo"}

func programFails(w *world) func() {
	w.anyNode().m.Fail(pick(w, programs), 1+w.rng.IntN(3))
	return nil
}

func programHangs(w *world) func() {
	n, p := w.anyNode(), pick(w, programs)
	n.m.Hang(p, true)
	return func() { n.m.Hang(p, false) }
}

func diskFull(w *world) func() {
	n := w.anyNode()
	n.m.DiskFull(true)
	return func() { n.m.DiskFull(false) }
}

func moduleAbsent(w *world) func() {
	n := w.anyNode()
	n.m.SetModule("")
	n.cut()
	n.powerOn()
	return func() {
		n.m.SetModule(n.module)
		n.cut()
		n.powerOn()
	}
}

func eventsEnd(w *world) func() {
	w.anyNode().m.EndStreams()
	return nil
}

// oldOrder mixes an older word of the same controller into a newer message.
func oldOrder(w *world) func() {
	for _, x := range w.conns {
		if x.ags == 0 || x.nodeGone || x.node == nil {
			continue
		}
		for i, m := range x.toNode {
			d, ok := m.(wire.Desired)
			if !ok || d.Full {
				continue
			}
			for _, old := range x.node.older {
				if old.epoch != d.Order.Epoch || slices.ContainsFunc(d.Resources, func(r model.ResourceSpec) bool { return r.ID == old.spec.ID }) ||
					slices.Contains(d.Dropped, old.spec.ID) {
					continue
				}
				d.Resources = append(slices.Clone(d.Resources), old.spec)
				x.toNode[i] = d
				w.logf("%s is to hear again: %s", x.node.name, specText(old.spec))
				return nil
			}
		}
	}
	return nil
}
