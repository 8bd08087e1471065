package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// snap is a snapshot as the oracle knows it.
type snap struct {
	id, lease model.UUID
	name      string
	// before counts, by volume definition, the writes that were acknowledged when it was first seen.
	before map[model.UUID]int
	vols   map[int]model.UUID // volume definitions by number, then
	done   bool               // it was found Successful, and looked at
	gone   bool
	named  bool                     // users said where to take it: whom they trust
	bare   map[int]bool             // volumes without a file system in it
	unheld bool                     // each copy is of a moment of its own
	copies map[model.UUID]*snapCopy // by label
}

// snapCopy is a device that holds one volume of a snapshot.
type snapCopy struct {
	of     *snap
	node   string
	number int
	origin model.UUID // label
	gone   bool       // its removal was ordered
	seen   bool       // it is there, or was
	behind bool       // the device of which it was taken was, at that moment; see wasBehind
	// content that it has, once the snapshot is Successful.
	content []int
}

// copiesOf gives the snapshot's copies of a volume that stay, those of the replica alone unless that is "".
func (o *oracle) copiesOf(x *snap, number int, replica model.UUID) (out []*snapCopy) {
	for _, label := range sortedKeys(x.copies) {
		c := x.copies[label]
		if i := o.incs[c.origin]; c.number == number && (replica == "" && !c.gone || replica != "" && i != nil && i.rep == replica) {
			out = append(out, c)
		}
	}
	return out
}

// learnSnapshots keeps books on snapshots, and looks at each that has just become Successful.
func (o *oracle) learnSnapshots(w *world, s *state.Snapshot) {
	var news []*snap
	alive := map[model.UUID]bool{}
	s.AllDefinitions(func(d *state.Definition) bool {
		o.learnRollback(d)
		for i := range d.Snapshots {
			sn := &d.Snapshots[i]
			alive[sn.UUID] = true
			x := o.snaps[sn.UUID]
			if x == nil {
				x = &snap{id: sn.UUID, lease: sn.Lease, name: d.Name + "@" + sn.Name, before: map[model.UUID]int{}, vols: map[int]model.UUID{},
					bare: map[int]bool{}, copies: map[model.UUID]*snapCopy{}, named: o.named[sn.Name], unheld: sn.Unheld}
				o.snaps[sn.UUID] = x
				for _, v := range sn.Volumes {
					if vd := d.Volume(v.Number); vd != nil && o.vols[vd.UUID] != nil {
						x.vols[v.Number] = vd.UUID
						if sn.State == model.SnapshotSuspending {
							x.before[vd.UUID] = len(o.vols[vd.UUID].writes)
						}
					}
				}
			}
			for _, k := range sn.Copies {
				for _, v := range k.Volumes {
					c := o.copies[v.UUID]
					if c == nil {
						c = &snapCopy{of: x, node: k.Node, number: v.Number, origin: v.Of}
						o.copies[v.UUID], x.copies[v.UUID] = c, c
					}
					c.gone = c.gone || k.Deleting
				}
			}
			x.gone = x.gone || sn.State == model.SnapshotDeleting
			if sn.State == model.SnapshotSuccessful && !x.done {
				x.done = true
				news = append(news, x)
			}
		}
		return true
	})
	for _, id := range sortedKeys(o.snaps) {
		if x := o.snaps[id]; !alive[id] && !o.orphans {
			x.gone = true
			for _, c := range x.copies {
				c.gone = true
			}
		}
	}
	o.together(w, news)
}

// together looks at snapshots that became Successful in the same commit.
func (o *oracle) together(w *world, news []*snap) {
	for len(news) > 0 {
		lease := news[0].lease
		var same []*snap
		news = slices.DeleteFunc(news, func(x *snap) bool {
			if x.lease == lease {
				same = append(same, x)
			}
			return x.lease == lease
		})
		o.consistent(w, same)
	}
}

// consistent: the copies of a volume are the same on each node; what was acknowledged before the command is in them; and
// what is in any of the snapshots, which were taken at one moment, is there with all that was acknowledged before it.
func (o *oracle) consistent(w *world, same []*snap) {
	newest := 0
	for _, x := range same {
		for _, label := range sortedKeys(x.copies) {
			c := x.copies[label]
			if c.gone {
				continue
			}
			writes, there := o.copyContent(w, c, label)
			x.bare[c.number] = there && w.fsOn(label) == ""
			if !there {
				w.broken("I1", "snapshot %s is Successful, and its copy of volume %d on %s isn't there", x.name, c.number, c.node)
				return
			}
			c.content = append([]int{}, writes...)
			for _, k := range o.copiesOf(x, c.number, "") {
				if k.content != nil && !x.unheld && !slices.Equal(k.content, writes) {
					w.broken("I1", "snapshot %s is Successful, and volume %d has %d writes on %s and %d elsewhere", x.name, c.number, len(writes), c.node, len(k.content))
					return
				}
			}
			if len(writes) > 0 && !x.unheld {
				newest = max(newest, writes[len(writes)-1])
			}
		}
	}
	for _, x := range same {
		for _, label := range sortedKeys(x.copies) {
			c := x.copies[label]
			n := c.number
			v := o.vols[x.vols[n]]
			if c.gone || v == nil || v.forgiven || v.rolled || o.wasBehind(x, n) {
				continue
			}
			if x.unheld {
				newest = 0
				if len(c.content) > 0 {
					newest = c.content[len(c.content)-1]
				}
			}
			for i, id := range v.writes {
				if _, has := slices.BinarySearch(c.content, id); has {
					continue
				}
				switch {
				case i < x.before[v.id]:
					w.broken("I1", "snapshot %s lacks write %d to volume %d, which was acknowledged before", x.name, id, n)
				case id < newest:
					w.broken("I1", "snapshot %s lacks write %d to volume %d, and what was taken at the same moment has write %d", x.name, id, n, newest)
				}
			}
		}
	}
}

// wasBehind: the device of which a copy was taken missed writes of a Primary that nobody kept from writing alone. Where users
// named the node, it is what was so when the copy was made that counts: the device may have caught up since.
func (o *oracle) wasBehind(x *snap, number int) bool {
	for _, c := range x.copies {
		if i := o.incs[c.origin]; c.number == number && (i == nil || i.behind || i.alone || x.named && c.behind) {
			return true
		}
	}
	return false
}

func (o *oracle) copyContent(w *world, c *snapCopy, label model.UUID) ([]int, bool) {
	for _, n := range w.nodes {
		if model.Key(n.name) != model.Key(c.node) {
			continue
		}
		for _, d := range n.m.Disks() {
			if d.Label == string(label) {
				return d.View().Writes, true
			}
		}
	}
	return nil, false
}

// lookAtCopies: a Successful snapshot stays as it is.
func (o *oracle) lookAtCopies(w *world) {
	for _, id := range sortedKeys(o.copies) {
		c := o.copies[id]
		if _, there := o.copyContent(w, c, id); there && !c.seen {
			i := o.incs[c.origin]
			c.seen, c.behind = true, i == nil || i.behind || i.alone
		}
		if c.gone || !c.of.done || o.orphans {
			continue
		}
		writes, there := o.copyContent(w, c, id)
		if there && !slices.Equal(writes, c.content) {
			w.broken("I1", "snapshot %s changed: volume %d on %s has %d writes, and had %d", c.of.name, c.number, c.node, len(writes), len(c.content))
		}
	}
}

// restored: a volume that was made from a snapshot has, once it is good, what the copy had of which the source of its first sync was
// made.
func (o *oracle) restored(v *vol) {
	if v.from == "" {
		return
	}
	copied := model.UUID("")
	for _, i := range o.incs {
		if i.vol == v && i.rep == v.source {
			copied = i.from
		}
	}
	if c := o.copies[copied]; c != nil && c.of.id == v.from && c.of.done {
		v.writes = append(slices.Clone(c.content), v.writes...)
		slices.Sort(v.writes)
		v.writes = slices.Compact(v.writes)
	}
	v.from = ""
}

// frozenLimit is a lease and what the clock of the model may be late.
const frozenLimit = 15 * time.Second

// checkFrozen is I6: a standstill of I/O ends by itself, whatever dies.
func (w *world) checkFrozen() {
	if !w.profile.snapshots {
		return
	}
	for _, n := range w.nodes {
		now := map[string]time.Time{}
		if n.m.Frozen() {
			for _, r := range n.m.Kernel() {
				if !r.Unanswered && !slices.Contains(strings.Split(r.Suspended, ","), "user") {
					continue
				}
				key := fmt.Sprintf("%s %d", r.Name, r.Standstill) // between two I/O went on, if nobody looked just then
				since, was := n.frozen[key]
				if !was {
					since = w.now
				}
				now[key] = since
				if w.now.Sub(since) > frozenLimit {
					w.broken("I6", "I/O of %s on %s stands still for %s", r.Name, n.name, w.now.Sub(since))
				}
			}
		}
		n.frozen = now
	}
}

// snapshots is what users do with them.
func (w *world) snapshots() {
	w.users.snaps++
	name := fmt.Sprintf("snap%d", w.users.snaps)
	of := func() core.SnapshotOf {
		x := core.SnapshotOf{Definition: w.goodName(), Name: name}
		if w.chance(15) {
			x.Nodes = []string{w.nodeName()}
			w.oracle.named[name] = true
		}
		return x
	}
	switch k := w.rng.IntN(100); {
	case k < 15:
		w.clone()
		return
	case k < 20:
		w.autoSnapshots()
		return
	}
	d, sn := w.anySnapshot()
	switch k := w.rng.IntN(100); {
	case k < 45 || sn == nil:
		w.waits(50) // what was typed before may be done by then
		w.write()
		c := core.SnapshotCreate{Of: []core.SnapshotOf{of()}}
		if w.chance(25) {
			if more := of(); model.Key(more.Definition) != model.Key(c.Of[0].Definition) {
				c.Of = append(c.Of, more)
			}
		}
		w.type_(c)
		for range w.rng.IntN(4) { // while it is taken
			for range w.rng.IntN(20) {
				w.next()
			}
			w.holderDies()
			w.write()
		}
		if w.chance(40) {
			w.waits(100)
			w.write()
			w.rollsBack(c.Of[0].Definition, name)
		}
	case k < 70:
		c := core.SnapshotDelete{Definition: d, Name: sn.Name}
		if w.chance(20) {
			c.Nodes = []string{w.nodeName()}
		}
		w.type_(c)
	case k < 82:
		w.rollsBack(d, sn.Name)
	default:
		to := pick(w, defNames)
		w.type_(core.DefinitionCreate{Name: to})
		w.type_(core.SnapshotRestoreVolumes{Definition: d, Name: sn.Name, To: to})
		c := core.SnapshotRestoreResources{Definition: d, Name: sn.Name, To: to}
		if w.chance(25) {
			c.Nodes = []string{w.nodeName()}
		}
		w.type_(c)
	}
}

// waits, in percent of the cases, for a while.
func (w *world) waits(percent int) {
	if !w.chance(percent) {
		return
	}
	for range 60 + w.rng.IntN(240) {
		w.next()
	}
}

// rollsBack has all who use anything stop it, and then a user go back.
func (w *world) rollsBack(definition, name string) {
	for _, n := range w.nodes {
		w.demote(n)
	}
	w.type_(core.SnapshotRollback{Definition: definition, Name: name})
}

// goodName is, as a rule, that of a definition that has a good replica.
func (w *world) goodName() string {
	var good []string
	if s := w.snapshot(); s != nil && w.chance(80) {
		s.Definitions(func(d *state.Definition) bool {
			if slices.ContainsFunc(d.Resources, func(r model.Resource) bool { return d.Seen[r.UUID] != nil && d.Seen[r.UUID].UpToDate() }) {
				good = append(good, d.Name)
			}
			return true
		})
	}
	if len(good) == 0 {
		return w.name()
	}
	return pick(w, good)
}

// anySnapshot picks one, or nil.
func (w *world) anySnapshot() (def string, sn *model.Snapshot) {
	type one struct {
		def string
		sn  *model.Snapshot
	}
	var all []one
	if s := w.snapshot(); s != nil {
		s.Definitions(func(d *state.Definition) bool {
			for i := range d.Snapshots {
				all = append(all, one{d.Name, &d.Snapshots[i]})
			}
			return true
		})
	}
	if len(all) == 0 {
		return "", nil
	}
	x := pick(w, all)
	return x.def, x.sn
}

// learnRollback: from its start to its end a volume's content is what its devices have just then, and afterwards what the
// snapshot has.
func (o *oracle) learnRollback(d *state.Definition) {
	var rolling, keeps model.UUID
	if rb := d.RollingBack(); rb != nil && rb.State == model.RollbackRolling {
		rolling, keeps = rb.Snapshot, rb.Keeps
	}
	for _, vd := range d.Volumes {
		v := o.vols[vd.UUID]
		switch {
		case v == nil:
		case rolling != "":
			v.rolling, v.keeps = rolling, keeps
		case v.rolling != "":
			if x := o.snaps[v.rolling]; x != nil && x.done {
				if k := o.copiesOf(x, v.number, v.keeps); len(k) > 0 {
					v.writes, v.bare = slices.Clone(k[0].content), x.bare[v.number]
				}
			}
			v.rolling = ""
		}
	}
}

// autoSurplus is how long before the next one (of every minute) the surplus of the last must be gone.
const autoSurplus = 30 * time.Second

// unsettledSnapshots are those that aren't as desired; passing, automatic ones on their way.
func unsettledSnapshots(s *state.Snapshot, now time.Time, d *state.Definition, add, passing func(def model.UUID, format string, args ...any)) {
	if x := d.Cloning; x != nil && x.State != model.CloneFailed {
		add(d.UUID, "clone %s is %s", d.Name, x.State)
	}
	if rb := d.RollingBack(); rb != nil {
		add(d.UUID, "rollback of %s is %s", d.Name, rb.State)
	}
	auto := 0
	for i := range d.Snapshots {
		sn, on := &d.Snapshots[i], add
		if sn.Auto {
			on = passing
		}
		if sn.State.Taking() {
			on(d.UUID, "snapshot %s of %s is %s", sn.Name, d.Name, sn.State)
		}
		if sn.For != "" {
			add(sn.For, "snapshot %s of %s, taken for a clone, is still there", sn.Name, d.Name)
		}
		if sn.Auto && sn.State == model.SnapshotSuccessful {
			// One too many goes at the next look after what is due. When nothing rests for other reasons, a new one comes
			// every minute: that it is there for some seconds is no standstill.
			if auto++; auto > autoKept && now.After(time.UnixMilli(d.Auto.NextMS).Add(-autoSurplus)) {
				add(d.UUID, "%d automatic snapshots of %s", auto, d.Name)
			}
		}
		for _, k := range sn.Copies {
			st := d.Seen[k.UUID]
			switch {
			case st == nil:
				on(d.UUID, "snapshot %s of %s on %s: no status", sn.Name, d.Name, k.Node)
			case k.Deleting:
				on(d.UUID, "snapshot %s of %s on %s: deleting: %s: %s", sn.Name, d.Name, k.Node, phaseNames[st.Phase], st.Reason)
			case st.Phase != model.Done:
				on(d.UUID, "snapshot %s of %s on %s: %s: %s", sn.Name, d.Name, k.Node, phaseNames[st.Phase], st.Reason)
			}
		}
	}
}
