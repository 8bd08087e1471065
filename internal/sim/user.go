package sim

import (
	"fmt"
	"slices"
	"strings"

	"holdfast/internal/controller"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/sim/machine"
	"holdfast/internal/state"
)

// users type commands, and use volumes.
type users struct {
	props int
	snaps int
}

func (u *users) init() {}

var defNames = []string{"backups", "mail", "Web", "db"}

// type_ submits a command to the users' controller.
func (w *world) type_(inner core.Command) *command {
	c := w.main
	if !c.running() {
		return nil
	}
	k := &command{ctl: c, inner: inner, text: fmt.Sprintf("%T%+v", inner, inner), async: w.chance(20), sent: w.now.UnixMilli()}
	w.logf("user: %s", k.text)
	k.ticket = c.brain.Submit(k, controller.Options{Async: k.async, Notify: func(t *controller.Ticket) { w.answered(k, t) }}, w.now)
	c.commands = append(c.commands, k)
	c.due = true
	if w.chance(3) && !w.oracle.blind && !w.cfg.undisturbed() {
		w.logf("user hangs up")
		c.brain.Drop(k.ticket)
		k.answered = true
	}
	return k
}

func (w *world) answered(k *command, t *controller.Ticket) {
	k.answered = true
	r, err := t.Result()
	if err != nil {
		w.logf("answer: %v", err)
		if fault.Is(err, fault.Internal) && k.ctl.err == nil {
			w.broken("I5", "%s is answered as a defect: %v", k.text, err)
		}
		return
	}
	for _, n := range r.Notes {
		w.logf("answer: %s %s", n.Message, n.Cause)
		if n.Message == "" {
			w.broken("I5", "%s is answered without a word", k.text)
		}
	}
	if len(r.Notes) == 0 {
		w.broken("I5", "%s is answered without a note", k.text)
	}
	if took := w.now.UnixMilli() - k.sent; took > 65_000 && !w.faults.now.stall {
		w.broken("I5", "%s was answered after %d ms", k.text, took)
	}
}

// act of a user, by weight.
func (w *world) user() {
	s := w.snapshot()
	if s == nil || s.Controller() == nil {
		return
	}
	if w.profile.apart && w.chance(50) {
		w.use()
		return
	}
	if w.chance(5) {
		w.grow()
		return
	}
	if w.chance(12) {
		w.move()
		return
	}
	if w.profile.snapshots && w.chance(40) {
		w.snapshots()
		return
	}
	switch k := w.rng.IntN(100); {
	case k < 14:
		w.deploy()
	case k < 18:
		w.type_(core.DefinitionCreate{Name: w.name(), Layers: w.layers()})
	case k < 22:
		w.type_(core.VolumeCreate{Definition: w.name(), SizeKiB: w.size()})
	case k < 27:
		w.type_(core.Autoplace{Definition: w.name(), Filter: model.SelectFilter{PlaceCount: 1 + w.rng.IntN(len(w.nodes))}})
	case k < 34:
		w.type_(core.ResourceCreate{Definition: w.name(), On: []core.ResourceOn{{Node: w.nodeName(), Pool: poolName, Diskless: w.chance(15)}}})
	case k < 43:
		c := core.ResourceDelete{Definition: w.name(), Node: w.nodeName()}
		if w.chance(8) {
			c.Lose = []string{c.Definition}
		}
		w.type_(c)
	case k < 46:
		name := w.name()
		w.type_(core.DefinitionDelete{Name: name})
		if w.chance(50) {
			w.deployAs(name)
		}
	case k < 49:
		w.retire()
	case k < 51:
		w.type_(core.VolumeDelete{Definition: w.name(), Number: w.rng.IntN(2)})
	case k < 54:
		w.props()
	case k < 55:
		w.type_(core.MakeAvailable{Definition: w.name(), Node: w.nodeName(), Diskful: w.chance(30)})
	case k < 57:
		w.type_(core.NodeDelete{Name: w.nodeName()})
	case k < 58:
		c := core.NodeLost{Name: w.nodeName()}
		if w.chance(20) {
			c.Lose = defNames
		}
		w.type_(c)
	case k < 60:
		w.nodeComes(pick(w, w.nodes))
	case k < 61:
		w.type_(core.PoolDelete{Node: w.nodeName(), Name: poolName})
	case k < 64: // two at once
		name := w.name()
		w.type_(core.DefinitionDelete{Name: name})
		w.type_(core.ResourceCreate{Definition: name, On: []core.ResourceOn{{Node: w.nodeName(), Pool: poolName}}})
		w.type_(core.DefinitionCreate{Name: strings.ToUpper(name)})
	case k < 66:
		name, on := w.name(), w.nodeName()
		w.type_(core.ResourceDelete{Definition: name, Node: on})
		w.type_(core.ResourceCreate{Definition: name, On: []core.ResourceOn{{Node: on, Pool: poolName}}})
	case k < 76:
		w.promote()
		w.write()
	case k < 80:
		w.demote(pick(w, w.nodes))
	default:
		for range 1 + w.rng.IntN(3) {
			w.write()
		}
	}
}

// use of volumes, and nothing else.
func (w *world) use() {
	switch k := w.rng.IntN(10); {
	case k < 3:
		w.promote()
		w.write()
	case k < 4:
		w.demote(w.anyNode())
	case k < 7:
		w.write()
	case k < 8:
		w.type_(core.ResourceCreate{Definition: w.name(), On: []core.ResourceOn{{Node: w.nodeName(), Pool: poolName}}})
	default:
		w.retire()
	}
}

func (w *world) snapshot() *state.Snapshot {
	if !w.main.running() {
		return nil
	}
	return w.main.brain.Snapshot()
}

func (w *world) name() string {
	n := pick(w, defNames)
	if s := w.snapshot(); s != nil && w.chance(70) {
		var have []string
		s.Definitions(func(d *state.Definition) bool {
			have = append(have, d.Name)
			return true
		})
		if len(have) > 0 {
			n = pick(w, have)
		}
	}
	if w.chance(5) {
		return strings.ToUpper(n)
	}
	return n
}

func (w *world) nodeName() string { return pick(w, w.nodes).name }

func (w *world) size() int64 { return []int64{4096, 8192, 16384, 65536}[w.rng.IntN(4)] }

func (w *world) deploy() { w.deployAs(w.name()) }

func (w *world) deployAs(name string) {
	if w.chance(30) {
		c := core.Spawn{Group: model.DefaultGroup, Name: name, Filter: model.SelectFilter{PlaceCount: 1 + w.rng.IntN(3), Layers: w.layers()}}
		for range 1 + w.rng.IntN(5)/4 {
			c.SizesKiB = append(c.SizesKiB, w.size())
		}
		w.type_(c)
		return
	}
	w.type_(core.DefinitionCreate{Name: name, Layers: w.layers()})
	w.wantsFileSystem(name)
	for range 1 + w.rng.IntN(5)/4 {
		w.type_(core.VolumeCreate{Definition: name, SizeKiB: w.size()})
	}
	if w.chance(60) {
		w.type_(core.Autoplace{Definition: name, Filter: model.SelectFilter{PlaceCount: 2 + w.rng.IntN(8)/7}})
		return
	}
	for _, n := range w.nodes {
		if w.chance(70) {
			w.type_(core.ResourceCreate{Definition: name, On: []core.ResourceOn{{Node: n.name, Pool: poolName, Diskless: w.chance(10)}}})
		}
	}
}

// nodeComes registers a node and its pool.
func (w *world) nodeComes(n *node) {
	w.type_(core.NodeCreate{Name: n.name, Type: "Satellite", Interfaces: []model.NetInterface{{Name: "default", Address: n.m.Address().String()}}})
	w.poolComes(n)
}

func (w *world) props() {
	w.users.props++
	p := map[string]string{"DrbdOptions/Net/max-buffers": fmt.Sprint(2000 + w.users.props)}
	switch w.rng.IntN(5) {
	case 4: // of one connection: both ends must be told, each in its own words
		c := core.ConnectionModify{A: w.nodeName(), B: w.nodeName(), Override: map[string]string{
			"DrbdOptions/Net/ping-timeout": fmt.Sprint(5 + w.users.props%100), "DrbdOptions/PeerDevice/c-max-rate": fmt.Sprint(4096 + w.users.props)}}
		if w.chance(50) {
			c.Definition = w.name()
		}
		w.type_(c)
	case 0:
		w.type_(core.DefinitionModify{Name: w.name(), Override: p})
	case 1:
		w.type_(core.DefinitionModify{Name: w.name(), Delete: []string{"DrbdOptions/Net/max-buffers"}})
	case 2:
		w.type_(core.ControllerModify{Override: p})
	case 3:
		w.type_(core.VolumeModify{Definition: w.name(), Number: 0, Override: map[string]string{"DrbdOptions/Disk/al-extents": fmt.Sprint(600 + w.users.props)}})
	}
}

// attached finds what is up on the nodes.
type attached struct {
	n *node
	r machine.ResourceView
}

func (w *world) running() []attached {
	var out []attached
	for _, n := range w.nodes {
		for _, r := range n.m.Kernel() {
			if r.Name != handmade {
				out = append(out, attached{n, r})
			}
		}
	}
	return out
}

func (n *node) res(name string) string { return n.config.ConfigDir + "/" + name + ".res" }

// promote makes a resource Primary somewhere, where quorum decides or what Holdfast says permits it; see oracle.permits.
func (w *world) promote() {
	all := w.running()
	for _, i := range w.rng.Perm(len(all)) {
		a := all[i]
		if a.r.Role == "Primary" || !w.oracle.permits(w, a) {
			continue
		}
		r := a.n.m.Operator("drbdadm", "-c", a.n.res(a.r.Name), "primary", a.r.Name)
		w.logf("operator: promote %s on %s: exit %d %s", a.r.Name, a.n.name, r.Exit, r.Stderr)
		if r.Exit != 0 {
			continue
		}
		w.oracle.promoted(w, a)
		if w.chance(50) {
			for _, v := range a.r.Volumes {
				if err := a.n.m.Open(a.r.Name, v.Number); err != nil {
					w.logf("operator: open: %v", err)
				}
			}
		}
		return
	}
}

// retire moves away from a node: what was in use there, written to a moment ago, is to go.
func (w *world) retire() {
	all := w.running()
	for _, i := range w.rng.Perm(len(all)) {
		a := all[i]
		if a.r.Role != "Primary" {
			continue
		}
		if w.profile.apart && len(w.faults.kinds) > 0 && w.chance(50) {
			w.isolate(a.n)
		}
		w.writeTo(a)
		w.demote(a.n)
		for range w.rng.IntN(30) {
			w.next()
		}
		w.type_(core.ResourceDelete{Definition: a.r.Name, Node: a.n.name})
		return
	}
}

// isolate cuts a node off from the others for a while, but not from the controller.
func (w *world) isolate(n *node) {
	for _, o := range w.nodes {
		if o != n {
			w.logf("the link between %s and %s is cut", n.name, o.name)
			w.net.Cut(n.name, o.name)
			w.faults.repairs = append(w.faults.repairs, repair{"network cut", 1 + w.rng.IntN(5), func() { w.net.Heal(n.name, o.name) }})
		}
	}
}

// demote ends the use of everything on a node.
func (w *world) demote(n *node) {
	for _, r := range n.m.Kernel() {
		if r.Role != "Primary" || r.Name == handmade {
			continue
		}
		for _, v := range r.Volumes {
			for range 3 {
				n.m.Close(r.Name, v.Number)
			}
		}
		x := n.m.Operator("drbdadm", "-c", n.res(r.Name), "secondary", r.Name)
		w.logf("operator: demote %s on %s: exit %d %s", r.Name, n.name, x.Exit, x.Stderr)
	}
}

// write on some Primary.
func (w *world) write() {
	all := slices.DeleteFunc(w.running(), func(a attached) bool { return a.r.Role != "Primary" })
	if len(all) == 0 {
		return
	}
	w.writeTo(pick(w, all))
}

func (w *world) writeTo(a attached) {
	if len(a.r.Volumes) == 0 {
		return
	}
	v := pick(w, a.r.Volumes)
	id, err := a.n.m.Write(a.r.Name, v.Number)
	if err != nil {
		w.logf("write to %s/%d on %s fails: %v", a.r.Name, v.Number, a.n.name, err)
		return
	}
	w.logf("write %d to %s/%d on %s is acknowledged", id, a.r.Name, v.Number, a.n.name)
	w.oracle.wrote(w, a, v, id)
}
