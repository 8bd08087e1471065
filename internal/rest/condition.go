package rest

import (
	"holdfast/api"
	"holdfast/internal/plan/condition"
	"holdfast/internal/state"
)

// viewConditions lists what is wrong with resources: `resources` and `nodes` filter, as in the other views.
func viewConditions(c *call) error {
	rscs, nodes := c.names("resources"), c.names("nodes")
	out := []api.Condition{}
	each := func(d *state.Definition) bool {
		for _, k := range condition.Of(c.snap, d) {
			if nodes.has(k.Node) || nodes != nil && k.Peer != "" && nodes.has(k.Peer) {
				out = append(out, conditionView(k))
			}
		}
		return true
	}
	if rscs == nil {
		c.snap.Definitions(each)
	}
	for _, name := range sortedNames(rscs) {
		if d := c.snap.Definition(name); d != nil {
			each(d)
		}
	}
	out, err := page(c, out)
	if err != nil {
		return err
	}
	return c.json(out)
}

func conditionView(k condition.Condition) api.Condition {
	v := api.Condition{Kind: string(k.Kind), ResourceName: k.Resource, NodeName: k.Node, PeerName: k.Peer, Since: k.SinceMS,
		Message: k.Message, Evidence: k.Evidence}
	if k.Volume >= 0 {
		v.VolumeNumber = &k.Volume
	}
	for _, m := range k.Mends {
		mv := api.Mend{Message: m.What, LosesNothing: m.LosesNothing, Loses: m.Loses}
		for _, x := range m.Commands {
			mv.Commands = append(mv.Commands, api.MendCommand{NodeName: x.Node, Command: x.Line})
		}
		v.Mends = append(v.Mends, mv)
	}
	return v
}
