package core

import (
	"slices"
	"strconv"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/plan/place"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// ResourceOn asks for a replica on a node.
type ResourceOn struct {
	Node     string
	Pool     string // "": see choosePool
	Diskless bool
	NodeID   *int
	Port     int
	Props    map[string]string
	// From and Pools, by volume number: what the volume is made from, and the pool that is in.
	From  map[int]*model.Source
	Pools map[int]string
}

// ResourceCreate makes replicas of a definition on named nodes: all or none.
type ResourceCreate struct {
	Definition string
	On         []ResourceOn
	Layers     []model.LayerKind
}

func (c ResourceCreate) Apply(tx *state.Tx, env Env) (Reply, error) {
	d, err := findDefinition(tx, c.Definition)
	if err != nil {
		return Reply{}, err
	}
	if c.Layers != nil && !slices.Equal(c.Layers, d.LayerStack()) {
		return Reply{}, fault.New(fault.Invalid, fault.Resource, "The layers %v don't fit '%s'.", c.Layers, d.Name).In("layer_list").
			Because("All replicas have the definition's: %v.", d.LayerStack()).Do("Leave them away, or set them on the definition before the first replica.")
	}
	m := d.ResourceDefinition.Clone()
	var notes []fault.Note
	for _, on := range c.On {
		n, err := addReplica(tx, env, d, m, on)
		if err != nil {
			return Reply{}, err
		}
		notes = append(notes, n...)
	}
	if err := tx.PutDefinition(m); err != nil {
		return Reply{}, err
	}
	return Reply{Notes: notes, Wait: waits(tx, d.UUID, fault.Create)}, nil
}

func refsOf(def, node string) map[string]string {
	return map[string]string{"RscDfn": def, "Node": node}
}

// addReplica puts a new incarnation into m, which becomes the next d.
func addReplica(tx *state.Tx, env Env, d *state.Definition, m *model.ResourceDefinition, on ResourceOn) ([]fault.Note, error) {
	n, err := findNode(tx, on.Node)
	if err != nil {
		return nil, err
	}
	return addReplicaTo(tx.Snapshot(), env, d, m, n, on)
}

func addReplicaTo(s *state.Snapshot, env Env, d *state.Definition, m *model.ResourceDefinition, n *state.Node, on ResourceOn) ([]fault.Note, error) {
	if r := m.On(n.Name); r != nil && !r.Deleting && r.TieBreaker {
		if on.Diskless {
			return untie(d.Name, r), nil
		}
		if st := d.Seen[r.UUID]; st != nil && st.InUse {
			return nil, fault.New(fault.InUse, fault.Resource, "Resource '%s' on node '%s' can't get a disk.", d.Name, n.Name).
				Because("It is in use (primary) there, diskless.").Do("Stop what uses it there, then try again.").Ref("RscDfn", d.Name).Ref("Node", n.Name).MayPass()
		}
		r.Deleting = true // the vote goes where the data comes; the new one waits until it is gone
	} else if r != nil && !r.Deleting {
		return nil, fault.New(fault.Exists, fault.Resource, "Resource '%s' on node '%s' already exists.", d.Name, n.Name).
			Because("A node has one replica of a definition.").Do("Choose another node.").Ref("RscDfn", d.Name).Ref("Node", n.Name)
	}
	if !n.Type.HasSatellite() {
		return nil, fault.New(fault.Invalid, fault.Resource, "Node '%s' can't have resources.", n.Name).In("node_name").
			Because("Its type is %s: it has no satellite.", n.Type).Do("Choose another node.").Ref("Node", n.Name)
	}
	if m.Cloning.Failed() {
		return nil, notUnmade(m, fault.Resource, "It can't have new replicas.")
	}
	if !on.Diskless {
		if err := noNewDisk(n); err != nil {
			return nil, err
		}
	}
	if err := checkGeneration(s, n, m, on.Diskless); err != nil {
		return nil, err
	}
	if err := noLUKS(n, m, on.Diskless); err != nil {
		return nil, err
	}
	p, err := props.Apply(props.Resource, fault.Resource, nil, on.Props, nil, nil)
	if err != nil {
		return nil, err
	}
	r := model.Resource{UUID: env.UUID(), Node: n.Name, Diskless: on.Diskless, Props: p, CreatedMS: env.Now.UnixMilli(),
		First: !slices.ContainsFunc(m.Volumes, func(v model.VolumeDefinition) bool { return v.Initialised })}
	if m.HasDRBD() {
		if r.NodeID, err = nodeID(m, on.NodeID); err != nil {
			return nil, err
		}
		if r.Port, err = port(s, n, m, on.Port); err != nil {
			return nil, err
		}
	} else if on.Diskless || len(m.Resources) > 0 {
		return nil, fault.New(fault.Unsupported, fault.Resource, "'%s' can't have another replica.", d.Name).
			Because("Its layers have no DRBD: nothing would replicate it.").Do("Create a definition with DRBD.").Ref("RscDfn", d.Name)
	}
	for i := range m.Volumes {
		vd := &m.Volumes[i]
		if vd.Deleting {
			continue
		}
		v := model.Volume{UUID: env.UUID(), Number: vd.Number}
		if !r.Diskless {
			asked := on.Pool
			if p := on.Pools[vd.Number]; p != "" {
				asked = p
			}
			if v.Pool, err = choosePool(s, n, m, vd, &r, asked); err != nil {
				return nil, err
			}
			v.From = on.From[vd.Number]
		}
		r.Volumes = append(r.Volumes, v)
	}
	m.Resources = append(m.Resources, r)
	slices.SortStableFunc(m.Resources, func(a, b model.Resource) int {
		switch ka, kb := model.Key(a.Node), model.Key(b.Node); {
		case ka < kb:
			return -1
		case ka > kb:
			return 1
		}
		return 0
	})
	note := done(fault.Create, fault.Resource, refsOf(d.Name, n.Name), "New resource '%s' on node '%s' registered.", d.Name, n.Name)
	note.Details = "Resource '" + d.Name + "' on node '" + n.Name + "' UUID is: " + string(r.UUID)
	return []fault.Note{note}, nil
}

// checkGeneration keeps a resource within one DRBD generation, and within what that generation can do.
func checkGeneration(s *state.Snapshot, n *state.Node, m *model.ResourceDefinition, diskless bool) error {
	if !m.HasDRBD() {
		return nil
	}
	gen := m.DRBD
	if gen == model.Unpinned {
		gen = n.Seen.DRBD
	}
	if n.Online() && n.Seen.DRBD == model.Unpinned {
		return fault.New(fault.Unsupported, fault.Resource, "Node '%s' can't carry '%s'.", n.Name, m.Name).
			Because("It has no DRBD: %v.", n.Seen.Unsupported[string(model.LayerDRBD)]).Do("Install the DRBD kernel module and drbd-utils there.").Ref("Node", n.Name)
	}
	if n.Online() && n.Seen.DRBD != gen {
		return fault.New(fault.Unsupported, fault.Resource, "Node '%s' can't carry '%s'.", n.Name, m.Name).
			Because("The resource was made with DRBD %d, the node runs DRBD %d, and neither reads the other's metadata.", gen, n.Seen.DRBD).
			Do("Choose a node with DRBD %d.", gen).Ref("Node", n.Name)
	}
	live := 0
	for _, r := range m.Resources {
		if !r.Deleting && !(gen == model.DRBD8 && plan.Evicted(s, &r)) {
			live++
		}
		if o := s.Node(r.Node); m.DRBD == model.Unpinned && o != nil && o.Online() && n.Online() && o.Seen.DRBD != n.Seen.DRBD {
			return fault.New(fault.Unsupported, fault.Resource, "Nodes '%s' and '%s' can't replicate '%s'.", o.Name, n.Name, m.Name).
				Because("One runs DRBD %d, the other DRBD %d.", o.Seen.DRBD, n.Seen.DRBD).Do("Choose nodes of one generation.")
		}
	}
	switch {
	case gen == model.DRBD8 && diskless:
		return fault.New(fault.Unsupported, fault.Resource, "'%s' can't be diskless on node '%s'.", m.Name, n.Name).
			Because("DRBD 8.4 has no diskless replicas.").Do("Create a replica with a disk, or move to DRBD 9.").Ref("Node", n.Name)
	case gen == model.DRBD8 && live >= 2:
		return fault.New(fault.Unsupported, fault.Resource, "'%s' can't have a third replica.", m.Name).
			Because("DRBD 8.4 replicates between two nodes.").Do("Delete a replica first, or move to DRBD 9.").Ref("RscDfn", m.Name)
	case gen == model.DRBD9 && live > m.PeerSlots:
		return fault.New(fault.Exhausted, fault.Resource, "'%s' can't have another replica.", m.Name).In("peer_slots").
			Because("Its metadata was made for %d peers.", m.PeerSlots).Do("Create definitions with more --peer-slots.").Ref("RscDfn", m.Name)
	}
	return nil
}

// nodeID gives the lowest DRBD node-id that no replica has, none that is still going had, and no peer remembers.
func nodeID(m *model.ResourceDefinition, want *int) (int, error) {
	taken := func(id int) bool {
		return slices.ContainsFunc(m.Resources, func(r model.Resource) bool { return r.NodeID == id }) ||
			slices.ContainsFunc(m.Retired, func(t model.RetiredNodeID) bool { return t.NodeID == id })
	}
	if want != nil {
		if *want < 0 || *want > model.MaxNodeID {
			return 0, fault.New(fault.Invalid, fault.Resource, "The DRBD node-id %d is not valid.", *want).In("drbd_node_id").
				Because("It must be between 0 and %d.", model.MaxNodeID).Do("Leave it away.")
		}
		if taken(*want) {
			return 0, fault.New(fault.Exists, fault.Resource, "The DRBD node-id %d of '%s' is taken.", *want, m.Name).In("drbd_node_id").
				Because("A replica has it, or a peer still remembers whose it was.").Do("Leave it away.")
		}
		return *want, nil
	}
	if id := plan.FreeNodeID(m); id >= 0 {
		return id, nil
	}
	return 0, fault.New(fault.Exhausted, fault.Resource, "No DRBD node-id of '%s' is free.", m.Name).In("drbd_node_id").
		Because("All %d are taken, or remembered by a peer that is offline.", model.MaxNodeID+1).Do("Bring its nodes online.")
}

func port(s *state.Snapshot, n *state.Node, m *model.ResourceDefinition, want int) (int, error) {
	if want != 0 {
		if want < 1 || want > 65535 {
			return 0, fault.New(fault.Invalid, fault.Resource, "The port %d is not valid.", want).In("drbd_tcp_ports").
				Because("A TCP port is between 1 and 65535.").Do("Leave it away.")
		}
		if u := s.PortUser(n.Name, want); u != "" {
			return 0, fault.New(fault.Exists, fault.Resource, "The port %d on node '%s' is taken.", want, n.Name).In("drbd_tcp_ports").
				Because("'%s' has it.", s.DefinitionByID(u).Name).Do("Leave it away.")
		}
		return want, nil
	}
	if m.Port != 0 && s.PortUser(n.Name, m.Port) == "" {
		return m.Port, nil
	}
	from, to := props.PortRange(n.Props, s.Controller().Props)
	p := s.FreePort(n.Name, from, to)
	if p < 0 {
		return 0, fault.New(fault.Exhausted, fault.Resource, "No TCP port is free on node '%s'.", n.Name).In("drbd_tcp_ports").
			Because("All of %d-%d are taken.", from, to).Do("Set the property TcpPortAutoRange of the node or the controller to a wider range.")
	}
	return p, nil
}

// Autoplace makes replicas where they fit best, until there are as many as the filter says.
type Autoplace struct {
	Definition string
	Filter     model.SelectFilter
	Layers     []model.LayerKind
}

func (c Autoplace) Apply(tx *state.Tx, env Env) (Reply, error) {
	s := tx.Snapshot()
	d, err := findDefinition(tx, c.Definition)
	if err != nil {
		return Reply{}, err
	}
	f := c.Filter
	if g := s.Group(d.Group); g != nil {
		f = f.Over(g.Filter)
	}
	if err := checkPlaceCount(f.PlaceCount); err != nil {
		return Reply{}, err
	}
	if c.Layers != nil && !slices.Equal(c.Layers, d.LayerStack()) {
		return Reply{}, fault.New(fault.Invalid, fault.Resource, "The layers %v don't fit '%s'.", c.Layers, d.Name).In("layer_list").
			Because("All replicas have the definition's: %v.", d.LayerStack()).Do("Leave them away, or set them on the definition before the first replica.")
	}
	have, less := d.Votes()
	diskless := c.Filter.DisklessType != ""
	if diskless {
		have = less
	}
	want := f.PlaceCount
	if want == 0 {
		want = 2
	}
	if c.Filter.AdditionalPlaceCount > 0 {
		want = have + c.Filter.AdditionalPlaceCount
	}
	remaining := f.DisklessOnRemaining != nil && *f.DisklessOnRemaining
	if have >= want && !remaining {
		n := warn(fault.AlreadyDeployed, fault.Create, fault.Resource, map[string]string{"RscDfn": d.Name},
			"Resource '%s' already deployed: it has %d of %d replicas.", d.Name, have, want)
		n.Severity = fault.Warning
		return Reply{Notes: []fault.Note{n}, Wait: waits(tx, d.UUID, fault.Create)}, nil
	}
	q := place.Request{Definition: d, Filter: f, Count: max(0, want-have), Diskless: diskless}
	q.SizesKiB = sizes(d)
	res := place.Place(s, q)
	if len(res.Chosen) < q.Count {
		return Reply{}, place.NotEnough(q, res)
	}
	m := d.ResourceDefinition.Clone()
	refs := map[string]string{"RscDfn": d.Name}
	var notes []fault.Note
	for i, ch := range res.Chosen {
		if _, err := addReplica(tx, env, d, m, ResourceOn{Node: ch.Node, Pool: ch.Pool, Diskless: diskless}); err != nil {
			return Reply{}, err
		}
		refs["Node/"+strconv.Itoa(i)] = ch.Node
		if diskless {
			notes = append(notes, info(fault.Create, fault.Resource, refsOf(d.Name, ch.Node), "Resource '%s' goes to node '%s', diskless.", d.Name, ch.Node))
			continue
		}
		refs["StoragePool/"+strconv.Itoa(i)+"/0"] = ch.Pool
		notes = append(notes, info(fault.Create, fault.Resource, refsOf(d.Name, ch.Node), "Resource '%s' goes to node '%s', storage pool '%s'.", d.Name, ch.Node, ch.Pool))
	}
	if remaining {
		more, err := disklessOnRemaining(tx, env, d, m, f)
		if err != nil {
			return Reply{}, err
		}
		notes = append(notes, more...)
	}
	if err := tx.PutDefinition(m); err != nil {
		return Reply{}, err
	}
	head := done(fault.Create, fault.Resource, refs, "Resource '%s' successfully autoplaced on %d nodes.", d.Name, len(res.Chosen))
	return Reply{Notes: append([]fault.Note{head}, notes...), Wait: waits(tx, d.UUID, fault.Create)}, nil
}

func disklessOnRemaining(tx *state.Tx, env Env, d *state.Definition, m *model.ResourceDefinition, f model.SelectFilter) ([]fault.Note, error) {
	s := tx.Snapshot()
	probe := &state.Definition{ResourceDefinition: m, Seen: d.Seen}
	var notes []fault.Note
	var names []string
	s.Nodes(func(n *state.Node) bool {
		if r := m.On(n.Name); (r == nil || r.Deleting || r.TieBreaker) && n.Type.HasSatellite() {
			names = append(names, n.Name)
		}
		return true
	})
	for _, name := range names {
		one := place.Place(s, place.Request{Definition: probe, Filter: model.SelectFilter{Nodes: []string{name}}, Count: 1, Diskless: true})
		if one.Chosen == nil {
			why := "it can't carry a diskless replica"
			for _, r := range one.Refused {
				if r.Node == name {
					why = r.Why
				}
			}
			notes = append(notes, warn(fault.NotEnoughNodes, fault.Create, fault.Resource, refsOf(d.Name, name), "No diskless replica of '%s' on node '%s': %s.", d.Name, name, why))
			continue
		}
		n, err := addReplica(tx, env, d, m, ResourceOn{Node: name, Diskless: true})
		if err != nil {
			return nil, err
		}
		notes = append(notes, n...)
	}
	return notes, nil
}

// ResourceModify changes a replica's properties.
type ResourceModify struct {
	Definition, Node string
	Override         map[string]string
	Delete           []string
	Namespaces       []string
}

func (c ResourceModify) Apply(tx *state.Tx, _ Env) (Reply, error) {
	d, r, err := copyWithReplica(tx, c.Definition, c.Node)
	if err != nil {
		return Reply{}, err
	}
	if r.Props, err = props.Apply(props.Resource, fault.Resource, r.Props, c.Override, c.Delete, c.Namespaces); err != nil {
		return Reply{}, err
	}
	if err := tx.PutDefinition(d); err != nil {
		return Reply{}, err
	}
	notes := []fault.Note{done(fault.Modify, fault.Resource, refsOf(d.Name, r.Node), "Resource '%s' on node '%s' modified.", d.Name, r.Node)}
	return Reply{Notes: append(notes, noNic(tx.Snapshot(), c.Override, r.Node)...), Wait: waits(tx, d.UUID, fault.Modify)}, nil
}

// copyWithReplica is a copy of the definition, to be changed, and its replica on the node.
func copyWithReplica(tx *state.Tx, def, node string) (*model.ResourceDefinition, *model.Resource, error) {
	d, err := findDefinition(tx, def)
	if err != nil {
		return nil, nil, err
	}
	m := d.ResourceDefinition.Clone()
	r := m.On(node)
	if r == nil || r.Deleting {
		return nil, nil, noResource(d.Name, node)
	}
	return m, r, nil
}

func noResource(def, node string) error {
	return fault.New(fault.NotFound, fault.Resource, "Resource '%s' on node '%s' not found.", def, node).
		Because("The node has no replica of it.").Do("`resource list` shows the replicas.").Ref("RscDfn", def).Ref("Node", node)
}

// ReplicaVolumeModify changes the properties of one volume of one replica.
type ReplicaVolumeModify struct {
	Definition, Node string
	Number           int
	Override         map[string]string
	Delete           []string
	Namespaces       []string
}

func (c ReplicaVolumeModify) Apply(tx *state.Tx, _ Env) (Reply, error) {
	d, r, err := copyWithReplica(tx, c.Definition, c.Node)
	if err != nil {
		return Reply{}, err
	}
	v := r.Volume(c.Number)
	if v == nil {
		return Reply{}, fault.New(fault.NotFound, fault.Volume, "Volume %d of resource '%s' on node '%s' not found.", c.Number, d.Name, r.Node).
			Because("The replica has no volume of that number.").Do("`volume list` shows them.")
	}
	if v.Props, err = props.Apply(props.Volume, fault.Volume, v.Props, c.Override, c.Delete, c.Namespaces); err != nil {
		return Reply{}, err
	}
	if err := tx.PutDefinition(d); err != nil {
		return Reply{}, err
	}
	return Reply{Notes: []fault.Note{done(fault.Modify, fault.Volume, refsOf(d.Name, r.Node), "Volume %d of resource '%s' on node '%s' modified.", c.Number, d.Name, r.Node)},
		Wait: waits(tx, d.UUID, fault.Modify)}, nil
}

// ResourceDelete removes the replica on a node. Lose names the definition if its data may be given up with it.
type ResourceDelete struct {
	Definition, Node string
	Lose             []string
	// KeepTieBreaker keeps a replica that is the definition's tie-breaker (Proxmox deletes a diskless replica twice: the first
	// makes it the tie-breaker, the second is not meant for it), and makes another's a plain diskless replica, which stays
	// whatever becomes of the rest.
	KeepTieBreaker bool
}

func (c ResourceDelete) Apply(tx *state.Tx, _ Env) (Reply, error) {
	refs := refsOf(c.Definition, c.Node)
	s := tx.Snapshot()
	d := s.Definition(c.Definition)
	var r *model.Resource
	if d != nil {
		r = d.On(c.Node)
	}
	if r == nil {
		return Reply{Notes: []fault.Note{warn(fault.NotFound, fault.Delete, fault.Resource, refs, "Resource '%s' on node '%s' does not exist.", c.Definition, c.Node)}}, nil
	}
	lose := slices.ContainsFunc(c.Lose, func(l string) bool { return model.Key(l) == model.Key(d.Name) })
	if st := d.Seen[r.UUID]; st != nil && st.InUse && !r.Deleting {
		return Reply{}, fault.New(fault.InUse, fault.Resource, "Resource '%s' on node '%s' can't be deleted.", d.Name, r.Node).
			Because("It is in use (primary) there.").Do("Unmount it, make it secondary, then try again.").Ref("RscDfn", d.Name).Ref("Node", r.Node).MayPass()
	}
	if c.KeepTieBreaker && r.TieBreaker && !r.Deleting {
		n := info(fault.Delete, fault.Resource, refs, "Resource '%s' on node '%s' is the tie-breaker and stays.", d.Name, r.Node)
		n.Cause = "The request asks to keep it."
		return Reply{Notes: []fault.Note{n}}, nil
	}
	if err := heldBySnapshot(s, d, r, nil); err != nil {
		return Reply{}, err
	}
	if !lose && !d.Deleting && !r.Deleting && !r.Diskless {
		if err := rolledBack(d, r); err != nil {
			return Reply{}, err
		}
	}
	free := *r
	free.Successor = ""
	if g := plan.MayRemove(s, d, &free); !g.OK && !lose && (!r.Deleting || r.Successor != "") {
		return Reply{}, fault.New(fault.LastCopy, fault.Resource, "Resource '%s' on node '%s' can't be deleted.", d.Name, r.Node).
			Because("It may hold the last good copy: %s.", g.Reason).
			Do("Wait until another replica is UpToDate, or type --lose=%s, which gives the data up.", d.Name).Ref("RscDfn", d.Name).Ref("Node", r.Node)
	}
	id := r.UUID
	m := d.ResourceDefinition.Clone()
	r = m.Replica(id)
	if notes := takesOver(s, m, r); notes != nil {
		if err := tx.PutDefinition(m); err != nil {
			return Reply{}, err
		}
		return Reply{Notes: notes}, nil
	}
	if tb := m.TieBreaker(); tb != nil && c.KeepTieBreaker && tb != r {
		tb.TieBreaker = false
	}
	if r.TieBreaker && !r.Deleting {
		plan.NoTieBreaker(m)
	}
	r.Deleting, r.Lose, r.Successor = true, r.Lose || lose, ""
	if err := tx.PutDefinition(m); err != nil {
		return Reply{}, err
	}
	return Reply{Notes: []fault.Note{done(fault.Delete, fault.Resource, refs, "Resource '%s' on node '%s' deleted.", d.Name, r.Node)},
		Wait: waits(tx, d.UUID, fault.Delete)}, nil
}

// MakeAvailable sees to it that the resource can be used on the node: nothing if a replica is there, else a diskless one,
// or one with a disk if asked for, or where there are none yet, or DRBD 8.4 has nothing else.
type MakeAvailable struct {
	Definition, Node string
	Diskful          bool
}

func (c MakeAvailable) Apply(tx *state.Tx, env Env) (Reply, error) {
	d, n, err := definitionAndNode(tx, c.Definition, c.Node)
	if err != nil {
		return Reply{}, err
	}
	if r := d.On(n.Name); r != nil && !r.Deleting && !r.TieBreaker {
		if r.Inactive {
			return Reply{}, fault.New(fault.InUse, fault.Resource, "Resource '%s' on node '%s' can't be made available.", d.Name, n.Name).
				Because("It was deactivated there.").Do("`resource activate %s %s`, then try again.", n.Name, d.Name).Ref("RscDfn", d.Name).Ref("Node", n.Name)
		}
		if c.Diskful && (r.Diskless || r.DiskLeaves()) {
			return ToggleDisk{Definition: d.Name, Node: n.Name}.Apply(tx, env)
		}
		if !isUp(d, r) { // another made it just now, or the node is away: the device isn't there yet
			return Reply{Notes: []fault.Note{info(fault.Create, fault.Resource, refsOf(d.Name, n.Name), "Resource '%s' is on node '%s' already.", d.Name, n.Name)},
				Wait: []Wait{{Node: r.Node, Definition: d.UUID, Replica: r.UUID, Generation: d.Generation, Op: fault.Create}}}, nil
		}
		return Reply{Notes: []fault.Note{info(fault.Create, fault.Resource, refsOf(d.Name, n.Name), "Resource '%s' is available on node '%s'.", d.Name, n.Name)}}, nil
	}
	none := !slices.ContainsFunc(d.Resources, func(r model.Resource) bool { return !r.Deleting && !r.Diskless })
	gen := d.DRBD
	if gen == model.Unpinned {
		gen = n.Seen.DRBD
	}
	diskless := !c.Diskful && !none && gen != model.DRBD8 && d.HasDRBD()
	return ResourceCreate{Definition: d.Name, On: []ResourceOn{{Node: n.Name, Diskless: diskless}}}.Apply(tx, env)
}

// isUp tells whether the node says that all the replica's devices are there.
func isUp(d *state.Definition, r *model.Resource) bool {
	st := d.Seen[r.UUID]
	return st != nil && !slices.ContainsFunc(r.Volumes, func(v model.Volume) bool {
		vd, seen := d.Volume(v.Number), st.Volume(v.Number)
		return !v.Deleting && vd != nil && !vd.Deleting && (seen == nil || seen.Device == "")
	})
}
