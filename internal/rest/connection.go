package rest

import (
	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// listNodeConnections lists those for which something is set; node_a and node_b filter, in either order.
func listNodeConnections(c *call) error {
	a, b := c.q.Get("node_a"), c.q.Get("node_b")
	is := func(want string, conn model.Connection) bool {
		return want == "" || model.Key(want) == model.Key(conn.A) || model.Key(want) == model.Key(conn.B)
	}
	out := []api.NodeConnection{}
	for _, conn := range c.snap.Controller().Connections {
		if is(a, conn) && is(b, conn) {
			out = append(out, api.NodeConnection{NodeA: conn.A, NodeB: conn.B, Props: conn.Props})
		}
	}
	out, err := page(c, out)
	if err != nil {
		return err
	}
	return c.json(out)
}

func modifyNodeConnection(c *call) (core.Command, error) {
	var in api.NodeConnectionModify
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	return core.ConnectionModify{A: c.param("nodeA"), B: c.param("nodeB"), Override: keys(in.OverrideProps), Delete: keyList(in.DeleteProps),
		Namespaces: keyList(in.DeleteNamespaces)}, nil
}

func resourceConnection(d *state.Definition, a, b string) api.ResourceConnection {
	a, b = model.Pair(a, b)
	return api.ResourceConnection{NodeA: a, NodeB: b, Props: model.Between(d.Connections, a, b)}
}

// listResourceConnections has each pair of the definition's resources.
func listResourceConnections(c *call) error {
	d, err := c.definition()
	if err != nil {
		return err
	}
	out := []api.ResourceConnection{}
	for i := range d.Resources {
		for j := i + 1; j < len(d.Resources); j++ {
			if a, b := &d.Resources[i], &d.Resources[j]; listed(d, a) && listed(d, b) {
				out = append(out, resourceConnection(d, a.Node, b.Node))
			}
		}
	}
	if out, err = page(c, out); err != nil {
		return err
	}
	return c.json(out)
}

func getResourceConnection(c *call) error {
	d, err := c.definition()
	if err != nil {
		return err
	}
	a, b := d.On(c.param("nodeA")), d.On(c.param("nodeB"))
	if a == nil || b == nil || a == b {
		return fault.New(fault.NotFound, fault.Resource, "'%s' has no connection between '%s' and '%s'.", d.Name, c.param("nodeA"), c.param("nodeB")).
			Because("It isn't on both nodes.").Do("`resource list` shows where it is.").Ref(api.RefRscDfn, d.Name)
	}
	return c.json(resourceConnection(d, a.Node, b.Node))
}

func modifyResourceConnection(c *call) (core.Command, error) {
	var in api.ResourceConnectionModify
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	return core.ConnectionModify{Definition: c.param("rsc"), A: c.param("nodeA"), B: c.param("nodeB"), Override: keys(in.OverrideProps),
		Delete: keyList(in.DeleteProps), Namespaces: keyList(in.DeleteNamespaces)}, nil
}
