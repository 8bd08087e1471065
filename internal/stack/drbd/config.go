package drbd

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/tool/drbd"
)

const header = "# holdfast incarnation "

// Owner is the incarnation that a config file names in its first line; "" if it isn't Holdfast's.
func Owner(config []byte) model.UUID {
	line, _, _ := strings.Cut(string(config), "\n")
	id, ok := strings.CutPrefix(line, header)
	if !ok {
		return ""
	}
	return model.UUID(id)
}

// sections of the specs, and DRBD's names of them.
var sections = map[string]string{"Resource": "options", "Net": "net", "Disk": "disk", "PeerDevice": "peer-device"}

// Config is the file of the resource for that node, with the given volumes; paths are their backing devices by number.
// Equal input gives equal bytes.
func Config(node string, spec model.ResourceSpec, volumes []model.VolumeSpec, paths map[int]string) ([]byte, error) {
	d := spec.DRBD
	r := drbd.Resource{Name: spec.Name, Generation: drbd.Generation(d.Generation), Local: node, Secret: d.Secret,
		Options: map[string]map[string]string{}}
	add := func(options map[string]map[string]string) {
		for from, to := range sections {
			if len(options[from]) > 0 {
				if r.Options[to] == nil {
					r.Options[to] = map[string]string{}
				}
				maps.Copy(r.Options[to], options[from])
			}
		}
	}
	// The file has one disk section for all volumes: the lowest volume's word counts where they differ.
	for _, v := range slices.Backward(volumes) {
		add(v.Options)
	}
	add(d.Options)
	local, err := host(node, d.NodeID, d.Address, d.Port, spec.Diskless)
	if err != nil {
		return nil, fmt.Errorf("configure %s: %w", spec.Name, err)
	}
	hosts := []drbd.Node{local}
	for _, p := range d.Peers {
		h, err := host(p.Node, p.NodeID, p.Address, p.Port, p.Diskless)
		if err != nil {
			return nil, fmt.Errorf("configure %s: %w", spec.Name, err)
		}
		hosts = append(hosts, h)
		if len(p.Options) == 0 && len(p.Paths) == 0 {
			continue
		}
		peer := drbd.Peer{Options: map[string]map[string]string{}}
		for from, to := range sections {
			if (from == "Net" || from == "PeerDevice") && len(p.Options[from]) > 0 {
				peer.Options[to] = p.Options[from]
			}
		}
		for _, w := range p.Paths {
			local, err := netip.ParseAddr(w.Local)
			if err != nil {
				return nil, fmt.Errorf("configure %s: path to %s: %w", spec.Name, p.Node, err)
			}
			remote, err := netip.ParseAddr(w.Peer)
			if err != nil {
				return nil, fmt.Errorf("configure %s: path to %s: %w", spec.Name, p.Node, err)
			}
			peer.Paths = append(peer.Paths, drbd.Path{Local: local, Peer: remote})
		}
		if r.Peers == nil {
			r.Peers = map[string]drbd.Peer{}
		}
		r.Peers[p.Node] = peer
	}
	for i := range hosts {
		for _, v := range volumes {
			dv := drbd.Volume{Number: v.Number, Minor: v.Minor}
			if i == 0 {
				dv.Device = paths[v.Number]
			}
			hosts[i].Volumes = append(hosts[i].Volumes, dv)
		}
	}
	slices.SortFunc(hosts, func(a, b drbd.Node) int { return strings.Compare(a.Name, b.Name) })
	r.Nodes = hosts
	text, err := drbd.Config(r)
	if err != nil {
		return nil, fmt.Errorf("configure %s: %w", spec.Name, err)
	}
	return append([]byte(header+string(spec.ID)+"\n"), text...), nil
}

func host(name string, id int, address string, port int, diskless bool) (drbd.Node, error) {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return drbd.Node{}, fmt.Errorf("node %s has no usable address: %w", name, err)
	}
	return drbd.Node{Name: name, NodeID: id, Address: a, Port: port, Diskless: diskless}, nil
}
