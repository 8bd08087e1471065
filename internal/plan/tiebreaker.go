package plan

import (
	"cmp"
	"maps"
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/plan/place"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// PropTieBreaker switches the rule on or off; definition over group over controller.
const PropTieBreaker = "DrbdOptions/auto-add-quorum-tiebreaker"

// WantsTieBreaker tells whether the definition shall have a tie-breaker (linstor-features 3.4): an even number of diskful
// replicas, no other diskless one, and nobody has said no, neither to it nor to the majority that it is for.
func WantsTieBreaker(s *state.Snapshot, d *model.ResourceDefinition) bool {
	var group map[string]string
	if g := s.Group(d.Group); g != nil {
		group = g.Props
	}
	levels := []map[string]string{d.Props, group, s.Controller().Props}
	if q, set := props.First("DrbdOptions/Resource/quorum", levels...); set && q != "majority" {
		return false
	}
	return d.LacksVote() && props.On(PropTieBreaker, false, levels...)
}

// tieBreaker adds the vote that an even number of replicas lacks, and takes it away when it is not wanted any more. Both
// only while that can cost nobody his majority: a voter that isn't connected yet, or one less, counts against those that
// are down.
func tieBreaker(s *state.Snapshot, env Env, d *state.Definition, c *model.ResourceDefinition) (moved bool) {
	if c.Deleting || c.DRBD != model.DRBD9 {
		return false
	}
	tb := c.TieBreaker()
	switch want := WantsTieBreaker(s, c); {
	case want && tb == nil:
		return addTieBreaker(s, env, d, c)
	case !want && tb != nil && dispensable(s, d, c, tb):
		tb.Deleting = true
		return true
	}
	return false
}

func dispensable(s *state.Snapshot, d *state.Definition, c *model.ResourceDefinition, tb *model.Resource) bool {
	n := s.Node(tb.Node)
	if st := d.Seen[tb.UUID]; n == nil || !n.Online() || st != nil && st.InUse {
		return false
	}
	return allGood(d, c)
}

// allGood tells whether every diskful replica that stays is UpToDate, by the reports of the current sessions.
func allGood(d *state.Definition, c *model.ResourceDefinition) bool {
	for i := range c.Resources {
		r := &c.Resources[i]
		if st := d.Seen[r.UUID]; !r.Deleting && !r.Diskless && (st == nil || !st.UpToDate()) {
			return false
		}
	}
	return true
}

func addTieBreaker(s *state.Snapshot, env Env, d *state.Definition, c *model.ResourceDefinition) bool {
	live := slices.DeleteFunc(slices.Clone(c.Resources), func(r model.Resource) bool { return r.Deleting })
	fresh := !slices.ContainsFunc(c.Volumes, func(v model.VolumeDefinition) bool { return v.Initialised })
	if len(c.Volumes) == 0 || len(live) > c.PeerSlots || !fresh && !allGood(d, c) {
		return false
	}
	var f model.SelectFilter
	if g := s.Group(c.Group); g != nil {
		f = g.Filter.Clone()
	}
	f.Pools, f.DisklessPools, f.Providers = nil, nil, nil
	for k := range f.XReplicas {
		f.XReplicas[k] = 1
	}
	probe := &state.Definition{ResourceDefinition: c, Seen: d.Seen}
	res := place.Place(s, place.Request{Definition: probe, Filter: f, Count: 1, Diskless: true})
	if len(res.Chosen) == 0 {
		return false
	}
	id := FreeNodeID(c)
	n := s.Node(res.Chosen[0].Node)
	port := c.Port
	if port == 0 || s.PortUser(n.Name, port) != "" {
		from, to := props.PortRange(n.Props, s.Controller().Props)
		port = s.FreePort(n.Name, from, to)
	}
	if id < 0 || port < 0 {
		return false
	}
	r := model.Resource{UUID: env.UUID(), Node: n.Name, Diskless: true, TieBreaker: true, NodeID: id, Port: port, CreatedMS: env.NowMS, First: fresh}
	for i := range c.Volumes {
		if vd := &c.Volumes[i]; !vd.Deleting {
			r.Volumes = append(r.Volumes, model.Volume{UUID: env.UUID(), Number: vd.Number})
		}
	}
	c.Resources = append(c.Resources, r)
	slices.SortStableFunc(c.Resources, func(a, b model.Resource) int { return cmp.Compare(model.Key(a.Node), model.Key(b.Node)) })
	return true
}

// FreeNodeID is the lowest DRBD node-id that no replica has, none that is still going had, and no peer remembers; -1 if
// there is none.
func FreeNodeID(c *model.ResourceDefinition) int {
	taken := map[int]bool{}
	for _, r := range c.Resources {
		taken[r.NodeID] = true
	}
	for _, t := range c.Retired {
		taken[t.NodeID] = true
	}
	for id := 0; id <= model.MaxNodeID; id++ {
		if !taken[id] {
			return id
		}
	}
	return -1
}

// NoTieBreaker notes on the definition that it shall have none: somebody removed it by hand.
func NoTieBreaker(c *model.ResourceDefinition) {
	if c.Props = maps.Clone(c.Props); c.Props == nil {
		c.Props = map[string]string{}
	}
	c.Props[PropTieBreaker] = "False"
}
