package state

import (
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/tidwall/btree"

	"holdfast/internal/model"
)

// Node is a node with what is seen of it. Immutable: replaced whole when either half changes.
type Node struct {
	*model.Node
	Seen *model.NodeObserved // never nil
	Memo Memo

	counted map[model.UUID]struct{} // volumes that the reported free space already accounts for
}

func newNode(n *model.Node, seen *model.NodeObserved) *Node {
	e := &Node{Node: n, Seen: seen, Memo: newMemo(), counted: map[model.UUID]struct{}{}}
	for _, p := range seen.Pools {
		for _, id := range p.Volumes {
			e.counted[id] = struct{}{}
		}
	}
	return e
}

// WhyNot says why the node can't have a layer.
func (n *Node) WhyNot(l model.LayerKind) string {
	if why := n.Seen.Unsupported[string(l)]; len(why) > 0 {
		return strings.Join(why, "; ")
	}
	return "its satellite doesn't report it"
}

// Online tells whether its session is open and has reported.
func (n *Node) Online() bool { return n.Seen.Status == model.StatusOnline }

// Definition is a resource definition with what is seen of its replicas. Immutable: replaced whole.
type Definition struct {
	*model.ResourceDefinition
	// Seen holds, by replica or copy of a snapshot, the newest status of the current session; a node that goes offline takes its own away.
	Seen map[model.UUID]*model.ResourceStatus
	Memo Memo
}

// Memo is a slot for what an edge derived from an immutable entry (its JSON); it goes with the entry.
type Memo struct{ p *atomic.Pointer[any] }

func newMemo() Memo { return Memo{new(atomic.Pointer[any])} }

// Get returns what was put, or nil.
func (m Memo) Get() any {
	if v := m.p.Load(); v != nil {
		return *v
	}
	return nil
}

// Put keeps v; of two that race, either stays.
func (m Memo) Put(v any) { m.p.Store(&v) }

// Snapshot is immutable once published. Make one with Build.
type Snapshot struct {
	// Rev grows with each published snapshot of this process.
	Rev        uint64
	controller *model.ControllerState

	nodes    *btree.Map[string, *Node] // by model.Key(name)
	groups   *btree.Map[string, *model.ResourceGroup]
	defs     *btree.Map[model.UUID, *Definition]
	names    *btree.Map[string, model.UUID]   // by model.Key(name): the definition that has the name now
	onNode   *btree.Map[string, struct{}]     // node \0 definition, for every replica, tombstones too
	minors   *btree.Map[int, model.UUID]      // by minor: the definition that has it
	ports    *btree.Map[string, model.UUID]   // node \0 port
	reserved *btree.Map[string, int64]        // node \0 pool: KiB of all volumes that are desired there
	pending  *btree.Map[string, int64]        // node \0 pool: KiB that are promised and not in the reported free space yet
	taking   *btree.Map[model.UUID, struct{}] // definitions of which a snapshot is being taken
	record   int64                            // highest record id given

	master model.Secret // the cluster's master key; nil while it is locked. Memory only.
}

func onNodeKey(node string, def model.UUID) string { return model.Key(node) + "\x00" + string(def) }
func poolKey(node, pool string) string             { return model.Key(node) + "\x00" + model.Key(pool) }

// portKey sorts as the numbers do.
func portKey(node string, port int) string {
	return model.Key(node) + "\x00" + strconv.Itoa(100000+port)
}

func empty() *Snapshot {
	return &Snapshot{
		nodes: new(btree.Map[string, *Node]), groups: new(btree.Map[string, *model.ResourceGroup]),
		defs: new(btree.Map[model.UUID, *Definition]), names: new(btree.Map[string, model.UUID]),
		onNode: new(btree.Map[string, struct{}]), minors: new(btree.Map[int, model.UUID]),
		ports: new(btree.Map[string, model.UUID]), pending: new(btree.Map[string, int64]), reserved: new(btree.Map[string, int64]),
		taking: new(btree.Map[model.UUID, struct{}]),
	}
}

// fork is cheap; both sides may be changed afterwards, each by one goroutine. Only the writer forks.
func (s *Snapshot) fork() *Snapshot {
	c := *s
	c.nodes, c.groups, c.defs, c.names = s.nodes.Copy(), s.groups.Copy(), s.defs.Copy(), s.names.Copy()
	c.onNode, c.minors, c.ports, c.pending, c.reserved = s.onNode.Copy(), s.minors.Copy(), s.ports.Copy(), s.pending.Copy(), s.reserved.Copy()
	c.taking = s.taking.Copy()
	return &c
}

// Master is the cluster's master key in the clear; nil: there is none, or it is locked.
func (s *Snapshot) Master() model.Secret { return s.master }

// Controller is the cluster's own record.
func (s *Snapshot) Controller() *model.ControllerState { return s.controller }

// Node by name, any case; nil if there is none.
func (s *Snapshot) Node(name string) *Node {
	n, _ := s.nodes.Get(model.Key(name))
	return n
}

// Nodes in the order of their names, until yield says false.
func (s *Snapshot) Nodes(yield func(*Node) bool) {
	s.nodes.Scan(func(_ string, n *Node) bool { return yield(n) })
}

// NodeCount counts them.
func (s *Snapshot) NodeCount() int { return s.nodes.Len() }

// Group by name, any case; nil if there is none.
func (s *Snapshot) Group(name string) *model.ResourceGroup {
	g, _ := s.groups.Get(model.Key(name))
	return g
}

// Groups in the order of their names.
func (s *Snapshot) Groups(yield func(*model.ResourceGroup) bool) {
	s.groups.Scan(func(_ string, g *model.ResourceGroup) bool { return yield(g) })
}

// Definition that has this name now (any case), Deleting or not; nil if there is none.
func (s *Snapshot) Definition(name string) *Definition {
	id, ok := s.names.Get(model.Key(name))
	if !ok {
		return nil
	}
	return s.DefinitionByID(id)
}

// DefinitionByID finds also those whose name another one has taken since.
func (s *Snapshot) DefinitionByID(id model.UUID) *Definition {
	d, _ := s.defs.Get(id)
	return d
}

// Definitions that have their names, in the order of the names.
func (s *Snapshot) Definitions(yield func(*Definition) bool) {
	s.names.Scan(func(_ string, id model.UUID) bool { return yield(s.DefinitionByID(id)) })
}

// AllDefinitions also yields those that are Deleting and lost their name to a new one; in the order of their ids.
func (s *Snapshot) AllDefinitions(yield func(*Definition) bool) {
	s.defs.Scan(func(_ model.UUID, d *Definition) bool { return yield(d) })
}

// Taking yields the definitions of which a snapshot is being taken, in the order of their ids.
func (s *Snapshot) Taking(yield func(*Definition) bool) {
	s.taking.Scan(func(id model.UUID, _ struct{}) bool { return yield(s.DefinitionByID(id)) })
}

// DefinitionCount counts those that have their names.
func (s *Snapshot) DefinitionCount() int { return s.names.Len() }

// OnNode yields every definition with a replica or a copy of a snapshot, or what is left of one, on the node.
func (s *Snapshot) OnNode(node string, yield func(*Definition) bool) {
	pre := model.Key(node) + "\x00"
	s.onNode.Ascend(pre, func(k string, _ struct{}) bool {
		if len(k) < len(pre) || k[:len(pre)] != pre {
			return false
		}
		return yield(s.DefinitionByID(model.UUID(k[len(pre):])))
	})
}

// Pending is the space in KiB that volumes desired in a pool will take and that its reported free space doesn't show yet.
func (s *Snapshot) Pending(node, pool string) int64 {
	kib, _ := s.pending.Get(poolKey(node, pool))
	return kib
}

// Reserved is the space in KiB that all volumes desired in a pool may take in the end.
func (s *Snapshot) Reserved(node, pool string) int64 {
	kib, _ := s.reserved.Get(poolKey(node, pool))
	return kib
}

// promise adds (sign 1) or takes away (-1) what the volumes of d that aren't counted yet take of their pools; node, if
// not "", is the only one that is looked at.
func (s *Snapshot) promise(d *model.ResourceDefinition, node string, sign int64) {
	for i := range d.Resources {
		r := &d.Resources[i]
		if r.Diskless || node != "" && model.Key(r.Node) != node {
			continue
		}
		n := s.Node(r.Node)
		for _, v := range r.Volumes {
			vd := d.Volume(v.Number)
			if vd == nil {
				continue
			}
			k, kib := poolKey(r.Node, v.Pool), sign*d.Backing(vd)
			count(s.reserved, k, kib)
			if n != nil {
				if _, ok := n.counted[v.UUID]; ok {
					kib = sign * d.Growth(vd) // in what is reported is what it had
				}
			}
			count(s.pending, k, kib)
		}
	}
	s.promiseRoom(d, node, sign)
}

// promiseRoom is promise of the room that snapshots have in thick pools; what isn't reported under its label isn't counted yet.
func (s *Snapshot) promiseRoom(d *model.ResourceDefinition, node string, sign int64) {
	for i := range d.Snapshots {
		for _, k := range d.Snapshots[i].Copies {
			if node != "" && model.Key(k.Node) != node {
				continue
			}
			n := s.Node(k.Node)
			for _, v := range k.Volumes {
				count(s.reserved, poolKey(k.Node, v.Pool), sign*v.RoomKiB)
				if n != nil {
					if _, ok := n.counted[v.UUID]; ok {
						continue
					}
				}
				count(s.pending, poolKey(k.Node, v.Pool), sign*v.RoomKiB)
			}
		}
	}
}

func count(m *btree.Map[string, int64], key string, kib int64) {
	had, _ := m.Get(key)
	if had += kib; had == 0 {
		m.Delete(key)
	} else {
		m.Set(key, had)
	}
}

// MinorUser tells which definition has the minor; "" if it is free.
func (s *Snapshot) MinorUser(minor int) model.UUID {
	id, _ := s.minors.Get(minor)
	return id
}

// FreeMinor is the lowest free minor of the range, or -1.
func (s *Snapshot) FreeMinor(from, to int) int {
	next := from
	s.minors.Ascend(from, func(m int, _ model.UUID) bool {
		if m != next {
			return false
		}
		next++
		return true
	})
	if next > to {
		return -1
	}
	return next
}

// PortUser tells which definition has the TCP port on the node; "" if it is free.
func (s *Snapshot) PortUser(node string, port int) model.UUID {
	id, _ := s.ports.Get(portKey(node, port))
	return id
}

// FreePort is the lowest TCP port of the range that is free on the node, or -1.
func (s *Snapshot) FreePort(node string, from, to int) int {
	next := from
	pre := model.Key(node) + "\x00"
	s.ports.Ascend(portKey(node, from), func(k string, _ model.UUID) bool {
		if len(k) < len(pre) || k[:len(pre)] != pre || k != portKey(node, next) {
			return false
		}
		next++
		return true
	})
	if next > to {
		return -1
	}
	return next
}
