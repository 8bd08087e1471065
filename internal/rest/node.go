package rest

import (
	"encoding/json"
	"fmt"
	"maps"

	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// nodeJSON is what is kept beside a node's entry.
type nodeJSON struct {
	node  []byte
	pools [][]byte // as n.Pools
}

func nodeBytes(n *state.Node) (*nodeJSON, error) {
	if m, ok := n.Memo.Get().(*nodeJSON); ok {
		return m, nil
	}
	m := new(nodeJSON)
	var err error
	if m.node, err = json.Marshal(nodeView(n)); err != nil {
		return nil, fmt.Errorf("encode node %s: %w", n.Name, err)
	}
	for i := range n.Pools {
		b, err := json.Marshal(poolView(n, &n.Pools[i]))
		if err != nil {
			return nil, fmt.Errorf("encode pool %s of node %s: %w", n.Pools[i].Name, n.Name, err)
		}
		m.pools = append(m.pools, b)
	}
	n.Memo.Put(m)
	return m, nil
}

// NodeProps are a node's properties with those that LINSTOR derives: the name the machine gives itself, the interface in use.
func nodeProps(n *state.Node) api.Props {
	p := api.Props{}
	maps.Copy(p, n.Props)
	if n.Seen.Uname != "" {
		p["NodeUname"] = n.Seen.Uname
	}
	if d := n.Dial(); d != nil && n.Type.HasSatellite() {
		p["CurStltConnName"] = d.Name
	}
	return p
}

func nodeView(n *state.Node) api.Node {
	v := api.Node{Name: n.Name, Type: api.NodeType(n.Type), Props: nodeProps(n), UUID: string(n.UUID),
		ConnectionStatus: connection(n), Holdfast: nodeStatus(n)}
	v.Flags = nodeFlags(n)
	for i := range n.Interfaces {
		v.NetInterfaces = append(v.NetInterfaces, interfaceView(n, &n.Interfaces[i]))
	}
	for _, k := range n.Seen.Providers {
		v.StorageProviders = append(v.StorageProviders, api.ProviderKind(k))
	}
	for _, k := range n.Seen.Layers {
		v.ResourceLayers = append(v.ResourceLayers, api.LayerType(k))
	}
	for what, why := range n.Seen.Unsupported {
		switch what {
		case string(model.LayerDRBD), string(model.LayerLUKS), string(model.LayerStorage), "NVME", "CACHE", "BCACHE", "WRITECACHE":
			if v.UnsupportedLayers == nil {
				v.UnsupportedLayers = map[api.LayerType][]string{}
			}
			v.UnsupportedLayers[api.LayerType(what)] = why
		default:
			if v.UnsupportedProviders == nil {
				v.UnsupportedProviders = map[api.ProviderKind][]string{}
			}
			v.UnsupportedProviders[api.ProviderKind(what)] = why
		}
	}
	return v
}

// connection is a word of LINSTOR's closed list: clients fail on another one. A node without a satellite counts as online,
// as LINSTOR lists it.
func connection(n *state.Node) api.ConnectionStatus {
	if !n.Type.HasSatellite() {
		return api.ConnOnline
	}
	switch n.Seen.Status {
	case model.StatusOffline:
		return api.ConnOffline
	case model.StatusConnected:
		return api.ConnConnected
	case model.StatusOnline:
		return api.ConnOnline
	case model.StatusVersionMismatch:
		return api.ConnVersionMismatch
	case model.StatusAuthError:
		return api.ConnAuthenticationError
	case model.StatusHostname:
		return api.ConnHostnameMismatch
	case model.StatusOtherController:
		return api.ConnOtherController
	case model.StatusUnknown:
	}
	return api.ConnUnknown
}

// interfaceView: the controller reaches every satellite by TLS.
func interfaceView(n *state.Node, i *model.NetInterface) api.NetInterface {
	v := api.NetInterface{Name: i.Name, Address: i.Address, UUID: string(i.UUID), IsActive: api.NewBool(i.Active && n.Type.HasSatellite())}
	if i.Port != 0 && n.Type.HasSatellite() {
		v.SatellitePort, v.SatelliteEncryptionType = api.NewInt(int64(i.Port)), api.EncryptionSSL
	}
	return v
}

func (c *call) node() (*state.Node, error) {
	name := c.param("node")
	if n := c.snap.Node(name); n != nil {
		return n, nil
	}
	return nil, fault.New(fault.NotFound, fault.Node, "Node '%s' not found.", name).
		Because("The cluster has no node of that name.").Do("`node list` shows the nodes.").Ref(api.RefNode, name)
}

func listNodes(c *call) error {
	want, props := c.names("nodes"), propFilter(c.q["props"])
	var list []*state.Node
	c.snap.Nodes(func(n *state.Node) bool {
		if want.has(n.Name) && (len(props) == 0 || props.match(nodeProps(n))) {
			list = append(list, n)
		}
		return true
	})
	list, err := page(c, list)
	if err != nil {
		return err
	}
	var out [][]byte
	for _, n := range list {
		b, err := nodeNow(c.snap, n)
		if err != nil {
			return err
		}
		out = append(out, b)
	}
	return c.list(out)
}

func getNode(c *call) error {
	n, err := c.node()
	if err != nil {
		return err
	}
	return c.json(nodeView(n))
}

func createNode(c *call) (core.Command, error) {
	var in api.Node
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	cmd := core.NodeCreate{Name: in.Name, Type: string(in.Type), Props: keys(in.Props)}
	if in.Holdfast != nil {
		cmd.Fingerprint = in.Holdfast.Fingerprint
	}
	for _, i := range in.NetInterfaces {
		n, err := toInterface(i)
		if err != nil {
			return nil, err
		}
		cmd.Interfaces = append(cmd.Interfaces, n)
	}
	return cmd, nil
}

func toInterface(i api.NetInterface) (model.NetInterface, error) {
	switch i.SatelliteEncryptionType {
	case "", api.EncryptionPlain, api.EncryptionSSL: // either way the connection is TLS
	default:
		return model.NetInterface{}, fault.New(fault.Invalid, fault.NetInterface, "The encryption type '%s' is not valid.", i.SatelliteEncryptionType).
			In("satellite_encryption_type").Because("LINSTOR's are PLAIN and SSL; Holdfast always encrypts.").Do("Leave it away.")
	}
	port, err := small(i.SatellitePort, fault.NetInterface, "satellite_port")
	if err != nil {
		return model.NetInterface{}, err
	}
	return model.NetInterface{Name: i.Name, Address: i.Address, Port: port, Active: i.IsActive.Value(false)}, nil
}

// small is a number of a request that is an int of the model; nil is 0.
func small(n *api.Int, o fault.Object, field string) (int, error) {
	v := n.Value(0)
	if v < -1<<31 || v > 1<<31-1 {
		return 0, fault.New(fault.Invalid, o, "The number %d is not valid.", v).In(field).Because("It is out of any range.").Do("Correct '%s'.", field)
	}
	return int(v), nil
}

func modifyNode(c *call) (core.Command, error) {
	var in api.NodeModify
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	return core.NodeModify{Name: c.param("node"), Type: string(in.NodeType), Override: keys(in.OverrideProps), Delete: keyList(in.DeleteProps),
		Namespaces: keyList(in.DeleteNamespaces)}, nil
}

func deleteNode(c *call) (core.Command, error) { return core.NodeDelete{Name: c.param("node")}, nil }

func loseNode(c *call) (core.Command, error) {
	return core.NodeLost{Name: c.param("node"), Lose: c.q[api.QueryLose]}, nil
}

// reconnectNode changes nothing that is stored.
func reconnectNode(c *call) error {
	n, err := c.node()
	if err != nil {
		return err
	}
	if !n.Type.HasSatellite() {
		return fault.New(fault.Invalid, fault.Node, "Node '%s' can't be reconnected.", n.Name).In("type").
			Because("Its type is %s: it has no satellite.", n.Type).Do("Leave it.").Ref(api.RefNode, n.Name)
	}
	if err := c.s.b.Reconnect(n.Name); err != nil {
		return err
	}
	c.notes([]fault.Note{{Severity: fault.Success, Op: fault.Modify, Object: fault.Node, Message: "Node '" + n.Name + "' is being reconnected.",
		Refs: map[string]string{api.RefNode: n.Name}}})
	return nil
}

func listInterfaces(c *call) error {
	n, err := c.node()
	if err != nil {
		return err
	}
	out := []api.NetInterface{}
	for i := range n.Interfaces {
		out = append(out, interfaceView(n, &n.Interfaces[i]))
	}
	if out, err = page(c, out); err != nil {
		return err
	}
	return c.json(out)
}

func getInterface(c *call) error {
	n, err := c.node()
	if err != nil {
		return err
	}
	i := n.Interface(c.param("netif"))
	if i == nil {
		return fault.New(fault.NotFound, fault.NetInterface, "Node '%s' has no network interface '%s'.", n.Name, c.param("netif")).
			Because("There is none of that name.").Do("`node interface list %s` shows them.", n.Name).Ref(api.RefNode, n.Name)
	}
	return c.json(interfaceView(n, i))
}

func createInterface(c *call) (core.Command, error) {
	var in api.NetInterface
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	i, err := toInterface(in)
	if err != nil {
		return nil, err
	}
	return core.InterfaceCreate{Node: c.param("node"), Interface: i}, nil
}

func modifyInterface(c *call) (core.Command, error) {
	var in api.NetInterface
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	i, err := toInterface(in)
	if err != nil {
		return nil, err
	}
	if in.Name != "" && model.Key(in.Name) != model.Key(c.param("netif")) {
		return nil, fault.New(fault.Unsupported, fault.NetInterface, "The network interface '%s' can't be renamed.", c.param("netif")).In("name").
			Because("Its name is what it is found by.").Do("Create another one, then delete this.")
	}
	return core.InterfaceModify{Node: c.param("node"), Name: c.param("netif"), Address: i.Address, Port: i.Port, Active: i.Active}, nil
}

func deleteInterface(c *call) (core.Command, error) {
	return core.InterfaceDelete{Node: c.param("node"), Name: c.param("netif")}, nil
}
