package core

import (
	"slices"
	"strings"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// DefaultSatellitePort is where a satellite listens.
const DefaultSatellitePort = 3366

// NodeCreate registers a node.
type NodeCreate struct {
	Name        string
	Type        string // any case; "" is SATELLITE
	Interfaces  []model.NetInterface
	Props       map[string]string
	Fingerprint string // of the satellite's certificate, if the user knows it
}

// ParseNodeType takes any case.
func ParseNodeType(s string) (model.NodeType, error) {
	t := model.NodeType(strings.ToUpper(s))
	switch t {
	case "":
		return model.Satellite, nil
	case model.Controller, model.Satellite, model.Combined, model.Auxiliary:
		return t, nil
	}
	return "", fault.New(fault.Invalid, fault.Node, "The node type '%s' is not valid.", s).In("type").
		Because("Nodes are Controller, Satellite, Combined or Auxiliary.").Do("Choose one of these.")
}

func (c NodeCreate) Apply(tx *state.Tx, env Env) (Reply, error) {
	if err := model.CheckNodeName(c.Name); err != nil {
		return Reply{}, err
	}
	typ, err := ParseNodeType(c.Type)
	if err != nil {
		return Reply{}, err
	}
	refs := map[string]string{"Node": c.Name}
	if n := tx.Snapshot().Node(c.Name); n != nil {
		return Reply{}, fault.New(fault.Exists, fault.Node, "Node '%s' already exists.", n.Name).
			Because("Node names are unique, whatever their case.").Do("Choose another name, or delete the node first.").Ref("Node", n.Name)
	}
	p, err := props.Apply(props.Node, fault.Node, nil, c.Props, nil, nil)
	if err != nil {
		return Reply{}, err
	}
	n := &model.Node{UUID: env.UUID(), Name: c.Name, Type: typ, Props: p, Fingerprint: strings.TrimSpace(c.Fingerprint)}
	if len(c.Interfaces) == 0 {
		return Reply{}, fault.New(fault.Invalid, fault.NetInterface, "Node '%s' needs an address.", c.Name).In("net_interfaces").
			Because("No network interface was given.").Do("Give the address, for example `node create %s 10.77.0.1`.", c.Name)
	}
	active := slices.ContainsFunc(c.Interfaces, func(i model.NetInterface) bool { return i.Active })
	for i, nif := range c.Interfaces {
		nif.UUID = env.UUID()
		if !active && i == 0 {
			nif.Active = true
		}
		if err := addInterface(tx.Snapshot(), n, nif); err != nil {
			return Reply{}, err
		}
	}
	if typ.HasSatellite() {
		n.Pools = []model.StoragePool{{UUID: env.UUID(), Name: model.DisklessPool, Kind: model.Diskless}}
		plan.EnsurePoolDefinition(tx, env.Rules(), model.DisklessPool)
	}
	tx.PutNode(n)
	notes := []fault.Note{done(fault.Create, fault.Node, refs, "New node '%s' registered.", c.Name)}
	notes[0].Details = "Node '" + c.Name + "' UUID is: " + string(n.UUID)
	var wait []Wait
	if typ.HasSatellite() {
		wait = []Wait{{Node: n.Name, Op: fault.Create}}
	}
	return Reply{Notes: notes, Wait: wait}, nil
}

func addInterface(s *state.Snapshot, n *model.Node, i model.NetInterface) error {
	if err := model.CheckInterfaceName(i.Name); err != nil {
		return err
	}
	if err := model.CheckAddress(i.Address); err != nil {
		return err
	}
	if i.Port < 0 || i.Port > 65535 {
		return fault.New(fault.Invalid, fault.NetInterface, "The port %d is not valid.", i.Port).In("satellite_port").
			Because("A TCP port is between 1 and 65535.").Do("Leave it away for %d.", DefaultSatellitePort)
	}
	if n.Interface(i.Name) != nil {
		return fault.New(fault.Exists, fault.NetInterface, "Node '%s' already has an interface '%s'.", n.Name, i.Name).
			Because("Interface names are unique on a node.").Do("Choose another name, or modify the interface.")
	}
	if i.Port == 0 && n.Type.HasSatellite() {
		i.Port = DefaultSatellitePort
	}
	if i.Active {
		for j := range n.Interfaces {
			n.Interfaces[j].Active = false
		}
	}
	n.Interfaces = append(n.Interfaces, i)
	return nil
}

// NodeModify changes a node's type or properties.
type NodeModify struct {
	Name       string
	Type       string // "": unchanged
	Override   map[string]string
	Delete     []string
	Namespaces []string
}

func (c NodeModify) Apply(tx *state.Tx, env Env) (Reply, error) {
	n, err := findNode(tx, c.Name)
	if err != nil {
		return Reply{}, err
	}
	m := n.Node.Clone()
	if c.Type != "" {
		if m.Type, err = ParseNodeType(c.Type); err != nil {
			return Reply{}, err
		}
		if n.Type.HasSatellite() && !m.Type.HasSatellite() && nodeBusy(tx.Snapshot(), n) != "" {
			return Reply{}, fault.New(fault.InUse, fault.Node, "Node '%s' can't become %s.", n.Name, m.Type).
				Because("%s", nodeBusy(tx.Snapshot(), n)).Do("Delete what it holds first.")
		}
		if m.Type.HasSatellite() && m.Pool(model.DisklessPool) == nil {
			m.Pools = append(m.Pools, model.StoragePool{UUID: env.UUID(), Name: model.DisklessPool, Kind: model.Diskless})
			plan.EnsurePoolDefinition(tx, env.Rules(), model.DisklessPool)
		}
	}
	if m.Props, err = props.Apply(props.Node, fault.Node, m.Props, c.Override, c.Delete, c.Namespaces); err != nil {
		return Reply{}, err
	}
	tx.PutNode(m)
	touchOnNode(tx, m.Name)
	notes := []fault.Note{done(fault.Modify, fault.Node, map[string]string{"Node": n.Name}, "Node '%s' modified.", n.Name)}
	return Reply{Notes: append(notes, noNic(tx.Snapshot(), c.Override, n.Name)...)}, nil
}

// noNic warns of nodes that don't have the interface that PrefNic chooses.
func noNic(s *state.Snapshot, props map[string]string, nodes ...string) (notes []fault.Note) {
	nic := props["PrefNic"]
	for _, name := range nodes {
		if n := s.Node(name); nic != "" && n != nil && n.Interface(nic) == nil {
			w := warn(fault.NotFound, fault.Modify, fault.Node, map[string]string{"Node": n.Name}, "Node '%s' has no interface '%s': DRBD doesn't move to it there.", n.Name, nic)
			w.Correction = "`node interface create " + n.Name + " " + nic + " ADDRESS` makes it; DRBD uses it from then on."
			notes = append(notes, w)
		}
	}
	return notes
}

// touchOnNode has the nodes told anew of what is on this one: addresses and options may have changed.
func touchOnNode(tx *state.Tx, node string) {
	var ids []model.UUID
	tx.Snapshot().OnNode(node, func(d *state.Definition) bool {
		ids = append(ids, d.UUID)
		return true
	})
	for _, id := range ids {
		tx.Touch(id)
	}
}

// nodeBusy says what the node still holds; "" if nothing.
func nodeBusy(s *state.Snapshot, n *state.Node) string {
	var on []string
	s.OnNode(n.Name, func(d *state.Definition) bool {
		on = append(on, d.Name)
		return len(on) < 5
	})
	if len(on) > 0 {
		return "It still has replicas, or what is left of them: " + strings.Join(on, ", ") + "."
	}
	if len(n.DevicePools) > 0 {
		return "The device pool " + n.DevicePools[0].Group() + " is being made on it."
	}
	for _, p := range n.Pools {
		if p.Kind != model.Diskless {
			return "It still has the storage pool " + p.Name + "."
		}
	}
	return ""
}

// tieBreakersAlone tells whether there are replicas on the node, and all are tie-breakers.
func tieBreakersAlone(s *state.Snapshot, n *state.Node) bool {
	any, alone := false, true
	s.OnNode(n.Name, func(d *state.Definition) bool {
		r := d.On(n.Name)
		any, alone = true, r != nil && r.TieBreaker
		return alone
	})
	return any && alone
}

// NodeDelete removes a node that holds nothing any more.
type NodeDelete struct{ Name string }

func (c NodeDelete) Apply(tx *state.Tx, _ Env) (Reply, error) {
	refs := map[string]string{"Node": c.Name}
	n := tx.Snapshot().Node(c.Name)
	if n == nil {
		return Reply{Notes: []fault.Note{warn(fault.NotFound, fault.Delete, fault.Node, refs, "Node '%s' does not exist.", c.Name)}}, nil
	}
	if why := nodeBusy(tx.Snapshot(), n); why != "" {
		do := "Delete its resources and storage pools first; `node lost` is for a node that never comes back."
		if tieBreakersAlone(tx.Snapshot(), n) {
			why = "There are tie-breakers on it; their votes would be missing until others have them."
			do = "`node evacuate " + n.Name + "` has other nodes take them; delete the node when they are gone from it."
		}
		return Reply{}, fault.New(fault.InUse, fault.Node, "Node '%s' can't be deleted.", n.Name).
			Because("%s", why).Do("%s", do).Ref("Node", n.Name)
	}
	dropConnections(tx, n.Name)
	tx.DropNode(n.Name)
	return Reply{Notes: []fault.Note{done(fault.Delete, fault.Node, refs, "Node '%s' deleted.", n.Name)}}, nil
}

// NodeLost removes a node that never comes back, with all that is on it. Refused while it is connected, and where the
// last replica of something is there, unless Lose names each such definition.
type NodeLost struct {
	Name string
	Lose []string
}

func (c NodeLost) Apply(tx *state.Tx, _ Env) (Reply, error) {
	n, err := findNode(tx, c.Name)
	if err != nil {
		return Reply{}, err
	}
	s := tx.Snapshot()
	if n.Seen.Status == model.StatusOnline || n.Seen.Status == model.StatusConnected {
		return Reply{}, fault.New(fault.InUse, fault.Node, "Node '%s' is not lost.", n.Name).
			Because("It is connected.").Do("Delete its resources, then `node delete %s`.", n.Name).Ref("Node", n.Name)
	}
	var last []string
	var ids []model.UUID
	s.OnNode(n.Name, func(d *state.Definition) bool {
		ids = append(ids, d.UUID)
		r := d.On(n.Name)
		if d.Deleting || r == nil || r.Deleting && r.Successor == "" || r.Diskless {
			return true
		}
		for i := range d.Resources {
			o := &d.Resources[i]
			if st := d.Seen[o.UUID]; model.Key(o.Node) != model.Key(n.Name) && o.Diskful() && st != nil && st.UpToDate() {
				return true
			}
		}
		if !slices.ContainsFunc(c.Lose, func(l string) bool { return model.Key(l) == model.Key(d.Name) }) {
			last = append(last, d.Name)
		}
		return true
	})
	if len(last) > 0 {
		return Reply{}, fault.New(fault.LastCopy, fault.Node, "Node '%s' may hold the last good copy of %s.", n.Name, strings.Join(last, ", ")).
			Because("No other replica is seen UpToDate now.").
			Do("Bring the other nodes online, or type --lose=NAME for each, which gives the data up.").Ref("Node", n.Name)
	}
	for _, id := range ids {
		d := tx.Snapshot().DefinitionByID(id).Clone()
		for i := 0; i < len(d.Resources); i++ {
			if r := d.Resources[i]; model.Key(r.Node) == model.Key(n.Name) {
				plan.DropReplica(d, r.UUID)
				i--
			}
		}
		loseCopies(d, n.Name)
		if err := tx.PutDefinition(d); err != nil {
			return Reply{}, err
		}
	}
	dropConnections(tx, n.Name)
	tx.DropNode(n.Name)
	return Reply{Notes: []fault.Note{done(fault.Delete, fault.Node, map[string]string{"Node": n.Name}, "Node '%s' and all that was on it given up.", n.Name)}}, nil
}

// NodeClaimed remembers the fingerprint of the satellite that this cluster claimed, once it was checked against what the
// user gave.
type NodeClaimed struct{ Node, Fingerprint string }

func (c NodeClaimed) Apply(tx *state.Tx, _ Env) (Reply, error) {
	n, err := findNode(tx, c.Node)
	if err != nil {
		return Reply{}, err
	}
	if n.Fingerprint == c.Fingerprint {
		return Reply{}, nil
	}
	m := n.Node.Clone()
	m.Fingerprint = c.Fingerprint
	tx.PutNode(m)
	return Reply{}, nil
}

// InterfaceCreate adds an address to a node.
type InterfaceCreate struct {
	Node      string
	Interface model.NetInterface
}

func (c InterfaceCreate) Apply(tx *state.Tx, env Env) (Reply, error) {
	n, err := findNode(tx, c.Node)
	if err != nil {
		return Reply{}, err
	}
	m := n.Node.Clone()
	c.Interface.UUID = env.UUID()
	if len(m.Interfaces) == 0 {
		c.Interface.Active = true
	}
	if err := addInterface(tx.Snapshot(), m, c.Interface); err != nil {
		return Reply{}, err
	}
	tx.PutNode(m)
	touchOnNode(tx, m.Name)
	return Reply{Notes: []fault.Note{done(fault.Create, fault.NetInterface, map[string]string{"Node": n.Name, "NetIf": c.Interface.Name},
		"New network interface '%s' on node '%s' registered.", c.Interface.Name, n.Name)}}, nil
}

// InterfaceModify changes an address; zero values leave alone.
type InterfaceModify struct {
	Node, Name string
	Address    string
	Port       int
	Active     bool
}

func (c InterfaceModify) Apply(tx *state.Tx, _ Env) (Reply, error) {
	n, err := findNode(tx, c.Node)
	if err != nil {
		return Reply{}, err
	}
	m := n.Node.Clone()
	i := m.Interface(c.Name)
	if i == nil {
		return Reply{}, noInterface(n.Name, c.Name)
	}
	if c.Address != "" {
		if err := model.CheckAddress(c.Address); err != nil {
			return Reply{}, err
		}
		i.Address = c.Address
	}
	if c.Port != 0 {
		if c.Port < 1 || c.Port > 65535 {
			return Reply{}, fault.New(fault.Invalid, fault.NetInterface, "The port %d is not valid.", c.Port).In("satellite_port").
				Because("A TCP port is between 1 and 65535.").Do("Leave it away for %d.", DefaultSatellitePort)
		}
		i.Port = c.Port
	}
	if c.Active {
		for j := range m.Interfaces {
			m.Interfaces[j].Active = model.Key(m.Interfaces[j].Name) == model.Key(c.Name)
		}
	}
	tx.PutNode(m)
	touchOnNode(tx, m.Name)
	return Reply{Notes: []fault.Note{done(fault.Modify, fault.NetInterface, map[string]string{"Node": n.Name, "NetIf": c.Name},
		"Network interface '%s' on node '%s' modified.", c.Name, n.Name)}}, nil
}

func noInterface(node, name string) error {
	return fault.New(fault.NotFound, fault.NetInterface, "Node '%s' has no network interface '%s'.", node, name).
		Because("There is none of that name.").Do("`node interface list %s` shows them.", node)
}

// InterfaceDelete removes an address that isn't the one the satellite is dialled on.
type InterfaceDelete struct{ Node, Name string }

func (c InterfaceDelete) Apply(tx *state.Tx, _ Env) (Reply, error) {
	n, err := findNode(tx, c.Node)
	if err != nil {
		return Reply{}, err
	}
	i := n.Interface(c.Name)
	refs := map[string]string{"Node": n.Name, "NetIf": c.Name}
	if i == nil {
		return Reply{Notes: []fault.Note{warn(fault.NotFound, fault.Delete, fault.NetInterface, refs, "Node '%s' has no network interface '%s'.", n.Name, c.Name)}}, nil
	}
	if i.Active {
		return Reply{}, fault.New(fault.InUse, fault.NetInterface, "The network interface '%s' of node '%s' is in use.", c.Name, n.Name).
			Because("It is the one on which the controller reaches the satellite.").Do("Make another one active first.")
	}
	m := n.Node.Clone()
	m.Interfaces = slices.DeleteFunc(m.Interfaces, func(x model.NetInterface) bool { return model.Key(x.Name) == model.Key(c.Name) })
	tx.PutNode(m)
	touchOnNode(tx, m.Name)
	return Reply{Notes: []fault.Note{done(fault.Delete, fault.NetInterface, refs, "Network interface '%s' of node '%s' deleted.", c.Name, n.Name)}}, nil
}
