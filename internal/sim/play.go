package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/plan/condition"
	"holdfast/internal/sim/machine"
	"holdfast/internal/state"
)

func (w *world) play() {
	w.main.boot(0)
	w.quiet(2000)
	for _, n := range w.nodes {
		if w.fs.chance(50) {
			n.m.AddThrottles()
		}
		w.nodeComes(n)
	}
	for range 40 { // some model seconds
		w.quiet(500)
	}
	if w.luks.chance(80) {
		w.type_(core.PassphraseCreate{New: model.Secret(w.luks.next())})
		w.quiet(500)
	}
	if w.chance(60) { // something to lose
		for range 1 + w.rng.IntN(2) {
			w.deploy()
			for range 20 {
				w.quiet(300)
			}
		}
		w.promote()
		w.write()
	}
	for range w.profile.events {
		if w.failure != nil {
			return
		}
		w.event()
		for range w.rng.IntN(2*w.profile.steps + 1) {
			if w.failure != nil {
				return
			}
			w.next()
		}
	}
	w.mendAll()
	w.settle()
	if w.failure == nil && w.chance(50) {
		w.clear()
	}
}

// event is something that a user does, or that goes wrong.
func (w *world) event() {
	w.step++
	w.mend(false)
	if w.luks.chance(15) {
		w.passphrases()
	}
	if k := w.main.copy; w.chance(5) {
		if c := k(); c != nil && w.cfg.Break == Whole {
			w.main.copies = append(w.main.copies, *c)
		}
	}
	if w.chance(w.profile.faults) {
		w.strike()
	} else {
		w.user()
	}
	w.oracle.look(w)
	w.checkFileSystems()
	w.checkFrozen()
	w.sweepConns()
}

// mendAll ends the faults.
func (w *world) mendAll() {
	w.settling = true
	w.logf("all is mended")
	w.mend(true)
	for _, n := range w.nodes {
		n.m.CrashAfter(0)
		n.m.CutAfter(0)
		for _, p := range programs {
			n.m.Fail(p, 0)
		}
		n.powerOn()
		w.demote(n)
	}
	w.restart(w.main, w.highestEpoch())
	if w.main.running() && w.main.brain.ReadOnly() != "" {
		w.main.crash()
		w.restart(w.main, w.highestEpoch())
	}
}

const (
	settleLimit = 20 * time.Minute  // of model time
	still       = 200 * time.Second // nothing new for so long: there won't be
)

// settle is I5: everything becomes as desired, or says why not.
func (w *world) settle() {
	began, moved := w.now, w.now
	defer func() { w.idle = false }()
	last, seen := "", map[string]bool{} // what is tried again and again goes round in a circle: that is no movement
	excused := map[model.UUID]bool{}    // definitions of which the circle tells a reason, if not at each of its points
	noFS := map[model.UUID]bool{}       // and those of which a volume gets no file system
	var passing map[string]bool         // automatic snapshots that have been on their way in the same way since moved
	for w.failure == nil {
		w.unlock()
		w.quiet(5000)
		if w.bringBack() {
			continue
		}
		left := w.unsettled()
		if len(left) == 0 {
			w.logf("all is as desired")
			w.leftovers()
			return
		}
		var b strings.Builder
		auto := map[string]bool{}
		for _, l := range left {
			if l.auto {
				auto[l.text] = true
			} else {
				b.WriteString(l.text + "\n")
			}
		}
		if kib := w.net.Unsynced(); kib > 0 {
			fmt.Fprintf(&b, "%d KiB to sync\n", kib) // slow ones take longer than still
		}
		if last = b.String(); !seen[last] {
			seen[last], moved = true, w.now
			clear(excused)
			clear(noFS)
			passing = auto
		}
		maps.DeleteFunc(passing, func(text string, _ bool) bool { return !auto[text] })
		if w.idle = w.now.Sub(moved) > 20*second; w.idle {
			for _, l := range left {
				excused[l.def] = excused[l.def] || l.def != "" && w.excuses(l)
				noFS[l.def] = noFS[l.def] || strings.Contains(l.text, "gets no file system: ")
			}
		}
		passes := func(l rest) bool { return l.auto && !passing[l.text] }
		if w.now.Sub(moved) > still && !slices.ContainsFunc(left, passes) {
			w.stuck(left, excused, noFS)
			w.leftovers()
			return
		}
		if w.now.Sub(began) > settleLimit {
			w.broken("I5", "no rest after %s:\n%s", settleLimit, last)
		}
	}
}

// rest is what isn't as desired: what, where, and the reason that is given.
type rest struct {
	def  model.UUID // "" for other than replicas
	text string
	// auto: of an automatic snapshot that is being made or removed. A new one comes every minute, whatever else rests or not: it
	// is no movement, and only one that stays on its way is stuck.
	auto bool
}

// unsettled lists what isn't as desired.
func (w *world) unsettled() (out []rest) {
	add := func(def model.UUID, format string, args ...any) {
		out = append(out, rest{def: def, text: fmt.Sprintf(format, args...)})
	}
	c := w.main
	if !c.running() || !c.brain.Started() {
		return []rest{{text: "the controller hasn't started"}}
	}
	if why := c.brain.ReadOnly(); why != "" {
		return []rest{{text: "the controller is read-only: " + why}}
	}
	if c.req != nil || c.late.waiting() || len(c.commands) > 0 {
		add("", "commands under way")
	}
	s := c.brain.Snapshot()
	s.Nodes(func(n *state.Node) bool {
		if !n.Online() {
			add("", "node %s is %s: %s", n.Name, n.Seen.Status, n.Seen.Reason)
			return true
		}
		for _, p := range n.Seen.Pools {
			if p.Reason != "" {
				add("", "pool %s on %s: %s", p.Name, n.Name, p.Reason)
			}
		}
		return true
	})
	s.AllDefinitions(func(d *state.Definition) bool {
		if len(d.Retired) > 0 && !d.Cloning.Failed() { // nobody is told of one that failed
			add(d.UUID, "%s %.8s: node-ids to forget %v", d.Name, d.UUID, d.Retired)
		}
		for _, vd := range d.Volumes {
			if vd.GrowsFromKiB != 0 && !vd.Deleting && !d.Deleting {
				add(d.UUID, "%s %.8s: volume %d grows still", d.Name, d.UUID, vd.Number)
			}
		}
		unsettledSnapshots(s, w.now, d, add, func(def model.UUID, format string, args ...any) {
			out = append(out, rest{def, fmt.Sprintf(format, args...), true})
		})
		for _, n := range unmade(d) {
			add(d.UUID, "%s %.8s: volume %d waits for its file system", d.Name, d.UUID, n)
		}
		if verifies(d) {
			add(d.UUID, "%s %.8s: a verify goes on without a reason", d.Name, d.UUID)
		}
		for i := range d.Resources {
			if why := w.lacks(s, d, &d.Resources[i]); why != "" {
				// Where snapshots are taken by themselves nodes are told something every minute (seed 37345).
				auto := d.Auto.NextMS != 0 && strings.HasSuffix(why, "generations behind")
				out = append(out, rest{d.UUID, fmt.Sprintf("%s %.8s on %s: %s", d.Name, d.Resources[i].UUID, d.Resources[i].Node, why), auto})
			}
		}
		return true
	})
	return out
}

// lacks says what a replica isn't that it should be.
func (w *world) lacks(s *state.Snapshot, d *state.Definition, r *model.Resource) string {
	if n := s.Node(r.Node); n == nil || !n.Online() {
		return "offline"
	}
	st := d.Seen[r.UUID]
	if d.HasDRBD() && d.DRBD == model.Unpinned && !d.Deleting {
		return "no DRBD generation is chosen"
	}
	if d.Cloning.Failed() && !r.Deleting {
		return "" // it has said why, and waits to be deleted
	}
	if r.Deleting {
		if m := plan.MayRemove(s, d, r); !m.OK {
			return "removal held back: " + m.Reason
		}
	}
	if st == nil {
		return "no status"
	}
	if st.Generation < d.Generation {
		return fmt.Sprintf("%d generations behind", d.Generation-st.Generation)
	}
	switch {
	case st.Phase != model.Done:
		return fmt.Sprintf("%s: %s", phaseNames[st.Phase], st.Reason)
	case r.Deleting:
		return "deleting"
	}
	for _, v := range st.Volumes {
		if v.Disk != model.DiskUpToDate && v.Disk != model.DiskCreated && !r.Diskless {
			return fmt.Sprintf("done: volume %d is %q", v.Number, v.Disk)
		}
	}
	for _, p := range st.Peers {
		if len(r.Volumes) == 0 {
			break // nothing is up
		}
		if p.State != model.Connected {
			return fmt.Sprintf("done: %s is %q", p.Node, p.State)
		}
	}
	return ""
}

// stuck judges what doesn't move any more. noFS: a volume of it gets no file system, since whether somebody wrote isn't known: that
// holds up nothing else.
func (w *world) stuck(left []rest, excused, noFS map[model.UUID]bool) {
	for _, n := range w.nodes {
		for _, r := range n.m.Kernel() {
			w.logf("kernel of %s: %+v", n.name, r)
		}
	}
	for _, l := range left {
		w.logf("stays: %s", l.text)
		w.reasons[generic(l.text)]++
	}
	s := w.snapshot()
	named := map[string]bool{} // names of definitions that may stay: a new one of that name waits for the old
	for _, l := range left {
		if d := s.DefinitionByID(l.def); excused[l.def] && d != nil {
			named[model.Key(d.Name)] = true
		}
	}
	for _, l := range left {
		if noFS[l.def] && (strings.Contains(l.text, "file system") || strings.Contains(l.text, "generations behind")) { // an automatic snapshot is taken each minute
			continue
		}
		if d := s.DefinitionByID(l.def); d != nil && named[model.Key(d.Name)] && strings.Contains(l.text, "waits until the old incarnation of") {
			continue
		}
		if !excused[l.def] || w.cfg.scene != nil { // a scene has nothing in its way
			w.broken("I5", "stuck: %s", l.text)
		}
	}
}

// excuses tells whether a reason is the right end of what happened to a definition: others of its replicas may wait for
// that one.
func (w *world) excuses(l rest) bool {
	for _, why := range []string{
		"it has the snapshot",                                                                                                 // of a zpool: the volume goes when the snapshot does
		"that Holdfast didn't make; it is left untouched",                                                                     // planted
		"DRBD 8.4 has no diskless replicas", "DRBD 8.4 takes two", "metadata, this node runs", "no DRBD generation is chosen", // asked for before the generation was known
	} {
		if strings.Contains(l.text, why) {
			return true
		}
	}
	if len(w.faults.kinds) > 0 && strings.Contains(l.text, "not enough free space") {
		return true // asked for while nobody knew how much is free
	}
	if slices.Contains(w.profile.gen, "") && strings.Contains(l.text, "this node has no DRBD module") {
		return true
	}
	if w.oracle.orphans { // the controller has forgotten what the nodes still have
		for _, why := range []string{
			"of another incarnation", "is Inconsistent and gets its data elsewhere", "address(port) already in use", "which runs on this node and is left untouched", "the controller doesn't know (any more)",
			"it isn't made anew",
			"is missing from storage pool", "that isn't this snapshot", "none of the keys that the controller has opens", "is encrypted and waits for its key",
		} {
			if strings.Contains(l.text, why) {
				return true
			}
		}
	}
	if w.oracle.orphans && strings.Contains(l.text, "restore device: ") && strings.Contains(l.text, "there is no such device") {
		return true // the snapshot went meanwhile (seed 6043)
	}
	if w.oracle.lost && strings.HasSuffix(l.text, `is "Inconsistent"`) {
		return true
	}
	// A copy of the controller that nodes obeyed may have moved a replica elsewhere (seed 8737), or removed a snapshot.
	if w.oracle.overruled && (strings.Contains(l.text, "is missing from storage pool") ||
		strings.Contains(l.text, "which runs on this node and is left untouched")) {
		return true
	}
	for id := range w.oracle.strays { // the node says that it is in the way, and `node info` how to remove it
		if strings.Contains(l.text, string(id)) {
			return true
		}
	}
	s := w.snapshot()
	d := s.DefinitionByID(l.def)
	if d != nil && w.oracle.renamed[d.UUID] && slices.ContainsFunc(condition.Of(s, d), func(c condition.Condition) bool { return c.Kind == condition.SplitBrain }) {
		return true
	}
	// One that made room, of which nobody knows whether its peer has all that it has (steps/within.go), may be a stranger to that one
	// when its turn comes, and says what lets it go.
	if d != nil && d.DRBD == model.DRBD8 && strings.Contains(l.text, "one that made room for another sees its old peer again") {
		return true
	}
	for _, v := range w.oracle.vols {
		if v.def == l.def && v.forgiven {
			return true // its data were given up, and may be nowhere
		}
	}
	return false
}

// generic takes names and numbers out.
func generic(l string) string {
	f := strings.Fields(l)
	for i, x := range f {
		x = strings.Trim(x, ":,()")
		if slices.ContainsFunc(defNames, func(d string) bool { return strings.HasPrefix(model.Key(x), model.Key(d)) }) || slices.Contains(nodeNames, x) ||
			strings.ContainsAny(x, "0123456789") {
			f[i] = "_"
		}
	}
	return strings.Join(f, " ")
}

// leftovers: what is on the nodes is known to the controller; what was removed left nothing.
func (w *world) leftovers() {
	if w.failure != nil {
		return
	}
	s := w.snapshot()
	labels, reps, names := map[string]bool{}, map[string]bool{}, map[string]bool{}
	s.AllDefinitions(func(d *state.Definition) bool {
		for _, r := range d.Resources {
			reps[string(r.UUID)] = true
			names[r.Node+"/"+d.Name] = true
			for _, v := range r.Volumes {
				labels[string(v.UUID)] = true
			}
		}
		for _, sn := range d.Snapshots {
			for _, k := range sn.Copies {
				for _, v := range k.Volumes {
					labels[string(v.UUID)] = true
				}
			}
		}
		return true
	})
	for id, at := range w.oracle.strays {
		labels[string(id)], reps[string(id)], names[at] = true, true, true
	}
	for _, n := range w.nodes {
		w.checkPlanted(n)
		kernel := n.m.Kernel()
		for _, r := range kernel {
			if r.Suspended != "no" {
				w.broken("I6", "%s on %s is still suspended: %s", r.Name, n.name, r.Suspended)
			}
		}
		if w.oracle.orphans {
			continue
		}
		for _, d := range n.m.Disks() {
			if d.Label != "" && !labels[d.Label] {
				w.broken("I5", "%s on %s is left over: %s", d.Path, n.name, d.Label)
			}
		}
		for _, r := range kernel {
			if !names[n.name+"/"+r.Name] && r.Name != handmade {
				w.broken("I5", "%s is still in the kernel of %s", r.Name, n.name)
			}
		}
		for _, f := range n.list(n.config.ConfigDir) {
			name, ok := strings.CutSuffix(f, ".res")
			if !ok || !names[n.name+"/"+name] {
				w.broken("I5", "%s/%s is left over on %s", n.config.ConfigDir, f, n.name)
			}
		}
		for _, f := range n.list(n.config.StateDir + "/replicas/up") {
			if !reps[strings.TrimSuffix(f, ".json")] {
				w.broken("I5", "%s/replicas/up/%s is left over on %s", n.config.StateDir, f, n.name)
			}
		}
		w.checkMappings(n, labels)
		disks := n.m.Disks()
		for _, l := range n.m.Loops() {
			if !slices.ContainsFunc(disks, func(d machine.DiskView) bool { return strings.Contains(l, d.Path) }) {
				w.broken("I5", "loop device %s is left over on %s", l, n.name)
			}
		}
	}
}

func (n *node) list(dir string) []string {
	names, _ := n.m.ReadDir(dir)
	return names
}

// clear deletes everything.
func (w *world) clear() {
	w.logf("users delete everything")
	s := w.snapshot()
	var names []string
	s.Definitions(func(d *state.Definition) bool {
		names = append(names, d.Name)
		return true
	})
	s.Definitions(func(d *state.Definition) bool {
		for _, sn := range d.Snapshots {
			w.type_(core.SnapshotDelete{Definition: d.Name, Name: sn.Name})
		}
		return true
	})
	w.settle()
	for _, d := range names {
		w.type_(core.DefinitionDelete{Name: d})
	}
	w.settle()
}
