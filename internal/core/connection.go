package core

import (
	"strings"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// ConnectionModify changes the properties of the connection between two nodes: of all resources, or of one Definition.
type ConnectionModify struct {
	A, B       string
	Definition string // "": a node connection
	Override   map[string]string
	Delete     []string
	Namespaces []string
}

func (c ConnectionModify) Apply(tx *state.Tx, _ Env) (Reply, error) {
	a, b, err := c.nodes(tx)
	if err != nil {
		return Reply{}, err
	}
	if c.Definition != "" {
		return c.ofDefinition(tx, a, b)
	}
	m := tx.Snapshot().Controller().Clone()
	p, err := c.props(model.Between(m.Connections, a.Name, b.Name), a.Node, b.Node)
	if err != nil {
		return Reply{}, err
	}
	m.Connections = model.WithConnection(m.Connections, a.Name, b.Name, p)
	tx.PutController(m)
	var ids []model.UUID
	tx.Snapshot().OnNode(a.Name, func(d *state.Definition) bool {
		if d.On(b.Name) != nil {
			ids = append(ids, d.UUID)
		}
		return true
	})
	for _, id := range ids {
		tx.Touch(id)
	}
	return Reply{Notes: []fault.Note{done(fault.Modify, fault.Node, map[string]string{"Node": a.Name}, "Connection between nodes '%s' and '%s' modified.", a.Name, b.Name)}}, nil
}

func (c ConnectionModify) ofDefinition(tx *state.Tx, a, b *state.Node) (Reply, error) {
	d, err := findDefinition(tx, c.Definition)
	if err != nil {
		return Reply{}, err
	}
	for _, n := range []*state.Node{a, b} {
		if r := d.On(n.Name); r == nil || r.Deleting {
			return Reply{}, noResource(d.Name, n.Name)
		}
	}
	p, err := c.props(model.Between(d.Connections, a.Name, b.Name), a.Node, b.Node)
	if err != nil {
		return Reply{}, err
	}
	m := d.ResourceDefinition.Clone()
	m.Connections = model.WithConnection(m.Connections, a.Name, b.Name, p)
	if err := tx.PutDefinition(m); err != nil {
		return Reply{}, err
	}
	return Reply{Notes: []fault.Note{done(fault.Modify, fault.Resource, map[string]string{"RscDfn": d.Name}, "Connection of '%s' between nodes '%s' and '%s' modified.", d.Name, a.Name, b.Name)},
		Wait: waits(tx, d.UUID, fault.Modify)}, nil
}

func (c ConnectionModify) nodes(tx *state.Tx) (a, b *state.Node, err error) {
	if a, err = findNode(tx, c.A); err != nil {
		return nil, nil, err
	}
	if b, err = findNode(tx, c.B); err != nil {
		return nil, nil, err
	}
	if a.UUID == b.UUID {
		return nil, nil, fault.New(fault.Invalid, fault.Node, "Node '%s' has no connection to itself.", a.Name).In("node_b").
			Because("A connection is between two nodes.").Do("Name two.")
	}
	return a, b, nil
}

// props checks the change. A path names an interface of each of the two nodes.
func (c ConnectionModify) props(old map[string]string, a, b *model.Node) (map[string]string, error) {
	for k, v := range c.Override {
		rest, ok := strings.CutPrefix(k, "Paths/")
		if !ok {
			continue
		}
		name, node, _ := strings.Cut(rest, "/")
		n := a
		if model.Key(node) == model.Key(b.Name) {
			n = b
		}
		if name == "" || strings.Contains(node, "/") || model.Key(node) != model.Key(n.Name) {
			return nil, fault.New(fault.Invalid, fault.Node, "The property '%s' is not valid here.", k).In("property").
				Because("A path is Paths/<name>/<node> = <interface>, for each of the nodes '%s' and '%s'.", a.Name, b.Name).Do("Give it so.")
		}
		if n.Interface(v) == nil {
			return nil, noInterface(n.Name, v)
		}
	}
	return props.Apply(props.Connection, fault.Node, old, c.Override, c.Delete, c.Namespaces)
}

// dropConnections forgets the node connections of a node that goes.
func dropConnections(tx *state.Tx, node string) {
	c := tx.Snapshot().Controller()
	rest := model.WithoutNode(c.Connections, node)
	if len(rest) == len(c.Connections) {
		return
	}
	m := c.Clone()
	m.Connections = rest
	tx.PutController(m)
}
