package rest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// replicasJSON is what is kept of a definition's replicas, with the connections of its nodes that it was made under.
type replicasJSON struct {
	nodes []model.ConnectionStatus // as d.Resources
	each  [][]byte                 // as d.Resources; nil where the replica isn't listed
}

// statuses are the connections of all nodes, by key; made once for a request.
func statuses(s *state.Snapshot) map[string]model.ConnectionStatus {
	m := make(map[string]model.ConnectionStatus, s.NodeCount())
	s.Nodes(func(n *state.Node) bool {
		m[model.Key(n.Name)] = n.Seen.Status
		return true
	})
	return m
}

// replicaBytes are the replicas as JSON. They are made again when the definition was replaced or one of its nodes came or went.
func replicaBytes(s *state.Snapshot, d *state.Definition, nodes map[string]model.ConnectionStatus) ([][]byte, error) {
	m := memoOf(d)
	if kept := m.replicas.Load(); kept != nil {
		same := true
		for i := range d.Resources {
			same = same && kept.nodes[i] == nodes[model.Key(d.Resources[i].Node)]
		}
		if same {
			return kept.each, nil
		}
	}
	made, err := encodeReplicas(s, d, nodes)
	if err != nil {
		return nil, err
	}
	m.replicas.Store(made)
	return made.each, nil
}

func encodeReplicas(s *state.Snapshot, d *state.Definition, nodes map[string]model.ConnectionStatus) (*replicasJSON, error) {
	made := &replicasJSON{make([]model.ConnectionStatus, len(d.Resources)), make([][]byte, len(d.Resources))}
	e := scratch.Get().(*encoder)
	defer scratch.Put(e)
	e.b, e.err = e.b[:0], nil
	ends := make([]int, len(d.Resources))
	for i := range d.Resources {
		r := &d.Resources[i]
		made.nodes[i] = nodes[model.Key(r.Node)]
		if listed(d, r) {
			v := replicaView(s, d, r)
			e.replica(&v)
		}
		ends[i] = len(e.b)
	}
	if e.err != nil {
		return nil, fmt.Errorf("encode the resources of %s: %w", d.Name, e.err)
	}
	all, from := bytes.Clone(e.b), 0 // one piece of memory for all
	for i, to := range ends {
		if to > from {
			made.each[i] = all[from:to:to]
		}
		from = to
	}
	return made, nil
}

// lostNames keeps, for the newest snapshot that was asked, the definitions whose name another one has taken: being deleted,
// with replicas that aren't gone yet. They are rare; finding them takes a walk.
type lostNames struct{ last atomic.Pointer[lostOf] }

type lostOf struct {
	s    *state.Snapshot
	defs []*state.Definition
}

func (l *lostNames) of(s *state.Snapshot) []*state.Definition {
	if p := l.last.Load(); p != nil && p.s == s {
		return p.defs
	}
	var defs []*state.Definition
	s.AllDefinitions(func(d *state.Definition) bool {
		if d.Deleting && s.Definition(d.Name) != d {
			defs = append(defs, d)
		}
		return true
	})
	slices.SortStableFunc(defs, func(a, b *state.Definition) int { return strings.Compare(model.Key(a.Name), model.Key(b.Name)) })
	l.last.Store(&lostOf{s, defs})
	return defs
}

// viewReplicas lists replicas with their volumes by resource name, then node. What is left of a deleted definition whose
// name is used again comes behind the new one's, on nodes where that has none.
func viewReplicas(c *call) error {
	nodes, rscs, pools, props := c.names("nodes"), c.names("resources"), c.names("storage_pools"), propFilter(c.q["props"])
	online := statuses(c.snap)
	var out [][]byte
	var failed error
	taken := map[string]bool{} // only where a name is there twice
	add := func(d *state.Definition, twice bool) bool {
		each, err := replicaBytes(c.snap, d, online)
		if err != nil {
			failed = err
			return false
		}
		for i, b := range each {
			r := &d.Resources[i]
			if b == nil || !nodes.has(r.Node) || !props.match(r.Props) || pools != nil && !inPools(r, pools) {
				continue
			}
			if twice {
				key := model.Key(d.Name) + "\x00" + model.Key(r.Node)
				if taken[key] || c.snap.Definition(d.Name).On(r.Node) != nil {
					continue
				}
				taken[key] = true
			}
			out = append(out, b)
		}
		return true
	}
	lost := c.s.lost.of(c.snap)
	// old adds those whose name sorts before that of d; nil: all that are left.
	old := func(d *state.Definition) bool {
		for len(lost) > 0 && (d == nil || model.Key(lost[0].Name) < model.Key(d.Name)) {
			if rscs.has(lost[0].Name) && !add(lost[0], true) {
				return false
			}
			lost = lost[1:]
		}
		return true
	}
	each := func(d *state.Definition) bool { return old(d) && add(d, false) }
	switch {
	case rscs != nil:
		for _, name := range sortedNames(rscs) {
			if d := c.snap.Definition(name); d != nil && !each(d) {
				break
			}
		}
	case nodes != nil:
		for _, d := range c.onNodes(nodes) {
			if !each(d) {
				break
			}
		}
	default:
		out = make([][]byte, 0, 3*c.snap.DefinitionCount())
		c.snap.Definitions(each)
	}
	old(nil)
	if failed != nil {
		return failed
	}
	out, err := page(c, out)
	if err != nil {
		return err
	}
	return c.list(out)
}

// onNodes are the definitions with a replica on one of the nodes, that have their names, in their order.
func (c *call) onNodes(nodes nameSet) []*state.Definition {
	seen := map[model.UUID]bool{}
	var defs []*state.Definition
	for name := range nodes {
		c.snap.OnNode(name, func(d *state.Definition) bool {
			if !seen[d.UUID] && c.snap.Definition(d.Name) == d {
				seen[d.UUID] = true
				defs = append(defs, d)
			}
			return true
		})
	}
	slices.SortFunc(defs, func(a, b *state.Definition) int { return strings.Compare(model.Key(a.Name), model.Key(b.Name)) })
	return defs
}

func inPools(r *model.Resource, pools nameSet) bool {
	if r.Diskless {
		return pools.has(model.DisklessPool)
	}
	return slices.ContainsFunc(r.Volumes, func(v model.Volume) bool { return pools.has(v.Pool) })
}
