package sim

import (
	"maps"
	"slices"
	"strings"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/satellite"
	"holdfast/internal/satellite/steps"
	"holdfast/internal/sim/machine"
	"holdfast/internal/state"
	"holdfast/internal/wire"
)

// oracle knows what nobody in the model may know: which write is where, whose disk is whose, what was ever ordered.
type oracle struct {
	names  naive
	vols   map[model.UUID]*vol // by volume definition
	snaps  map[model.UUID]*snap
	copies map[model.UUID]*snapCopy // by label
	named  map[string]bool          // snapshots of which users said where to take them, by name
	incs   map[model.UUID]*inc      // by label
	reps   map[model.UUID]*rep      // by replica
	// slots say of whom a disk remembers something: by label and node-id, the label of the peer's disk.
	slots   map[slotKey]string
	disks   map[string]diskSeen // node and path
	version int                 // of the network at the last look
	// learned counts what was learned of incarnations, looked is that of the last look.
	learned, looked int
	blind           bool // it only costs time
	// orphans: the store was rolled back, or a node given up: what is on nodes may be nobody's any more.
	orphans bool
	// lost: a node was given up, and may have been in the midst of syncing another.
	lost bool
	// overruled: nodes obeyed a copy of the controller. What had happened since it was copied that one never learnt: a snapshot that was
	// being taken then has failed for it, and it removes what was made of it; and the two give out the same node-ids.
	overruled bool
	// strays are replicas and volumes of them that only a copy of the controller made, with node and resource. When that is gone
	// they are nobody's: a node names them and leaves them alone, since absence is no order.
	strays map[model.UUID]string
	owned  map[model.UUID]bool // those that the users' controller has, or had
	// renamed are definitions with DRBD 8.4 of which a replica came back to a peer that it had left, and its data got a new name, for
	// it may have been written to in between, unmarked (satellite/exchange.go). If the other was written to meanwhile, that is a
	// split brain. It loses nothing, and the resource names it with what mends it.
	renamed map[model.UUID]bool
}

type slotKey struct {
	label string
	id    int
}

// vol is a volume definition.
type vol struct {
	id, def  model.UUID
	name     string
	number   int
	writes   []int      // acknowledged
	forgiven bool       // users gave its data up
	good     bool       // some disk was UpToDate
	rolled   bool       // it was there when the store was rolled back
	upToDate int        // disks, now
	sizeKiB  int64      // the largest that somebody who uses it has seen
	rolling  model.UUID // the snapshot to which it is being rolled back
	keeps    model.UUID // the replica whose copy counts then; "": all are equal
	bare     bool       // the one to which it was rolled back has no file system
	from     model.UUID // the snapshot it was made from, until it is good
	source   model.UUID // the replica from which its first sync starts
}

// inc is a volume of a replica: an incarnation of a disk.
type inc struct {
	label   model.UUID
	vol     *vol
	rep     model.UUID // of which it is a volume
	node    string
	gone    bool       // its removal was ordered
	behind  bool       // it missed writes of a Primary that it wasn't connected to
	alone   bool       // and that Primary had no quorum to keep
	started bool       // metadata of a data generation were seen on it
	from    model.UUID // the copy of a snapshot of which it is made
	older   bool       // with 8.4 another was made Primary apart from it, which makes a new generation of the data
	empty   bool       // it went back to a snapshot, and is to be filled from the one that keeps its content
	copied  bool       // it was made from a snapshot, whose metadata it has until its own are made
}

type rep struct {
	id, def model.UUID
	node    string
	gone    bool
}

type diskSeen struct {
	label       string
	initialised bool
	writes      int
}

func (o *oracle) init() {
	o.names.have = map[string]bool{}
	o.strays, o.owned, o.renamed = map[model.UUID]string{}, map[model.UUID]bool{}, map[model.UUID]bool{}
	o.snaps, o.copies, o.named = map[model.UUID]*snap{}, map[model.UUID]*snapCopy{}, map[string]bool{}
	o.vols, o.incs, o.reps = map[model.UUID]*vol{}, map[model.UUID]*inc{}, map[model.UUID]*rep{}
	o.slots, o.disks = map[slotKey]string{}, map[string]diskSeen{}
}

// learn what a controller has published.
func (o *oracle) learn(s *state.Snapshot) {
	o.learned++
	s.AllDefinitions(func(d *state.Definition) bool {
		for _, vd := range d.Volumes {
			if o.vols[vd.UUID] == nil {
				o.vols[vd.UUID] = &vol{id: vd.UUID, def: d.UUID, name: d.Name, number: vd.Number}
			}
			o.vols[vd.UUID].source = vd.Source
		}
		for _, r := range d.Resources {
			x := o.reps[r.UUID]
			if x == nil {
				x = &rep{id: r.UUID, def: d.UUID, node: r.Node}
				o.reps[r.UUID] = x
			}
			x.gone = x.gone || r.Deleting || d.Deleting
			for _, v := range r.Volumes {
				vd := d.Volume(v.Number)
				if vd == nil {
					continue
				}
				i := o.incs[v.UUID]
				if i == nil {
					i = &inc{label: v.UUID, vol: o.vols[vd.UUID], rep: r.UUID, node: r.Node}
					i.behind = len(i.vol.writes) > 0
					if v.From != nil {
						i.copied, i.from = true, v.From.Label
						if !i.vol.good {
							i.vol.from = v.From.Snapshot
						}
					}
					o.incs[v.UUID] = i
				}
				i.gone = i.gone || x.gone || v.Deleting || vd.Deleting || r.Toggle == model.Removing
			}
		}
		return true
	})
}

// learnStrays from what a controller has published, the users' or a copy.
func (o *oracle) learnStrays(s *state.Snapshot, copied bool) {
	s.AllDefinitions(func(d *state.Definition) bool {
		note := func(id model.UUID, at string) {
			switch {
			case !copied:
				o.owned[id] = true
				delete(o.strays, id)
			case !o.owned[id]:
				o.strays[id] = at
			}
		}
		for _, r := range d.Resources {
			note(r.UUID, r.Node+"/"+d.Name)
			for _, v := range r.Volumes {
				note(v.UUID, r.Node+"/"+d.Name)
			}
		}
		return true
	})
}

func (o *oracle) forgive(all []*command) {
	for _, k := range all {
		for _, id := range k.forgive {
			if v := o.vols[id]; v != nil {
				v.forgiven = true
			}
		}
	}
}

// lostNodes: a node that was given up and comes back has what nobody knows of.
func (o *oracle) lostNodes(all []*command) {
	for _, k := range all {
		if _, ok := k.inner.(core.NodeLost); ok {
			o.orphans, o.lost = true, true
		}
	}
}

// volumes of what is up somewhere, with their incarnations. Without a disk here: by a peer's.
func (o *oracle) inc(label string) *inc { return o.incs[model.UUID(label)] }

// volOf finds the volume definition behind a volume in the kernel; nil if it can't be said.
func (o *oracle) volOf(w *world, a attached, v machine.VolumeView) *vol {
	if i := o.inc(v.Label); i != nil {
		return i.vol
	}
	for _, p := range a.r.Peers {
		for _, b := range w.running() {
			if b.n.name != p.Node || b.r.Name != a.r.Name {
				continue
			}
			for _, x := range b.r.Volumes {
				if i := o.inc(x.Label); i != nil && x.Number == v.Number {
					return i.vol
				}
			}
		}
	}
	return nil
}

// wrote notes an acknowledged write: who of the volume's disks hasn't got it is behind.
func (o *oracle) wrote(w *world, a attached, v machine.VolumeView, id int) {
	x := o.volOf(w, a, v)
	if x == nil {
		w.broken("I1", "a write to %s/%d on %s was acknowledged, and no disk of it is known", a.r.Name, v.Number, a.n.name)
		return
	}
	x.writes = append(x.writes, id)
	alone := !o.quorum(w, a)
	for _, n := range w.nodes {
		for _, d := range n.m.Disks() {
			if i := o.inc(d.Label); i != nil && i.vol == x && !d.Has(id) {
				i.behind, i.alone = true, i.alone || alone
			}
		}
	}
	for _, i := range o.incs {
		if i.vol == x && !i.started {
			i.behind = true
		}
	}
	o.holds(w, x)
}

// holds is I1's and I2's core: as long as nobody gave a volume's data up, some disk has all acknowledged writes.
func (o *oracle) holds(w *world, x *vol) {
	if x.forgiven || x.rolling != "" || len(x.writes) == 0 {
		return
	}
	for _, n := range w.nodes {
		for _, d := range n.m.Disks() {
			if i := o.inc(d.Label); i == nil || i.vol != x {
				continue
			}
			if !slices.ContainsFunc(x.writes, func(id int) bool { return !d.Has(id) }) {
				return
			}
		}
	}
	for _, n := range w.nodes {
		for _, d := range n.m.Disks() {
			if i := o.inc(d.Label); i != nil && i.vol == x {
				w.logf("%s on %s lacks %v", d.Path, n.name, slices.DeleteFunc(slices.Clone(x.writes), d.Has))
			}
		}
	}
	w.broken("I1", "no disk has all %d acknowledged writes of %s/%d any more", len(x.writes), x.name, x.number)
}

func (o *oracle) allHold(w *world) {
	for _, x := range o.sortedVols() {
		o.holds(w, x)
	}
}

func (o *oracle) sortedVols() []*vol {
	out := make([]*vol, 0, len(o.vols))
	for _, x := range o.vols {
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b *vol) int {
		if a.id < b.id {
			return -1
		}
		return 1
	})
	return out
}

// permits tells whether an operator who follows Holdfast's advice promotes there. With quorum the kernel decides, unless
// somebody wrote alone before there was quorum to keep. Without,
// the disk must be UpToDate, nobody else Primary, and (8.4) it must have met its peer since the boot; and the operator
// knows by himself that nobody wrote where this node couldn't see it, as one does who has fenced the other.
func (o *oracle) permits(w *world, a attached) bool {
	s := w.snapshot()
	if s == nil {
		return false
	}
	d := s.Definition(a.r.Name)
	if d == nil || d.Deleting {
		return false
	}
	r := d.On(a.n.name)
	if r == nil || r.Deleting {
		return false
	}
	for _, b := range w.running() {
		if b.r.Name == a.r.Name && b.n != a.n && b.r.Role == "Primary" {
			return false
		}
	}
	for _, v := range a.r.Volumes {
		i := o.inc(v.Label)
		if i == nil && !r.Diskless {
			return false
		}
		for _, p := range a.r.Peers { // whose data it would read
			if j := o.inc(p.Labels[v.Number]); j != nil && j.alone && p.Disks[v.Number] == "UpToDate" {
				return false
			}
		}
		if i != nil && i.alone && v.State == "UpToDate" {
			return false
		}
		if i == nil {
			continue
		}
		if i.vol.def != d.UUID || i.vol.rolled || i.vol.forgiven {
			return false
		}
		if (i.behind || i.older) && v.State == "UpToDate" && !o.quorum(w, a) {
			return false
		}
	}
	if a.n.m.Generation() == 8 {
		st := d.Seen[r.UUID]
		return st != nil && (st.MetPeer || len(st.Peers) == 0)
	}
	return true
}

// quorum tells whether DRBD itself keeps those apart who may not write.
func (o *oracle) quorum(w *world, a attached) bool {
	return a.n.m.Option(a.r.Name, "options", "quorum") == "majority"
}

// promoted is I1: every acknowledged write is readable here.
func (o *oracle) promoted(w *world, a attached) {
	for _, v := range a.r.Volumes {
		x := o.volOf(w, a, v)
		if a.n.m.Generation() == 8 && !slices.ContainsFunc(a.r.Peers, func(p machine.PeerView) bool { return p.State == "Connected" }) {
			for _, i := range o.incs {
				i.older = i.older || i.vol == x && i.node != a.n.name
			}
		}
		if x == nil || x.forgiven || x.rolled || x.rolling != "" {
			continue
		}
		for _, id := range x.writes {
			if !a.n.m.Readable(a.r.Name, v.Number, id) {
				w.broken("I1", "%s was promoted on %s, as was permitted, and write %d to volume %d was acknowledged and isn't readable there",
					a.r.Name, a.n.name, id, v.Number)
				return
			}
		}
	}
}

// look at all kernels and disks.
func (o *oracle) look(w *world) {
	if o.blind {
		return
	}
	if v := w.net.Version(); v == o.version && o.learned == o.looked {
		return
	} else {
		o.version, o.looked = v, o.learned
	}
	for _, x := range o.vols {
		x.upToDate = 0
	}
	all := w.running()
	for _, a := range all {
		if slices.ContainsFunc(a.r.Peers, func(p machine.PeerView) bool { return p.State == "Connected" }) {
			a.n.met[a.r.Name] = true
		}
		for _, v := range a.r.Volumes {
			i := o.inc(v.Label)
			if i != nil {
				o.size(w, a, v, i.vol)
			}
			if i == nil || v.State != "UpToDate" {
				continue
			}
			if !i.vol.good {
				o.restored(i.vol)
			}
			i.vol.good, i.empty = true, i.empty && i.vol.rolling != ""
		}
	}
	// Who is UpToDate and connected to one that is UpToDate and not behind isn't behind either.
	for again := true; again; {
		again = false
		for _, a := range all {
			for _, v := range a.r.Volumes {
				i := o.inc(v.Label)
				if i == nil || !i.behind && !i.older || v.State != "UpToDate" {
					continue
				}
				for _, p := range a.r.Peers {
					if p.State != "Connected" || p.Disks[v.Number] != "UpToDate" {
						continue
					}
					for _, b := range all {
						if b.n.name != p.Node || b.r.Name != a.r.Name {
							continue
						}
						for _, x := range b.r.Volumes {
							if j := o.inc(x.Label); j != nil && j.vol == i.vol && !j.behind && !j.older && x.State == "UpToDate" {
								i.behind, i.older, i.alone, again = false, false, false, true
							}
						}
					}
				}
			}
		}
	}
	o.lookAtDisks(w)
	o.lookAtCopies(w)
	o.lookAtSlots(w, all)
	o.allHold(w)
}

// lookAtSlots is I3 on the disks: a node-id is given to another replica only when nobody remembers whose it was. What a
// rolled back store gives again it can't know.
func (o *oracle) lookAtSlots(w *world, all []attached) {
	known := map[slotKey]bool{}
	for _, n := range w.nodes {
		for _, d := range n.m.Disks() {
			for _, id := range d.Remembers() {
				known[slotKey{d.Label, id}] = true
			}
		}
	}
	maps.DeleteFunc(o.slots, func(k slotKey, _ string) bool { return !known[k] })
	for _, a := range all {
		if a.n.m.Generation() != 9 {
			continue
		}
		for _, p := range a.r.Peers {
			for _, v := range a.r.Volumes {
				key, label := slotKey{v.Label, p.ID}, p.Labels[v.Number]
				if v.Label == "" || label == "" {
					continue
				}
				if was := o.slots[key]; was != "" && was != label && !o.orphans && !o.overruled && !o.sameReplica(was, label) {
					w.broken("I3", "on %s volume %d of %s remembers node-id %d as %.8s's, and it is %.8s's now", a.n.name, v.Number, a.r.Name, p.ID, was, label)
				}
				if known[key] {
					o.slots[key] = label
				}
			}
		}
	}
}

// lookAtDisks finds what vanished and what was made anew since the last look.
func (o *oracle) lookAtDisks(w *world) {
	for _, n := range w.nodes {
		pre := n.name + ":"
		now := map[string]bool{}
		for _, d := range n.m.Disks() {
			key := pre + d.Path
			now[key] = true
			was := o.disks[key]
			if i := o.inc(d.Label); i != nil && i.copied {
				if d.Fresh {
					i.copied = false
				}
				d.Initialised, d.Good = false, false
			}
			if was.label != "" && was.label != d.Label {
				o.vanished(w, n, d.Path, was)
				was = diskSeen{}
			}
			if i := o.inc(d.Label); i != nil && i.vol.rolling != "" && i.vol.keeps != "" && i.vol.keeps != i.rep {
				i.empty = true
			}
			if i := o.inc(d.Label); i != nil && i.empty {
				was.initialised = false
			}
			if was.label == d.Label && was.initialised && !d.Initialised {
				w.broken("I8", "the metadata of %s on %s (%s) were made again, though it held data", d.Path, n.name, d.Label)
			}
			if i := o.inc(d.Label); i != nil && d.Initialised {
				i.started = true
				if d.Good {
					i.vol.upToDate++
				}
			}
			o.disks[key] = diskSeen{d.Label, d.Initialised || was.initialised, d.Writes()}
		}
		for _, key := range sortedKeys(o.disks) {
			if len(key) > len(pre) && key[:len(pre)] == pre && !now[key] {
				o.vanished(w, n, key[len(pre):], o.disks[key])
				delete(o.disks, key)
			}
		}
	}
}

func (o *oracle) vanished(w *world, n *node, path string, was diskSeen) {
	if was.label == "" {
		w.broken("I5", "%s on %s isn't Holdfast's, and is gone", path, n.name)
		return
	}
	if to, unfinished := strings.CutSuffix(path, "+copy"); unfinished && slices.ContainsFunc(n.m.Disks(), func(d machine.DiskView) bool { return d.Path == to && d.Label == was.label }) {
		return // it is finished
	}
	if half := strings.HasSuffix(path, ":restore") || strings.HasSuffix(path, "+restore"); half && !was.initialised {
		return // it gets its own name when it is whole; what a crash leaves of one is nobody's device, and made anew from the snapshot
	}
	if c := o.copies[model.UUID(was.label)]; c != nil {
		if _, moved := o.copyContent(w, c, model.UUID(was.label)); moved {
			return // a snapshot in a zpool goes with the clone that takes its volume's place
		}
		if !c.gone && !o.orphans {
			w.broken("I2", "%s on %s (%s), a snapshot, is gone, and nobody ordered its removal", path, n.name, was.label)
		}
		return
	}
	i := o.inc(was.label)
	if i != nil && slices.ContainsFunc(n.m.Disks(), func(d machine.DiskView) bool {
		return d.Label == was.label && (i.vol.rolling != "" || d.Path == path+"+rollback" || path == d.Path+"+rollback")
	}) {
		return // a thin volume is rolled back by another one that takes its name, after a boot once more if nobody has told the node yet that it is done (seed 30745)
	}
	if i == nil || !i.gone {
		w.broken("I2", "%s on %s (%s) is gone, and nobody ordered its removal", path, n.name, was.label)
	}
}

// beforeJob and afterJob look at what a satellite's job does.
func (o *oracle) beforeJob(w *world, n *node, j *job) int {
	if j.Kind != satellite.ReplicaJob {
		return 0
	}
	o.look(w)
	return n.m.Effects()
}

// log is what the machine did meanwhile.
func (o *oracle) afterJob(w *world, n *node, j *job, before int, log []string) {
	if j.Kind != satellite.ReplicaJob || n.m.Effects() == before {
		return
	}
	for _, s := range j.Steps {
		x := o.reps[j.Replica]
		if x != nil && s.Kind == steps.LeavePeer && s.Returns && slices.ContainsFunc(log, func(l string) bool { return strings.HasPrefix(l, "new-current-uuid") }) {
			o.renamed[x.def] = true
		}
	}
	had := map[*vol]int{}
	for _, x := range o.vols {
		had[x] = x.upToDate
	}
	good := map[*vol]bool{}
	for _, x := range o.vols {
		good[x] = x.good
	}
	o.look(w)
	for _, x := range o.sortedVols() {
		if had[x] > 0 && x.upToDate == 0 && !x.forgiven && n.m.On() {
			w.broken("I2", "the last UpToDate copy of %s/%d is gone on %s by: %s", x.name, x.number, n.name, j.Job)
		}
	}
	for k, s := range j.Steps {
		if j.res.Err != nil && (s.Kind == j.res.Failed.Kind || k > 0 && j.Steps[k-1].Kind == j.res.Failed.Kind) {
			break
		}
		if s.Kind != steps.SeedSync && s.Kind != steps.SeedSkip {
			continue
		}
		if i := o.incs[s.Label]; i != nil && good[i.vol] && !i.vol.rolled && !i.vol.forgiven {
			w.broken("I8", "%s on %s starts the first sync of %s/%d, which had good data before", s.Resource, n.name, i.vol.name, i.vol.number)
		}
	}
}

// ordered keeps books on what a node is told, and gives the replicas on which it has heard a newer word of this epoch.
func (o *oracle) ordered(n *node, d wire.Desired) (stale []said) {
	if d.Full {
		n.told = map[model.UUID]said{}
	}
	for _, r := range d.Resources {
		old, known := n.told[r.ID]
		switch {
		case known && old.epoch == d.Order.Epoch && r.Generation < old.spec.Generation:
			stale = append(stale, old)
			continue
		case known && old.epoch == d.Order.Epoch && r.Generation > old.spec.Generation:
			if n.older = append(n.older, old); len(n.older) > 8 {
				n.older = n.older[1:]
			}
		}
		n.told[r.ID] = said{d.Order.Epoch, r}
	}
	for _, id := range d.Dropped {
		delete(n.told, id)
	}
	return stale
}

// rolledBack: what users did since the copy is forgotten by the controller, not by the nodes.
func (o *oracle) rolledBack() {
	o.orphans = true
	for _, v := range o.vols {
		v.rolled = true
	}
}

// sameReplica tells whether two disks are of one replica, which had none in between: its node-id is its own.
func (o *oracle) sameReplica(a, b string) bool {
	x, y := o.inc(a), o.inc(b)
	return x != nil && y != nil && x.rep == y.rep
}
