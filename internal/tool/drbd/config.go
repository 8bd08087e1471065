package drbd

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// only9 are options that 8.4's parser refuses. They're left out of its files:
// what they'd do (quorum, automatic promotion) 8.4 hasn't got, and a person who
// asks for them is told so where properties are checked, not here.
// Source: 8.4's drbdadm refusing each in the lab; drbd.conf-9.0(5).
var only9 = map[string][]string{
	"options": {"quorum", "on-no-quorum", "auto-promote", "auto-promote-timeout", "quorum-minimum-redundancy",
		"on-suspended-primary-outdated", "peer-ack-window", "peer-ack-delay", "max-io-depth", "twopc-timeout", "twopc-retry-timeout"},
	"net":  {"transport", "tls", "load-balance-paths", "rdma-ctrl-rcvbuf-size", "rdma-ctrl-sndbuf-size", "allow-remote-read"},
	"disk": {"bitmap"},
}

// noPeer stands for a second host where an 8.4 resource has only one. 8.4's
// drbdadm configures one host alone, but then says "cannot configure network
// without knowing my peer" and exits 1 at every up and adjust, so that a real
// failure couldn't be told from it. With this host it exits 0, and the kernel
// tries in vain to connect to a port on a loop-back address that nobody
// serves. (Seen in the lab; `.invalid` can be nobody's name, RFC 6761.)
const noPeerName = "none.invalid"

// NoPeer is that host's address for the resource with that port. It differs
// from resource to resource: 8.4 takes no remote address twice, "(103) Remote
// address(port) already in use" (seen in the lab).
func NoPeer(port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, byte(port >> 8), byte(port), 1}), 1)
}

// Config writes the resource's file for the local node. Equal input gives
// equal bytes. Errors: ErrBadName for what can't be written safely,
// ErrUnsupported for what the generation can't do (8.4: more than two nodes,
// diskless ones).
func Config(r Resource) ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if r.Generation == Gen8 {
		if len(r.Nodes) > 2 {
			return nil, fmt.Errorf("resource %s: %d nodes, DRBD 8.4 takes two: %w", r.Name, len(r.Nodes), ErrUnsupported)
		}
		for _, n := range r.Nodes {
			if n.Diskless {
				return nil, fmt.Errorf("resource %s: node %s is diskless: %w", r.Name, n.Name, ErrUnsupported)
			}
		}
	}
	w := &writer{}
	w.line("# Written by Holdfast. Changes made here are overwritten.")
	w.open("resource %s", quote(r.Name))
	for _, s := range []string{"options", "net", "disk"} {
		w.section(s, r.options(s))
	}
	for _, n := range r.Nodes {
		w.host(r, n)
	}
	switch r.Generation {
	case Gen8:
		if len(r.Nodes) == 1 {
			stand := r.Nodes[0]
			a := NoPeer(stand.Port)
			stand.Name, stand.Address, stand.Port = noPeerName, a.Addr(), int(a.Port())
			w.host(r, stand)
		}
	case Gen9:
		for i, a := range r.Nodes {
			for _, b := range r.Nodes[i+1:] {
				if a.Diskless && b.Diskless {
					continue
				}
				w.connection(r, a, b)
			}
		}
	}
	w.close()
	return []byte(w.b.String()), nil
}

// options gives a section's content in the resource's dialect.
func (r Resource) options(section string) map[string]string {
	m := maps.Clone(r.Options[section])
	if m == nil {
		m = map[string]string{}
	}
	move := func(key, from, to string) { // key stands in another section here
		if v, ok := r.Options[from][key]; ok && section == to {
			m[key] = v
		}
		if section == from {
			delete(m, key)
		}
	}
	switch r.Generation {
	case Gen8:
		for _, k := range only9[section] {
			delete(m, k)
		}
		move("fencing", "net", "disk") // the values are the same
	case Gen9:
		move("fencing", "disk", "net")
	}
	switch section {
	case "disk":
		// 8.4: these are disk options. 9: drbdadm takes them from a disk
		// section at resource level and makes them options of each peer device.
		maps.Copy(m, r.Options["peer-device"])
		if r.Generation == Gen9 {
			for k := range r.ownPeerDevice() {
				delete(m, k)
			}
		}
		if r.Generation == Gen8 {
			delete(m, "bitmap")
		}
	case "net":
		if r.Secret != "" {
			m["shared-secret"] = r.Secret
			if m["cram-hmac-alg"] == "" {
				m["cram-hmac-alg"] = "sha256"
			}
		}
	}
	return m
}

// ownPeerDevice are the peer-device options that some connection has for itself. They stand in each connection and not at
// resource level: drbdadm 9.22 takes an option that is in both for an "ambiguous inheritance".
func (r Resource) ownPeerDevice() map[string]bool {
	own := map[string]bool{}
	for _, p := range r.Peers {
		for k := range p.Options["peer-device"] {
			own[k] = true
		}
	}
	return own
}

type writer struct {
	b      strings.Builder
	indent int
}

func (w *writer) line(format string, args ...any) {
	w.b.WriteString(strings.Repeat("    ", w.indent))
	fmt.Fprintf(&w.b, format, args...)
	w.b.WriteByte('\n')
}

func (w *writer) open(format string, args ...any) {
	w.line(format+" {", args...)
	w.indent++
}

func (w *writer) close() {
	w.indent--
	w.line("}")
}

func (w *writer) section(name string, m map[string]string) {
	if len(m) == 0 {
		return
	}
	w.open("%s", name)
	for _, k := range slices.Sorted(maps.Keys(m)) {
		v := m[k]
		if k == "shared-secret" || !wordRE.MatchString(v) {
			v = quote(v)
		}
		w.line("%s %s;", k, v)
	}
	w.close()
}

// connection of two nodes. What is set for it alone stands in it; only the local node's are known.
func (w *writer) connection(r Resource, a, b Node) {
	w.open("connection")
	var p Peer
	switch r.Local {
	case a.Name:
		p = r.Peers[b.Name]
	case b.Name:
		p = r.Peers[a.Name]
	}
	for _, way := range p.Paths {
		x, y := a, b
		x.Address, y.Address = way.Local, way.Peer
		if r.Local == b.Name {
			x.Address, y.Address = way.Peer, way.Local
		}
		w.open("path")
		w.line("host %s address %s;", quote(x.Name), address(x))
		w.line("host %s address %s;", quote(y.Name), address(y))
		w.close()
	}
	if len(p.Paths) == 0 {
		w.line("host %s address %s;", quote(a.Name), address(a))
		w.line("host %s address %s;", quote(b.Name), address(b))
	}
	w.section("net", p.Options["net"])
	disk := map[string]string{} // drbdadm's name of peer-device options
	for k := range r.ownPeerDevice() {
		if v, ok := r.Options["peer-device"][k]; ok {
			disk[k] = v
		}
	}
	maps.Copy(disk, p.Options["peer-device"])
	w.section("disk", disk)
	w.close()
}

func (w *writer) host(r Resource, n Node) {
	w.open("on %s", quote(n.Name))
	if r.Generation == Gen9 {
		w.line("node-id %d;", n.NodeID)
	}
	// 9: the addresses are in the connections, except where there are none.
	if r.Generation == Gen8 || len(r.Nodes) == 1 {
		w.line("address %s;", address(n))
	}
	for _, v := range slices.SortedFunc(slices.Values(n.Volumes), func(a, b Volume) int { return a.Number - b.Number }) {
		w.open("volume %d", v.Number)
		w.line("device minor %d;", v.Minor)
		switch {
		case n.Diskless:
			w.line("disk none;")
		case v.Device == "":
			w.line("disk %s;", quote("/dev/unknown"))
		default:
			w.line("disk %s;", quote(v.Device))
		}
		if !n.Diskless {
			w.line("meta-disk internal;")
		}
		w.close()
	}
	w.close()
}

func address(n Node) string {
	if n.Address.Unmap().Is4() {
		return fmt.Sprintf("ipv4 %s:%d", n.Address.Unmap(), n.Port)
	}
	return fmt.Sprintf("ipv6 [%s]:%d", n.Address, n.Port)
}

// quote is safe for what check let through.
func quote(s string) string { return `"` + s + `"` }
