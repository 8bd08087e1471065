package state

import (
	"fmt"
	"slices"

	"holdfast/internal/model"
)

// Loaded is what a store held.
type Loaded struct {
	Controller  *model.ControllerState
	Nodes       []*model.Node
	Groups      []*model.ResourceGroup
	Definitions []*model.ResourceDefinition
	LastRecord  int64
}

// Build makes the first snapshot, checking what the store doesn't: that names, minors and ports have one owner each.
// A definition that breaks this is left out and named in problems, the rest is served (one bad object stands alone).
func Build(l Loaded) (s *Snapshot, problems []string) {
	s = empty()
	s.controller, s.record = l.Controller, l.LastRecord
	unknown := &model.NodeObserved{Status: model.StatusUnknown, Reason: "not dialled yet"}
	for _, n := range l.Nodes {
		if s.Node(n.Name) != nil {
			problems = append(problems, fmt.Sprintf("node %q is there twice; record %d is left out", n.Name, n.Record))
			continue
		}
		s.nodes.Set(model.Key(n.Name), newNode(n, unknown))
	}
	for _, g := range l.Groups {
		s.groups.Set(model.Key(g.Name), g)
	}
	// Those that are Deleting come first, so that a live one takes the name over.
	slices.SortStableFunc(l.Definitions, func(a, b *model.ResourceDefinition) int {
		switch {
		case a.Deleting == b.Deleting:
			return 0
		case a.Deleting:
			return -1
		}
		return 1
	})
	known := names{}
	for _, d := range l.Definitions {
		known.share(d)
		if err := s.index(d); err != nil {
			problems = append(problems, fmt.Sprintf("record %d is left out: %v", d.Record, err))
			continue
		}
		s.defs.Set(d.UUID, &Definition{ResourceDefinition: d, Memo: newMemo()})
	}
	return s, problems
}

// names holds each name of a node, pool or group once, however many records say it.
type names map[string]string

func (n names) one(s string) string {
	if have, ok := n[s]; ok {
		return have
	}
	n[s] = s
	return s
}

// share is for a definition that nobody else has seen yet.
func (n names) share(d *model.ResourceDefinition) {
	d.Group = n.one(d.Group)
	for i := range d.Resources {
		r := &d.Resources[i]
		r.Node = n.one(r.Node)
		for j := range r.Volumes {
			r.Volumes[j].Pool = n.one(r.Volumes[j].Pool)
		}
	}
}
