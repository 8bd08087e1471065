package state

import (
	"fmt"
	"maps"
	"slices"

	"holdfast/internal/model"
)

// Change is one persisted object that a Tx touched: exactly one of the pointers is set, or none if it was removed.
type Change struct {
	Record     int64
	Kind       Kind
	Controller *model.ControllerState
	Node       *model.Node
	Group      *model.ResourceGroup
	Definition *model.ResourceDefinition
}

// Kind of a persisted object.
type Kind uint8

const (
	KindController Kind = 1 + iota
	KindNode
	KindGroup
	KindDefinition
)

// Dirty names what a node must be told anew.
type Dirty struct {
	Node       string     // model.Key
	Definition model.UUID // "": the node's own record (its pools)
}

// Tx makes the next Snapshot. It is for one goroutine.
type Tx struct {
	s       *Snapshot
	changes map[int64]Change
	dirty   map[Dirty]struct{}
	touched map[model.UUID]struct{} // definitions, for the rules that follow a change
	seen    map[string]struct{}     // nodes, by key
}

// Begin starts on a snapshot that this goroutine alone changes (the writer's head).
func Begin(s *Snapshot) *Tx {
	return &Tx{s: s.fork(), changes: map[int64]Change{}, dirty: map[Dirty]struct{}{}, touched: map[model.UUID]struct{}{},
		seen: map[string]struct{}{}}
}

// Fork starts a Tx on top of this one; Join takes it in. A fork that isn't joined leaves no trace.
func (t *Tx) Fork() *Tx { return Begin(t.s) }

// Join makes what was done in f, the newest Fork of t, part of t.
func (t *Tx) Join(f *Tx) {
	t.s = f.s
	maps.Copy(t.changes, f.changes)
	maps.Copy(t.dirty, f.dirty)
	maps.Copy(t.touched, f.touched)
	maps.Copy(t.seen, f.seen)
}

// Snapshot is the state so far; valid until the next change.
func (t *Tx) Snapshot() *Snapshot { return t.s }

// Publish returns an immutable snapshot with that revision; the Tx goes on as the head.
func (t *Tx) Publish(rev uint64) *Snapshot {
	p := t.s.fork()
	p.Rev = rev
	return p
}

// Changes to persist, by record. They are forgotten here.
func (t *Tx) Changes() []Change {
	out := slices.SortedFunc(maps.Values(t.changes), func(a, b Change) int { return int(a.Record - b.Record) })
	clear(t.changes)
	return out
}

// Dirty names, in order, whom to tell. They are forgotten here.
func (t *Tx) Dirty() []Dirty {
	out := slices.SortedFunc(maps.Keys(t.dirty), func(a, b Dirty) int {
		if a.Node != b.Node {
			if a.Node < b.Node {
				return -1
			}
			return 1
		}
		if a.Definition < b.Definition {
			return -1
		}
		return 1
	})
	clear(t.dirty)
	return out
}

// SeenNodes names, by key, the nodes of which something new was seen. They are forgotten here.
func (t *Tx) SeenNodes() map[string]struct{} {
	out := t.seen
	t.seen = map[string]struct{}{}
	return out
}

// NodesSeen names, in order, the nodes of which something new was seen since the Tx began; unlike SeenNodes it forgets nothing.
func (t *Tx) NodesSeen() []string { return slices.Sorted(maps.Keys(t.seen)) }

// Touched definitions since the last call, in order; for the rules that run after every change.
func (t *Tx) Touched() []model.UUID {
	out := slices.Sorted(maps.Keys(t.touched))
	clear(t.touched)
	return out
}

func (t *Tx) record(have int64) int64 {
	if have != 0 {
		return have
	}
	t.s.record++
	return t.s.record
}

// PutController replaces the cluster's record and raises its generation. c must be a clone.
func (t *Tx) PutController(c *model.ControllerState) {
	c.Record = t.record(c.Record)
	c.Generation++
	t.s.controller = c
	t.changes[c.Record] = Change{Record: c.Record, Kind: KindController, Controller: c}
}

// Unlock keeps the master key in memory: it isn't stored. Whom that concerns is told.
func (t *Tx) Unlock(master model.Secret) {
	t.s.master = master
	var ids []model.UUID
	t.s.AllDefinitions(func(d *Definition) bool {
		if d.HasLUKS() {
			ids = append(ids, d.UUID)
		}
		return true
	})
	for _, id := range ids {
		t.Touch(id)
	}
}

// PutNode adds or replaces a node and raises its generation. n must be new or a clone.
func (t *Tx) PutNode(n *model.Node) {
	n.Record = t.record(n.Record)
	n.Generation++
	seen := &model.NodeObserved{Status: model.StatusUnknown, Reason: "not dialled yet"}
	if old := t.s.Node(n.Name); old != nil {
		seen = old.Seen
	}
	t.s.nodes.Set(model.Key(n.Name), newNode(n, seen))
	t.changes[n.Record] = Change{Record: n.Record, Kind: KindNode, Node: n}
	t.dirty[Dirty{Node: model.Key(n.Name)}] = struct{}{}
}

// DropNode forgets a node. Its replicas must be gone.
func (t *Tx) DropNode(name string) {
	if n, ok := t.s.nodes.Delete(model.Key(name)); ok {
		t.changes[n.Record] = Change{Record: n.Record, Kind: KindNode}
		t.dirty[Dirty{Node: model.Key(name)}] = struct{}{}
	}
}

// PutGroup adds or replaces a resource group. g must be new or a clone.
func (t *Tx) PutGroup(g *model.ResourceGroup) {
	g.Record = t.record(g.Record)
	g.Generation++
	t.s.groups.Set(model.Key(g.Name), g)
	t.changes[g.Record] = Change{Record: g.Record, Kind: KindGroup, Group: g}
}

// DropGroup forgets a group.
func (t *Tx) DropGroup(name string) {
	if g, ok := t.s.groups.Delete(model.Key(name)); ok {
		t.changes[g.Record] = Change{Record: g.Record, Kind: KindGroup}
	}
}

// PutDefinition adds or replaces a definition and raises its generation. d must be new or a clone. A new one takes the
// name over from one that is Deleting. It fails, and the Tx with it, if a minor or port is another's: a defect.
func (t *Tx) PutDefinition(d *model.ResourceDefinition) error {
	d.Record = t.record(d.Record)
	d.Generation++
	var seen map[model.UUID]*model.ResourceStatus
	if old := t.s.DefinitionByID(d.UUID); old != nil {
		t.unindex(old.ResourceDefinition)
		seen = old.Seen
	}
	if err := t.s.index(d); err != nil {
		return err
	}
	t.s.defs.Set(d.UUID, &Definition{ResourceDefinition: d, Seen: prune(seen, d), Memo: newMemo()})
	t.changes[d.Record] = Change{Record: d.Record, Kind: KindDefinition, Definition: d}
	t.touch(t.s.DefinitionByID(d.UUID))
	return nil
}

// DropDefinition forgets a definition. Its replicas must be confirmed gone.
func (t *Tx) DropDefinition(id model.UUID) {
	d, ok := t.s.defs.Delete(id)
	if !ok {
		return
	}
	t.unindex(d.ResourceDefinition)
	if cur, _ := t.s.names.Get(model.Key(d.Name)); cur == id {
		t.s.names.Delete(model.Key(d.Name))
	}
	t.changes[d.Record] = Change{Record: d.Record, Kind: KindDefinition}
}

// SeeNode replaces what is seen of a node. Rules that hang on its module or on its being online run again.
func (t *Tx) SeeNode(name string, seen *model.NodeObserved) {
	n := t.s.Node(name)
	if n == nil {
		return
	}
	key := model.Key(name)
	t.s.OnNode(name, func(d *Definition) bool {
		t.s.promise(d.ResourceDefinition, key, -1)
		return true
	})
	t.s.nodes.Set(key, newNode(n.Node, seen))
	t.s.OnNode(name, func(d *Definition) bool {
		t.s.promise(d.ResourceDefinition, key, 1)
		return true
	})
	t.seen[model.Key(name)] = struct{}{}
	if n.Seen.DRBD == seen.DRBD && n.Seen.Status == seen.Status {
		return
	}
	t.s.OnNode(name, func(d *Definition) bool {
		t.touch(d)
		return true
	})
	if seen.Status == model.StatusOnline { // it may carry a vote that others lack
		t.s.Definitions(func(d *Definition) bool {
			if d.LacksVote() && d.TieBreaker() == nil {
				t.touch(d)
			}
			return true
		})
	}
}

// Touch runs the rules again for a definition and tells its nodes, though it didn't change itself: something that it
// takes options or addresses from did.
func (t *Tx) Touch(id model.UUID) {
	if d := t.s.DefinitionByID(id); d != nil {
		t.touch(d)
	}
}

func (t *Tx) touch(d *Definition) {
	t.touched[d.UUID] = struct{}{}
	for _, node := range d.Nodes() { // what a peer is told (a guard) can hang on it
		t.dirty[Dirty{node, d.UUID}] = struct{}{}
	}
}

// SeeResource replaces what is seen of one replica or copy of a snapshot; nil takes it away. Unknown definitions and replicas are ignored.
func (t *Tx) SeeResource(def, replica model.UUID, st *model.ResourceStatus) {
	d := t.s.DefinitionByID(def)
	if d == nil || d.NodeOf(replica) == "" || st == nil && d.Seen[replica] == nil {
		return
	}
	seen := maps.Clone(d.Seen)
	if seen == nil {
		seen = map[model.UUID]*model.ResourceStatus{}
	}
	if st == nil {
		delete(seen, replica)
	} else {
		seen[replica] = st
	}
	t.s.defs.Set(def, &Definition{ResourceDefinition: d.ResourceDefinition, Seen: seen, Memo: newMemo()})
	t.touch(d)
}

func prune(seen map[model.UUID]*model.ResourceStatus, d *model.ResourceDefinition) map[model.UUID]*model.ResourceStatus {
	for id := range seen {
		if d.NodeOf(id) == "" {
			seen = maps.Clone(seen)
			maps.DeleteFunc(seen, func(id model.UUID, _ *model.ResourceStatus) bool { return d.NodeOf(id) == "" })
			return seen
		}
	}
	return seen
}

// index enters d, or nothing of it: what it has must be nobody else's.
func (s *Snapshot) index(d *model.ResourceDefinition) error {
	cur, ok := s.names.Get(model.Key(d.Name))
	takes := !ok || cur == d.UUID
	if !takes {
		o := s.DefinitionByID(cur)
		takes = o == nil || o.Deleting && !d.Deleting
		if !takes && !d.Deleting {
			return fmt.Errorf("index definition %s: the name %q is %s's", d.UUID, d.Name, cur)
		}
	}
	for _, v := range d.Volumes {
		if u := s.MinorUser(v.Minor); u != "" && u != d.UUID {
			return fmt.Errorf("index definition %q: minor %d is %s's", d.Name, v.Minor, u)
		}
	}
	for _, r := range d.Resources {
		if u := s.PortUser(r.Node, r.Port); r.Port != 0 && u != "" && u != d.UUID {
			return fmt.Errorf("index definition %q: port %d on %s is %s's", d.Name, r.Port, r.Node, u)
		}
	}
	if takes {
		s.names.Set(model.Key(d.Name), d.UUID)
	}
	for _, v := range d.Volumes {
		if v.Minor > 0 {
			s.minors.Set(v.Minor, d.UUID)
		}
	}
	s.promise(d, "", 1)
	for _, node := range d.Nodes() {
		s.onNode.Set(onNodeKey(node, d.UUID), struct{}{})
	}
	for _, r := range d.Resources {
		if r.Port != 0 {
			s.ports.Set(portKey(r.Node, r.Port), d.UUID)
		}
	}
	if d.Taking() != nil {
		s.taking.Set(d.UUID, struct{}{})
	}
	return nil
}

func (t *Tx) unindex(d *model.ResourceDefinition) {
	for _, v := range d.Volumes {
		if t.s.MinorUser(v.Minor) == d.UUID {
			t.s.minors.Delete(v.Minor)
		}
	}
	t.s.promise(d, "", -1)
	for _, node := range d.Nodes() {
		t.s.onNode.Delete(onNodeKey(node, d.UUID))
		t.dirty[Dirty{node, d.UUID}] = struct{}{}
	}
	for _, r := range d.Resources {
		if t.s.PortUser(r.Node, r.Port) == d.UUID {
			t.s.ports.Delete(portKey(r.Node, r.Port))
		}
	}
	t.s.taking.Delete(d.UUID)
}
