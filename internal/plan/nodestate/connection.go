package nodestate

import (
	"maps"
	"slices"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// connection gives what is set for two replicas' connection alone: options by section, and paths. The resource connection
// goes before the definition, that before the node connection (linstor-features 2.7).
func connection(s *state.Snapshot, d *state.Definition, n, peer *model.Node) (map[string]map[string]string, []model.PathSpec) {
	rc := model.Between(d.Connections, n.Name, peer.Name)
	all := model.Between(s.Controller().Connections, n.Name, peer.Name)
	if len(rc) == 0 && len(all) == 0 {
		return nil, nil
	}
	nc := map[string]string{}
	for k, v := range all {
		if _, over := d.Props[k]; !over {
			nc[k] = v
		}
	}
	opts := options(d.DRBD, []string{"Net", "PeerDevice"}, rc, nc)
	p := paths(rc, n, peer)
	if p == nil {
		p = paths(nc, n, peer)
	}
	return opts, p
}

// paths are the properties Paths/<name>/<node> = <interface> of both nodes, by name. One whose interface isn't there counts
// for nothing.
func paths(props map[string]string, n, peer *model.Node) (out []model.PathSpec) {
	for _, key := range slices.Sorted(maps.Keys(props)) {
		name, node, ok := strings.Cut(strings.TrimPrefix(key, "Paths/"), "/")
		if !strings.HasPrefix(key, "Paths/") || !ok || model.Key(node) != model.Key(n.Name) {
			continue
		}
		local := n.Interface(props[key])
		var remote *model.NetInterface
		for k, v := range props {
			if model.Key(k) == model.Key("Paths/"+name+"/"+peer.Name) {
				remote = peer.Interface(v)
			}
		}
		if local != nil && remote != nil {
			out = append(out, model.PathSpec{Local: local.Address, Peer: remote.Address})
		}
	}
	return out
}

// connect puts what is set for each peer's connection into the spec. 8.4 has one peer and no connections: there it is the
// resource's own.
func connect(s *state.Snapshot, d *state.Definition, n *state.Node, spec *model.DRBDSpec) {
	for i := range spec.Peers {
		p := &spec.Peers[i]
		peer := s.Node(p.Node)
		if peer == nil {
			continue
		}
		opts, ways := connection(s, d, n.Node, peer.Node)
		if d.DRBD != model.DRBD8 {
			p.Options, p.Paths = opts, ways
			continue
		}
		for sec, o := range opts {
			if spec.Options[sec] == nil {
				spec.Options[sec] = map[string]string{}
			}
			maps.Copy(spec.Options[sec], o)
		}
		if len(ways) > 0 {
			spec.Address, p.Address = ways[0].Local, ways[0].Peer
		}
	}
}
