package core

import (
	"slices"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/state"
)

// ToggleDisk gives a diskless replica a disk, or takes the disk of one that has it; the replica stays, and may be in use
// meanwhile. Asked for the other way while it is under way it turns back, as far as nothing is lost by it.
type ToggleDisk struct {
	Definition, Node string
	Diskless         bool
	Pool             string // "": see choosePool
	// From, if not "", is a node whose replica goes when this one is UpToDate. It may be missing on Node until then.
	From string
}

// Apply implements Command.
func (c ToggleDisk) Apply(tx *state.Tx, env Env) (Reply, error) {
	d, n, err := definitionAndNode(tx, c.Definition, c.Node)
	if err != nil {
		return Reply{}, err
	}
	m := d.ResourceDefinition.Clone()
	var note fault.Note
	r := m.On(n.Name)
	switch {
	case c.From != "":
		note, err = migrate(tx, env, d, m, n, c)
	case r == nil || r.Deleting:
		err = noResource(d.Name, n.Name)
	case c.Diskless:
		note, err = dropDisk(tx.Snapshot(), d, n, r)
	default:
		note, err = addDisk(tx.Snapshot(), env, d, m, n, r, c.Pool)
	}
	if err != nil {
		return Reply{}, err
	}
	if note.Severity == fault.Warning { // nothing to do
		return Reply{Notes: []fault.Note{note}, Wait: waits(tx, d.UUID, fault.Modify)}, nil
	}
	if err := tx.PutDefinition(m); err != nil {
		return Reply{}, err
	}
	return Reply{Notes: []fault.Note{note}, Wait: waits(tx, d.UUID, fault.Modify)}, nil
}

// noToggle refuses what can't change between diskless and diskful at all.
func noToggle(n *state.Node, m *model.ResourceDefinition) error {
	switch {
	case !m.HasDRBD():
		return fault.New(fault.Unsupported, fault.Resource, "'%s' can't be diskless on node '%s'.", m.Name, n.Name).
			Because("Its layers have no DRBD: nothing would replicate it.").Do("Create a definition with DRBD.").Ref("RscDfn", m.Name)
	case m.DRBD == model.Unpinned:
		return fault.New(fault.NotConnected, fault.Resource, "Resource '%s' on node '%s' can't be toggled yet.", m.Name, n.Name).
			Because("None of its nodes was online since it was created, and DRBD 8.4 has no diskless replicas.").Do("Bring its nodes online.").Ref("Node", n.Name)
	case m.DRBD == model.DRBD8:
		return fault.New(fault.Unsupported, fault.Resource, "'%s' can't be diskless on node '%s'.", m.Name, n.Name).
			Because("DRBD 8.4 has no diskless replicas.").Do("Create a replica with a disk, or move to DRBD 9.").Ref("Node", n.Name)
	}
	return nil
}

// dropDisk changes r, which is m's, so that its disk goes.
func dropDisk(s *state.Snapshot, d *state.Definition, n *state.Node, r *model.Resource) (fault.Note, error) {
	refs := refsOf(d.Name, n.Name)
	if err := noToggle(n, d.ResourceDefinition); err != nil {
		return fault.Note{}, err
	}
	switch {
	case r.Diskless:
		w := warn(fault.AlreadyDeployed, fault.Modify, fault.Resource, refs, "Resource '%s' on node '%s' is already diskless.", d.Name, n.Name)
		w.Field = "diskless"
		return w, nil
	case r.DiskLeaves():
		w := warn(fault.AlreadyDeployed, fault.Modify, fault.Resource, refs, "The disk of resource '%s' on node '%s' is already being removed.", d.Name, n.Name)
		w.Field = "diskless"
		return w, nil
	case r.Toggle == model.AddRequested:
		// It was never attached: nothing can be lost.
		r.Toggle, r.Successor = model.Removing, ""
		return done(fault.Modify, fault.Resource, refs, "The disk of resource '%s' on node '%s' isn't added: what was made of it is removed.", d.Name, n.Name), nil
	}
	if err := heldBySnapshot(s, d, r, nil); err != nil {
		return fault.Note{}, err
	}
	if g := plan.MayDropDisk(s, d, r); !g.OK {
		return fault.Note{}, fault.New(fault.LastCopy, fault.Resource, "Resource '%s' on node '%s' can't become diskless.", d.Name, n.Name).
			Because("It may hold the last good copy: %s.", g.Reason).
			Do("Wait until another replica with a disk is UpToDate, or add one.").Ref("RscDfn", d.Name).Ref("Node", n.Name)
	}
	r.Toggle, r.Successor = model.RemoveRequested, ""
	return done(fault.Modify, fault.Resource, refs, "Resource '%s' on node '%s' becomes diskless: its disk is removed as soon as a connected peer is UpToDate.", d.Name, n.Name), nil
}

// addDisk changes r, which is m's, so that it gets a disk.
func addDisk(s *state.Snapshot, env Env, d *state.Definition, m *model.ResourceDefinition, n *state.Node, r *model.Resource, pool string) (fault.Note, error) {
	refs := refsOf(d.Name, n.Name)
	switch {
	case r.Toggle == model.RemoveRequested:
		r.Toggle = model.Adding // nothing was ordered: it is as it was, once it is UpToDate
		return done(fault.Modify, fault.Resource, refs, "Resource '%s' on node '%s' keeps its disk.", d.Name, n.Name), nil
	case r.Toggle == model.Removing:
		return fault.Note{}, fault.New(fault.InUse, fault.Resource, "Resource '%s' on node '%s' can't get a disk now.", d.Name, n.Name).
			Because("Its disk is being removed; the order was given.").Do("Wait until it is diskless, then repeat the command.").Ref("RscDfn", d.Name).Ref("Node", n.Name)
	case !r.Diskless:
		w := warn(fault.AlreadyDeployed, fault.Modify, fault.Resource, refs, "Resource '%s' on node '%s' already has a disk.", d.Name, n.Name)
		if r.Toggle != model.NoToggle {
			w.Message = "Resource '" + d.Name + "' on node '" + n.Name + "' is already getting a disk."
		}
		w.Field = "disk"
		return w, nil
	}
	if err := noToggle(n, m); err != nil {
		return fault.Note{}, err
	}
	if err := noNewDisk(n); err != nil {
		return fault.Note{}, err
	}
	if err := noLUKS(n, m, false); err != nil {
		return fault.Note{}, err
	}
	probe := model.Resource{UUID: env.UUID(), Node: r.Node, Props: r.Props}
	for i := range m.Volumes {
		vd := &m.Volumes[i]
		v := r.Volume(vd.Number)
		if vd.Deleting || v == nil || v.Deleting {
			continue
		}
		to, err := choosePool(s, n, m, vd, &probe, pool)
		if err != nil {
			return fault.Note{}, err
		}
		probe.Volumes = append(probe.Volumes, model.Volume{Number: vd.Number, Pool: to})
		v.UUID, v.Pool, v.Initialised, v.Filled = env.UUID(), to, false, false
		if vd.Initialised {
			v.From = nil // others have the data
		}
	}
	r.Diskless, r.TieBreaker, r.Toggle, r.First, r.UsedMS, r.NoDisk = false, false, model.AddRequested, false, 0, ""
	return done(fault.Modify, fault.Resource, refs, "Resource '%s' on node '%s' gets a disk.", d.Name, n.Name), nil
}

// noNewDisk refuses to place data on a node that is being emptied.
func noNewDisk(n *state.Node) error {
	switch {
	case n.Evacuate:
		return fault.New(fault.Refused, fault.Node, "Node '%s' takes no new replicas.", n.Name).
			Because("It is being evacuated.").Do("Choose another node, or type `node restore %s` first.", n.Name).Ref("Node", n.Name)
	case n.Evicted:
		return fault.New(fault.Refused, fault.Node, "Node '%s' takes no new replicas.", n.Name).
			Because("It is evicted.").Do("Choose another node, or type `node restore %s` first.", n.Name).Ref("Node", n.Name)
	}
	return nil
}

// migrate gives n a disk and lets the replica on c.From go when that is UpToDate.
func migrate(tx *state.Tx, env Env, d *state.Definition, m *model.ResourceDefinition, n *state.Node, c ToggleDisk) (fault.Note, error) {
	s := tx.Snapshot()
	from, err := findNode(tx, c.From)
	if err != nil {
		return fault.Note{}, err
	}
	old := m.On(from.Name)
	switch {
	case old == nil || old.Deleting && old.Successor == "":
		return fault.Note{}, noResource(d.Name, from.Name)
	case model.Key(from.Name) == model.Key(n.Name):
		return fault.Note{}, fault.New(fault.Invalid, fault.Resource, "Resource '%s' can't move from node '%s' to itself.", d.Name, n.Name).In("migrate_from").
			Because("The node is the same.").Do("Name another node to move from.").Ref("RscDfn", d.Name).Ref("Node", n.Name)
	case old.Successor != "":
		next := m.Replica(old.Successor)
		if next != nil && model.Key(next.Node) == model.Key(n.Name) {
			return warn(fault.AlreadyDeployed, fault.Modify, fault.Resource, refsOf(d.Name, n.Name), "Resource '%s' is already moving from node '%s' to '%s'.", d.Name, from.Name, n.Name), nil
		}
		return fault.Note{}, fault.New(fault.InUse, fault.Resource, "Resource '%s' can't move from node '%s' to '%s'.", d.Name, from.Name, n.Name).
			Because("It is moving elsewhere already.").Do("Wait, or delete the replica on the other node first.").Ref("RscDfn", d.Name).Ref("Node", from.Name)
	case !old.Diskful():
		return fault.Note{}, fault.New(fault.Invalid, fault.Resource, "Resource '%s' has no disk on node '%s' that could move.", d.Name, from.Name).In("migrate_from").
			Because("It is diskless there, or its disk is being removed.").Do("Name a node that has a disk of it.").Ref("RscDfn", d.Name).Ref("Node", from.Name)
	}
	if r := m.On(n.Name); r != nil && !r.Deleting && !r.Diskless {
		w := warn(fault.AlreadyDeployed, fault.Modify, fault.Resource, refsOf(d.Name, n.Name), "Resource '%s' on node '%s' already has a disk.", d.Name, n.Name)
		w.Field = "disk"
		return w, nil
	}
	if err := replace(s, env, d, m, old.UUID, n, c.Pool); err != nil {
		return fault.Note{}, err
	}
	return done(fault.Modify, fault.Resource, refsOf(d.Name, n.Name), "Resource '%s' moves from node '%s' to node '%s'; it leaves '%s' when it is UpToDate on '%s'.",
		d.Name, from.Name, n.Name, from.Name, n.Name), nil
}

// replace makes a replica with a disk on n, of a diskless one if there is one, which takes the place of old, a replica of m.
func replace(s *state.Snapshot, env Env, d *state.Definition, m *model.ResourceDefinition, old model.UUID, n *state.Node, pool string) error {
	if o := m.Replica(old); !plan.Evicted(s, o) {
		if err := heldBySnapshot(s, d, o, nil); err != nil {
			return err
		}
		if err := rolledBack(d, o); err != nil {
			return err
		}
	}
	if err := makeRoom(s, d, m, old); err != nil {
		return err
	}
	r := m.On(n.Name)
	if r != nil && !r.Deleting {
		if _, err := addDisk(s, env, d, m, n, r, pool); err != nil {
			return err
		}
	} else if _, err := addReplicaTo(s, env, d, m, n, ResourceOn{Node: n.Name, Pool: pool}); err != nil {
		return err
	}
	i := slices.IndexFunc(m.Resources, func(r model.Resource) bool { return !r.Deleting && model.Key(r.Node) == model.Key(n.Name) })
	m.Replica(old).Successor = m.Resources[i].UUID
	return nil
}

// makeRoom: DRBD 8.4 replicates between two nodes only. There the old replica steps aside first: it keeps its disk, is
// told nothing, and the replica that stays syncs the new one. The copies are one fewer meanwhile.
func makeRoom(s *state.Snapshot, d *state.Definition, m *model.ResourceDefinition, id model.UUID) error {
	gen := m.DRBD
	old := m.Replica(id)
	if gen == model.Unpinned {
		if n := s.Node(old.Node); n != nil {
			gen = n.Seen.DRBD
		}
	}
	live := 0
	for i := range m.Resources {
		if r := &m.Resources[i]; !r.Deleting && !plan.Evicted(s, r) {
			live++
		}
	}
	if !m.HasDRBD() || gen != model.DRBD8 || live < 2 || plan.Evicted(s, old) {
		return nil
	}
	st := d.Seen[old.UUID]
	if st == nil && plan.EverDeployed(old) {
		return fault.New(fault.NotConnected, fault.Resource, "Resource '%s' can't move away from node '%s' now.", d.Name, old.Node).
			Because("With DRBD 8.4, which replicates between two nodes, it has to step aside for the new one, and node '%s' hasn't told yet whether it is in use there.", old.Node).
			Do("Wait until the node is online; if it doesn't come back: `node evict %s`.", old.Node).Ref("RscDfn", d.Name).Ref("Node", old.Node)
	}
	if st != nil && st.InUse {
		return fault.New(fault.InUse, fault.Resource, "Resource '%s' can't move away from node '%s' now.", d.Name, old.Node).
			Because("It is in use (primary) there, and with DRBD 8.4, which replicates between two nodes, it has to step aside for the new one.").
			Do("Unmount it, make it secondary; then it moves.").Ref("RscDfn", d.Name).Ref("Node", old.Node)
	}
	g := plan.MayRemove(s, d, old)
	if g.OK && !slices.ContainsFunc(m.Resources, func(r model.Resource) bool {
		return r.UUID != id && r.Diskful() && plan.UpToDate(d, &r)
	}) {
		g = plan.Removal{Reason: "no other replica is UpToDate yet"}
	}
	if !g.OK || g.LastUnused {
		return fault.New(fault.LastCopy, fault.Resource, "Resource '%s' can't move away from node '%s' now.", d.Name, old.Node).
			Because("With DRBD 8.4, which replicates between two nodes, it has to step aside for the new one, and it may hold the last good copy: %s.", g.Reason).
			Do("Wait until the other replica is UpToDate; then it moves.").Ref("RscDfn", d.Name).Ref("Node", old.Node)
	}
	old.Deleting = true
	return nil
}
