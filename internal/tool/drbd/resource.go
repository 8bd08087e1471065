package drbd

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
)

// Resource is what a configuration file says, in either dialect.
type Resource struct {
	Name       string
	Generation Generation // Gen8 or Gen9: the dialect
	Local      string     // Name of the node that the file is for
	// Options by section: "options", "net", "disk", "peer-device" (9's
	// peer-device options; Config puts them where each dialect wants them).
	// Values are written as given, quoted where needed.
	Options map[string]map[string]string
	Secret  string // net's shared-secret, with cram-hmac-alg sha256 unless the options name one; empty: none
	Nodes   []Node
	// Peers: what differs in the local node's connections, by the peer's name; 9 only.
	Peers map[string]Peer
}

// Peer is one connection of the local node.
type Peer struct {
	Options map[string]map[string]string // "net", "peer-device"
	Paths   []Path                       // none: the nodes' addresses
}

// Path is an address of the local node and one of the peer.
type Path struct{ Local, Peer netip.Addr }

// Node is one host of a resource.
type Node struct {
	Name     string // must be its `uname -n`
	NodeID   int    // 0..31; 9 only
	Address  netip.Addr
	Port     int // TCP
	Diskless bool
	Volumes  []Volume
}

// Volume is one volume on one node.
type Volume struct {
	Number int // 0..65535
	Minor  int // 0..1048575
	// Device is the path of the backing device. For a peer it only has to be
	// there in form, so it may be empty; for the local node it may not, unless
	// the node is Diskless.
	Device string
}

// Node finds a host by name.
func (r Resource) Node(name string) (Node, bool) {
	i := slices.IndexFunc(r.Nodes, func(n Node) bool { return n.Name == name })
	if i < 0 {
		return Node{}, false
	}
	return r.Nodes[i], true
}

// What may stand in a file. drbd-utils' scanner takes more, Holdfast doesn't
// need it; a name goes on command lines too.
var (
	nameRE   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,126}$`)
	optionRE = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)
	wordRE   = regexp.MustCompile(`^[A-Za-z0-9_/.:%-]+$`)
	stringRE = regexp.MustCompile(`^[ -!#-\[\]-~]{1,255}$`) // printable, no quote, no backslash
	deviceRE = regexp.MustCompile(`^/[A-Za-z0-9_+./:-]{1,250}$`)
)

func (r Resource) check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("resource %q: %s: %w", r.Name, fmt.Sprintf(format, args...), ErrBadName)
	}
	if !nameRE.MatchString(r.Name) {
		return bad("name")
	}
	if r.Generation != Gen8 && r.Generation != Gen9 {
		return bad("generation %d", r.Generation)
	}
	if r.Secret != "" && (!stringRE.MatchString(r.Secret) || len(r.Secret) > 63) { // SHARED_SECRET_MAX 64 with its end
		return bad("shared secret")
	}
	for name, p := range r.Peers {
		for s, m := range p.Options {
			if s != "net" && s != "peer-device" {
				return bad("option section %q of the connection to %s", s, name)
			}
			for k, v := range m {
				if !optionRE.MatchString(k) || !stringRE.MatchString(v) {
					return bad("option %s/%s of the connection to %s", s, k, name)
				}
			}
		}
		for _, w := range p.Paths {
			if !w.Local.IsValid() || !w.Peer.IsValid() || w.Local.Zone() != "" || w.Peer.Zone() != "" {
				return bad("path %s %s to %s", w.Local, w.Peer, name)
			}
		}
	}
	for s, m := range r.Options {
		if !slices.Contains([]string{"options", "net", "disk", "peer-device"}, s) {
			return bad("option section %q", s)
		}
		for k, v := range m {
			if !optionRE.MatchString(k) || !stringRE.MatchString(v) {
				return bad("option %s/%s", s, k)
			}
		}
	}
	seen := map[string]bool{}
	ids := map[int]bool{}
	for _, n := range r.Nodes {
		if !nameRE.MatchString(n.Name) || seen[n.Name] {
			return bad("node %q", n.Name)
		}
		seen[n.Name] = true
		if r.Generation == Gen9 && (n.NodeID < 0 || n.NodeID > 31 || ids[n.NodeID]) {
			return bad("node %s: node-id %d", n.Name, n.NodeID)
		}
		ids[n.NodeID] = true
		if !n.Address.IsValid() || n.Address.Zone() != "" || n.Port < 1 || n.Port > 65535 {
			return bad("node %s: address %s port %d", n.Name, n.Address, n.Port)
		}
		vols := map[int]bool{}
		for _, v := range n.Volumes {
			if v.Number < 0 || v.Number > 65535 || v.Minor < 0 || v.Minor > 1<<20-1 || vols[v.Number] {
				return bad("node %s: volume %d minor %d", n.Name, v.Number, v.Minor)
			}
			vols[v.Number] = true
			if v.Device == "" && (n.Diskless || n.Name != r.Local) {
				continue
			}
			if !deviceRE.MatchString(v.Device) {
				return bad("node %s: volume %d: device %q", n.Name, v.Number, v.Device)
			}
		}
	}
	if !seen[r.Local] {
		return bad("local node %q isn't among the nodes", r.Local)
	}
	return nil
}
