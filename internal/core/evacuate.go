package core

import (
	"slices"
	"strconv"
	"time"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/plan/place"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// NodeEvacuate marks a node as to be emptied: for each of its replicas another one is made elsewhere, and it goes when that
// is UpToDate. What finds no place now is tried again. Typed again it says how far it came.
type NodeEvacuate struct {
	Name string
	// To, if not nil, are the nodes that may take replicas; Not are ones that may not.
	To, Not []string
}

// Apply implements Command.
func (c NodeEvacuate) Apply(tx *state.Tx, env Env) (Reply, error) {
	n, err := findNode(tx, c.Name)
	if err != nil {
		return Reply{}, err
	}
	refs := map[string]string{"Node": n.Name}
	if !n.Type.HasSatellite() {
		return Reply{}, fault.New(fault.Invalid, fault.Node, "Node '%s' can't be evacuated.", n.Name).
			Because("Its type is %s: it has no satellite, and nothing is on it.", n.Type).Do("`node delete %s` removes it.", n.Name).Ref("Node", n.Name)
	}
	for _, name := range slices.Concat(c.To, c.Not) {
		if _, err := findNode(tx, name); err != nil {
			return Reply{}, err
		}
	}
	notes := []fault.Note{done(fault.Modify, fault.Node, refs, "Node '%s' is being evacuated.", n.Name)}
	if !n.Evacuate || c.To != nil || c.Not != nil {
		m := n.Node.Clone()
		m.Evacuate, m.EvacuateTo, m.EvacuateNot = true, c.To, c.Not
		tx.PutNode(m)
		if err := flagsChanged(tx, n.Name); err != nil {
			return Reply{}, err
		}
	}
	notes = append(notes, leaving(tx, n.Name)...)
	more, err := moveOff(tx, env, n.Name)
	return Reply{Notes: append(notes, more...)}, err
}

// leaving says of each replica that is on its way off the node what it waits for.
func leaving(tx *state.Tx, node string) (notes []fault.Note) {
	s := tx.Snapshot()
	for _, id := range onNode(tx, node) {
		d := s.DefinitionByID(id)
		r := d.On(node)
		if r == nil || d.Deleting || !r.Deleting || r.Successor != "" {
			continue
		}
		why := "it is being removed"
		if g := plan.MayRemove(s, d, r); !g.OK {
			why = g.Reason
		} else if st := d.Seen[r.UUID]; st == nil {
			why = "it goes when the node returns"
		} else if st.Reason != "" {
			why = st.Reason
		}
		notes = append(notes, info(fault.Modify, fault.Resource, refsOf(d.Name, node), "Resource '%s' leaves node '%s': %s.", d.Name, node, why))
	}
	return notes
}

// NodeEvict gives up waiting for a node that is away: its replicas are replaced elsewhere. They stay as they are on it, and
// are down when it returns, until NodeRestore or NodeLost.
type NodeEvict struct{ Name string }

// Apply implements Command.
func (c NodeEvict) Apply(tx *state.Tx, env Env) (Reply, error) {
	n, err := findNode(tx, c.Name)
	if err != nil {
		return Reply{}, err
	}
	if n.Online() || n.Seen.Status == model.StatusConnected || !n.Type.HasSatellite() {
		return Reply{}, fault.New(fault.InUse, fault.Node, "Node '%s' can't be evicted.", n.Name).
			Because("It is not away.").Do("`node evacuate %s` empties a node that is there.", n.Name).Ref("Node", n.Name)
	}
	notes, err := evict(tx, env, n)
	return Reply{Notes: notes}, err
}

func evict(tx *state.Tx, env Env, n *state.Node) ([]fault.Note, error) {
	notes := []fault.Note{done(fault.Modify, fault.Node, map[string]string{"Node": n.Name}, "Node '%s' is evicted.", n.Name)}
	if !n.Evicted {
		m := n.Node.Clone()
		m.Evicted = true
		tx.PutNode(m)
		if err := flagsChanged(tx, n.Name); err != nil {
			return nil, err
		}
	}
	more, err := moveOff(tx, env, n.Name)
	return append(notes, more...), err
}

// NodeRestore takes an evacuation or an eviction back. Replicas that were not replaced yet stay; with DeleteResources those
// of an evicted node go instead, as soon as other copies are good. One that no other node has a replica of stays.
type NodeRestore struct {
	Name            string
	DeleteResources bool
}

// Apply implements Command.
func (c NodeRestore) Apply(tx *state.Tx, env Env) (Reply, error) {
	n, err := findNode(tx, c.Name)
	if err != nil {
		return Reply{}, err
	}
	refs := map[string]string{"Node": n.Name}
	if !n.Evacuate && !n.Evicted {
		return Reply{Notes: []fault.Note{warn(fault.AlreadyDeployed, fault.Modify, fault.Node, refs, "Node '%s' is neither evicted nor being evacuated.", n.Name)}}, nil
	}
	evicted := n.Evicted
	m := n.Node.Clone()
	m.Evacuate, m.Evicted, m.EvacuateTo, m.EvacuateNot = false, false, nil, nil
	tx.PutNode(m)
	notes := []fault.Note{done(fault.Modify, fault.Node, refs, "Node '%s' restored.", n.Name)}
	for _, id := range onNode(tx, n.Name) {
		d := tx.Snapshot().DefinitionByID(id)
		next := d.ResourceDefinition.Clone()
		for i := range next.Resources {
			r := &next.Resources[i]
			if model.Key(r.Node) != model.Key(n.Name) || d.Deleting || r.Deleting && r.Successor == "" {
				continue
			}
			alone := !r.Diskless && !slices.ContainsFunc(next.Resources, func(o model.Resource) bool {
				return o.Diskful() && model.Key(o.Node) != model.Key(n.Name)
			})
			if evicted && c.DeleteResources && alone {
				notes = append(notes, warn(fault.NotApplied, fault.Delete, fault.Resource, refsOf(d.Name, n.Name),
					"Resource '%s' stays on node '%s': no other node has a replica of it. `resource delete` removes it with its data.", d.Name, n.Name))
			} else if evicted && c.DeleteResources {
				r.Deleting, r.Successor = true, ""
				notes = append(notes, info(fault.Delete, fault.Resource, refsOf(d.Name, n.Name), "Resource '%s' on node '%s' is removed when other copies are good.", d.Name, n.Name))
				continue
			}
			stays(tx.Snapshot(), env, d, next, r, evicted)
			if r.Deleting {
				notes = append(notes, warn(fault.NotApplied, fault.Modify, fault.Resource, refsOf(d.Name, n.Name),
					"Resource '%s' doesn't come back on node '%s': its place is taken, and DRBD 8.4 replicates between two nodes.", d.Name, n.Name))
			}
		}
		if err := tx.PutDefinition(next); err != nil {
			return Reply{}, err
		}
	}
	return Reply{Notes: notes}, nil
}

// stays keeps r, a replica of c, in its place; one that was to take it and isn't UpToDate is not needed any more.
func stays(s *state.Snapshot, env Env, d *state.Definition, c *model.ResourceDefinition, r *model.Resource, evicted bool) {
	if next := c.Replica(r.Successor); next != nil && !next.Deleting && !plan.UpToDate(d, next) {
		switch next.Toggle {
		case model.AddRequested:
			next.Toggle = model.Removing
		case model.Adding:
			next.Toggle = model.RemoveRequested
		case model.NoToggle, model.RemoveRequested, model.Removing:
			next.Deleting = true
		}
	}
	if evicted && c.DRBD == model.DRBD8 {
		r.Deleting = true // if its place is taken; Stay looks
	}
	plan.Stay(s, env.Rules(), c, r)
}

// Tend goes on with what takes time: nodes that are emptied, nodes that are away for too long, snapshots that are due, disks for what is in use without one. It is
// typed by nobody: the controller does it every few seconds.
type Tend struct{}

// Apply implements Command.
func (Tend) Apply(tx *state.Tx, env Env) (Reply, error) {
	var notes []fault.Note
	if n := overdue(tx.Snapshot(), env.Now); n != nil {
		more, err := evict(tx, env, n)
		if err != nil {
			return Reply{}, err
		}
		notes = append(notes, more...)
	}
	var names []string
	tx.Snapshot().Nodes(func(n *state.Node) bool {
		if n.Evacuate || n.Evicted {
			names = append(names, n.Name)
		}
		return true
	})
	for _, name := range names {
		more, err := moveOff(tx, env, name)
		if err != nil {
			return Reply{}, err
		}
		notes = append(notes, more...)
	}
	if d := verifyDue(tx.Snapshot(), env.Now); d != nil {
		if err := beginVerify(tx, env, d, plan.Verifier(d, d.ResourceDefinition), model.VerifyBySchedule); err != nil {
			return Reply{}, err
		}
	}
	more, err := giveDisks(tx, env)
	if err != nil {
		return Reply{}, err
	}
	notes = append(notes, more...)
	more, err = autoSnapshots(tx, env)
	return Reply{Notes: append(notes, more...)}, err
}

// NeedsTending tells whether Tend may find something to do.
func NeedsTending(s *state.Snapshot, now time.Time) bool {
	found := overdue(s, now) != nil || len(autoDue(s, now)) > 0 || len(wantDisks(s, now)) > 0 || verifyDue(s, now) != nil || plan.TurnCame(s, now.UnixMilli())
	s.Nodes(func(n *state.Node) bool {
		found = found || n.Evacuate || n.Evicted
		return !found
	})
	return found
}

// EvictionMS is when a node that is away will be evicted (ms since 1970 UTC), if the brake doesn't hold it; 0: never.
// LINSTOR's default is 720 minutes (linstor-features, timers).
func EvictionMS(s *state.Snapshot, n *state.Node) int64 {
	cluster := s.Controller().Props
	if n.Seen.Status != model.StatusOffline || n.Evicted || n.Evacuate || !n.Type.HasSatellite() ||
		!props.On("DrbdOptions/AutoEvictAllowEviction", true, n.Props, cluster) {
		return 0
	}
	return n.Seen.SinceMS + int64(number("DrbdOptions/AutoEvictAfterTime", 720, n.Props, cluster))*60_000
}

func number(key string, dflt int, levels ...map[string]string) int {
	if v, ok := props.First(key, levels...); ok {
		if i, err := strconv.Atoi(v); err == nil && i >= 0 {
			return i
		}
	}
	return dflt
}

// overdue finds a node to evict by itself: away for too long, connected to no other by DRBD, and not too many of them at
// once (AutoEvictMaxDisconnectedNodes, percent): when many vanish, it is the network, or the controller.
func overdue(s *state.Snapshot, now time.Time) (late *state.Node) {
	all, away := 0, 0
	s.Nodes(func(n *state.Node) bool {
		if !n.Type.HasSatellite() {
			return true
		}
		all++
		if !n.Online() {
			away++
		}
		if at := EvictionMS(s, n); late == nil && at != 0 && now.UnixMilli() >= at && !heardByPeers(s, n) {
			late = n
		}
		return true
	})
	if late == nil || away*100 > number("DrbdOptions/AutoEvictMaxDisconnectedNodes", 34, s.Controller().Props)*all {
		return nil
	}
	return late
}

// heardByPeers tells whether DRBD of another node is connected to it: it lives, and only its satellite is away.
func heardByPeers(s *state.Snapshot, n *state.Node) bool {
	heard := false
	s.OnNode(n.Name, func(d *state.Definition) bool {
		for _, st := range d.Seen {
			if p := st.Peer(n.Name); p != nil && p.State == model.Connected {
				heard = true
			}
		}
		return !heard
	})
	return heard
}

func onNode(tx *state.Tx, node string) (ids []model.UUID) {
	tx.Snapshot().OnNode(node, func(d *state.Definition) bool {
		ids = append(ids, d.UUID)
		return true
	})
	return ids
}

// flagsChanged makes the definitions on the node anew: what they show and what their nodes are told hangs on the node's flags.
func flagsChanged(tx *state.Tx, node string) error {
	for _, id := range onNode(tx, node) {
		if err := tx.PutDefinition(tx.Snapshot().DefinitionByID(id).ResourceDefinition.Clone()); err != nil {
			return err
		}
	}
	return nil
}

// moveOff sees to it that every replica on an evacuated or evicted node has one that takes its place, and says of each
// that has none why.
func moveOff(tx *state.Tx, env Env, node string) ([]fault.Note, error) {
	var notes []fault.Note
	for _, id := range onNode(tx, node) {
		d := tx.Snapshot().DefinitionByID(id)
		r := d.On(node)
		if d.Deleting || r == nil || r.Deleting && r.Successor == "" { // nil: only copies of snapshots are there
			continue
		}
		note, m := moveOne(tx, env, d, tx.Snapshot().Node(node), r)
		if m != nil {
			if err := tx.PutDefinition(m); err != nil {
				return nil, err
			}
		}
		if note.Message != "" {
			notes = append(notes, note)
		}
	}
	return notes, nil
}

// moveOne gives the definition as it shall become, nil for no change, and what to say of it.
func moveOne(tx *state.Tx, env Env, d *state.Definition, n *state.Node, r *model.Resource) (fault.Note, *model.ResourceDefinition) {
	s := tx.Snapshot()
	refs := refsOf(d.Name, n.Name)
	waits := func(why, details string) (fault.Note, *model.ResourceDefinition) {
		w := warn(fault.NotApplied, fault.Modify, fault.Resource, refs, "Resource '%s' stays on node '%s' for now.", d.Name, n.Name)
		w.Cause, w.Details, w.Correction = why, details, "It is tried again every few seconds."
		return w, nil
	}
	st := d.Seen[r.UUID]
	switch {
	case r.Successor != "":
		if n.Evicted {
			return fault.Note{}, nil
		}
		return info(fault.Modify, fault.Resource, refs, "Resource '%s' leaves node '%s': %s.", d.Name, n.Name, plan.Succession(s, d, r)), nil
	case r.Diskless && n.Evicted:
		return fault.Note{}, nil
	case r.Diskless:
		switch {
		case st == nil:
			return waits("The node is away, so nobody knows whether it is in use there.", "")
		case st.InUse:
			return waits("It is in use (primary) there, diskless: move what uses it.", "")
		}
		m := d.ResourceDefinition.Clone()
		m.Replica(r.UUID).Deleting = true
		return info(fault.Delete, fault.Resource, refs, "Diskless resource '%s' on node '%s' is removed.", d.Name, n.Name), m
	case r.DiskLeaves():
		return waits("Its disk is being removed.", "")
	case !d.HasDRBD():
		return waits("Its layers have no DRBD: nothing replicates it. Copy its data yourself.", "")
	case n.Evicted && enough(s, d):
		return fault.Note{}, nil
	}
	good := slices.ContainsFunc(d.Resources, func(o model.Resource) bool { return !o.Deleting && plan.UpToDate(d, &o) && !plan.Evicted(s, &o) })
	if !good {
		return waits("No replica of it is seen UpToDate now from which another could be made.", "")
	}
	q := another(s, d)
	q.Avoid = n.EvacuateNot
	if len(n.EvacuateTo) > 0 {
		q.Filter.Nodes = n.EvacuateTo
	}
	res := place.Place(s, q)
	if res.Chosen == nil {
		return waits("No other node can take it.", fault.Of(place.NotEnough(q, res)).Details)
	}
	to := res.Chosen[0]
	m := d.ResourceDefinition.Clone()
	if err := replace(s, env, d, m, r.UUID, s.Node(to.Node), to.Pool); err != nil {
		return waits(fault.Why(err), fault.Of(err).Details)
	}
	return info(fault.Create, fault.Resource, refsOf(d.Name, to.Node), "Resource '%s' moves from node '%s' to node '%s', storage pool '%s'.", d.Name, n.Name, to.Node, to.Pool), m
}

// enough tells whether the replicas on other than evicted nodes are as many as wanted: AutoEvictMinReplicaCount, else the
// group's place count, else 2.
func enough(s *state.Snapshot, d *state.Definition) bool {
	want := 2
	if g := s.Group(d.Group); g != nil && g.Filter.PlaceCount > 0 {
		want = g.Filter.PlaceCount
	}
	want = number("DrbdOptions/AutoEvictMinReplicaCount", want, d.Props, s.Controller().Props)
	have := 0
	for i := range d.Resources {
		if r := &d.Resources[i]; r.Diskful() && !plan.Evicted(s, r) {
			have++
		}
	}
	return have >= want
}
