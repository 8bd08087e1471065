// Package place chooses where replicas go, and says of each candidate it passed over why. Pure.
package place

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// Request is what is to be placed.
type Request struct {
	Definition *state.Definition
	Filter     model.SelectFilter
	Count      int     // replicas to add
	SizesKiB   []int64 // backing size of each volume
	Diskless   bool
	// Avoid are nodes that don't come into question.
	Avoid []string
	// OverDiskless: a node with a diskless replica will do, which gets a disk.
	OverDiskless bool
}

// Choice is a node with its pool.
type Choice struct {
	Node string
	Pool string
}

// Refused says why a candidate was passed over. Pool is "" where the whole node was.
type Refused struct {
	Node, Pool, Why string
}

// Result of a placement.
type Result struct {
	Chosen  []Choice
	Refused []Refused
}

type candidate struct {
	node  *state.Node
	pool  *model.StoragePool
	free  int64 // KiB, for new volumes
	score float64
}

// Place picks Count candidates, best score first (see the strategies), one pool per node. With fewer than Count, Chosen is
// nil: all or nothing.
func Place(s *state.Snapshot, q Request) Result {
	var need int64
	for _, k := range q.SizesKiB {
		need += k
	}
	cands, refused := gather(s, q, need)
	res := Result{Refused: refused}
	rate(s, cands)
	slices.SortStableFunc(cands, byScore)
	chosen, why := choose(s, q, cands)
	if chosen == nil {
		for _, c := range cands {
			res.Refused = append(res.Refused, Refused{c.node.Name, poolName(c.pool), why})
		}
		return res
	}
	for _, c := range chosen {
		res.Chosen = append(res.Chosen, Choice{c.node.Name, poolName(c.pool)})
	}
	return res
}

// gather finds the pools, or nodes, that could carry one replica of that size in KiB, and says of the others why not.
func gather(s *state.Snapshot, q Request, need int64) (cands []candidate, refused []Refused) {
	no := func(n *state.Node, pool, why string, args ...any) {
		refused = append(refused, Refused{n.Name, pool, fmt.Sprintf(why, args...)})
	}
	s.Nodes(func(n *state.Node) bool {
		if why := nodeRefused(s, q, n); why != "" {
			no(n, "", "%s", why)
			return true
		}
		if q.Diskless {
			cands = append(cands, candidate{node: n, score: spread(q.Definition.UUID, n.UUID)})
			return true
		}
		found := false
		for i := range n.Pools {
			p := &n.Pools[i]
			if p.Kind == model.Diskless {
				continue
			}
			found = true
			why, free := poolRefused(s, q, n, p, need)
			if why != "" {
				no(n, p.Name, "%s", why)
				continue
			}
			cands = append(cands, candidate{node: n, pool: p, free: free})
		}
		if !found {
			no(n, "", "it has no storage pool")
		}
		return true
	})
	return cands, refused
}

// byScore sorts the best first, then by name.
func byScore(a, b candidate) int {
	switch {
	case a.score != b.score:
		return cmp.Compare(b.score, a.score)
	case model.Key(a.node.Name) != model.Key(b.node.Name):
		return strings.Compare(model.Key(a.node.Name), model.Key(b.node.Name))
	case a.pool != nil:
		return strings.Compare(model.Key(a.pool.Name), model.Key(b.pool.Name))
	}
	return 0
}

func poolName(p *model.StoragePool) string {
	if p == nil {
		return ""
	}
	return p.Name
}

// choose walks the candidates in order and backtracks where same/different constraints don't fit.
func choose(s *state.Snapshot, q Request, cands []candidate) ([]candidate, string) {
	if q.Count <= 0 {
		return []candidate{}, ""
	}
	var deployed []*state.Node
	for _, r := range q.Definition.Resources {
		if n := s.Node(r.Node); n != nil && !n.Evacuate && !n.Evicted && r.Successor == "" && r.Diskful() {
			deployed = append(deployed, n)
		}
	}
	var pick func(from int, have []candidate) []candidate
	steps := 0
	pick = func(from int, have []candidate) []candidate {
		if len(have) == q.Count {
			return have
		}
		for i := from; i < len(cands); i++ {
			if steps++; steps > 100000 {
				return nil
			}
			if !fits(q.Filter, deployed, have, cands[i]) {
				continue
			}
			if got := pick(i+1, append(slices.Clone(have), cands[i])); got != nil {
				return got
			}
		}
		return nil
	}
	if got := pick(0, nil); got != nil {
		return got, ""
	}
	return nil, fmt.Sprintf("it would do, but %d are needed and no combination of the candidates gives them", q.Count)
}

func fits(f model.SelectFilter, deployed []*state.Node, have []candidate, c candidate) bool {
	all := slices.Clone(deployed)
	for _, h := range have {
		if h.node.UUID == c.node.UUID || h.node.Seen.DRBD != c.node.Seen.DRBD {
			return false
		}
		all = append(all, h.node)
	}
	for _, k := range f.ReplicasOnSame {
		key, want, fixed := strings.Cut(k, "=")
		v, ok := c.node.Props[key]
		if !ok || fixed && v != want {
			return false
		}
		for _, n := range all {
			if !fixed && n.Props[key] != v {
				return false
			}
		}
	}
	for _, k := range f.ReplicasOnDifferent {
		key, avoid, fixed := strings.Cut(k, "=")
		v, ok := c.node.Props[key]
		if fixed && v == avoid {
			return false
		}
		for _, n := range all {
			if !fixed && ok && n.Props[key] == v {
				return false
			}
		}
	}
	for key, x := range f.XReplicas {
		count := 1
		for _, n := range all {
			if n.Props[key] == c.node.Props[key] {
				count++
			}
		}
		if count > x {
			return false
		}
	}
	return true
}

func nodeRefused(s *state.Snapshot, q Request, n *state.Node) string {
	d := q.Definition
	switch {
	case !n.Type.HasSatellite():
		return fmt.Sprintf("its type %s has no satellite", n.Type)
	case n.Deleting:
		return "it is being deleted"
	case n.Evacuate:
		return "it is being evacuated"
	case n.Evicted:
		return "it is evicted"
	case contains(q.Avoid, n.Name):
		return "it is one that was said not to"
	case !n.Online():
		return "it is not online: " + n.Seen.Reason
	case !props.On("AutoplaceTarget", true, n.Props, s.Controller().Props):
		return "its property AutoplaceTarget is false"
	case len(q.Filter.Nodes) > 0 && !contains(q.Filter.Nodes, n.Name):
		return "it isn't in the list of nodes asked for"
	}
	if r := d.On(n.Name); r != nil && !r.Deleting && !r.TieBreaker && !(q.OverDiskless && r.Diskless) {
		return "it has a replica already"
	}
	if d.HasDRBD() {
		switch {
		case n.Seen.DRBD == model.Unpinned:
			return "it has no DRBD module: " + strings.Join(n.Seen.Unsupported[string(model.LayerDRBD)], "; ")
		case d.DRBD != model.Unpinned && d.DRBD != n.Seen.DRBD:
			return fmt.Sprintf("the resource was made with DRBD %d, the node runs DRBD %d", d.DRBD, n.Seen.DRBD)
		case q.Diskless && n.Seen.DRBD == model.DRBD8:
			return "DRBD 8.4 has no diskless replicas"
		}
	}
	if d.HasLUKS() && !q.Diskless && !slices.Contains(n.Seen.Layers, model.LayerLUKS) {
		return "it has no LUKS: " + n.WhyNot(model.LayerLUKS)
	}
	for _, name := range q.Filter.NotPlaceWith {
		if o := s.Definition(name); o != nil && o.On(n.Name) != nil {
			return "it carries " + o.Name + ", with which this must not share a node"
		}
	}
	if q.Filter.NotPlaceWithRegex != "" {
		re, err := regexp.Compile("(?i)^(?:" + q.Filter.NotPlaceWithRegex + ")$")
		if err != nil {
			return "the expression of what it must not share a node with is not valid: " + err.Error()
		}
		var with string
		s.OnNode(n.Name, func(o *state.Definition) bool {
			if o.UUID != d.UUID && re.MatchString(o.Name) {
				with = o.Name
			}
			return with == ""
		})
		if with != "" {
			return "it carries " + with + ", with which this must not share a node"
		}
	}
	return ""
}

func contains(list []string, name string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return model.Key(s) == model.Key(name) })
}

func poolRefused(s *state.Snapshot, q Request, n *state.Node, p *model.StoragePool, need int64) (why string, free int64) {
	switch {
	case len(q.Filter.Pools) > 0 && !contains(q.Filter.Pools, p.Name):
		return "it isn't the pool asked for", 0
	case len(q.Filter.Providers) > 0 && !slices.Contains(q.Filter.Providers, p.Kind):
		return "its kind " + string(p.Kind) + " isn't one asked for", 0
	case p.Deleting:
		return "it is being deleted", 0
	}
	free, why = Free(s, n, p)
	if why != "" {
		return why, 0
	}
	if need > free {
		return fmt.Sprintf("%d KiB are needed, %d KiB are free", need, free), 0
	}
	return "", free
}

// NotEnough is the refusal that names each candidate's reason. OpenNebula's driver looks for the message's beginning
// (linstor-clients 2.1, rule 15).
func NotEnough(q Request, res Result) error {
	kind := "diskful"
	if q.Diskless {
		kind = "diskless"
	}
	var b strings.Builder
	for _, r := range res.Refused {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(r.Node)
		if r.Pool != "" {
			b.WriteString(", pool " + r.Pool)
		}
		b.WriteString(": " + r.Why)
	}
	e := fault.New(fault.NotEnoughNodes, fault.Resource, "Not enough available nodes: %d more %s replicas of '%s' can't be placed.", q.Count, kind, q.Definition.Name).
		Because("Autoplacer could not find diskful stor pool candidates for all of them.")
	if q.Diskless {
		e.Because("Autoplacer could not find nodes for all of them.")
	}
	if b.Len() > 0 {
		_ = e.Detail("%s", b.String())
	} else {
		_ = e.Detail("There is no node at all.")
	}
	return e.Do("Add nodes or storage pools, bring nodes online, free space, or ask for fewer replicas.")
}
