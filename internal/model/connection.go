package model

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Connection is what is set for two nodes, in either order: of the cluster (node connection) or of one definition (resource
// connection).
type Connection struct {
	A, B  string // names of nodes, that which sorts first is A
	Props map[string]string
}

// Pair orders two names of nodes as a Connection has them.
func Pair(a, b string) (string, string) {
	if Key(b) < Key(a) {
		return b, a
	}
	return a, b
}

// Between returns the properties set for two nodes, in either order; nil if none are.
func Between(list []Connection, a, b string) map[string]string {
	a, b = Pair(a, b)
	for _, c := range list {
		if Key(c.A) == Key(a) && Key(c.B) == Key(b) {
			return c.Props
		}
	}
	return nil
}

// WithConnection returns the list with these properties for two nodes, sorted; without any, that entry goes. The list given
// is left alone.
func WithConnection(list []Connection, a, b string, props map[string]string) []Connection {
	a, b = Pair(a, b)
	out := slices.DeleteFunc(slices.Clone(list), func(c Connection) bool { return Key(c.A) == Key(a) && Key(c.B) == Key(b) })
	if len(props) > 0 {
		out = append(out, Connection{a, b, props})
	}
	slices.SortFunc(out, func(x, y Connection) int {
		return cmp.Or(strings.Compare(Key(x.A), Key(y.A)), strings.Compare(Key(x.B), Key(y.B)))
	})
	return out
}

// WithoutNode returns the list without the connections of that node.
func WithoutNode(list []Connection, node string) []Connection {
	return slices.DeleteFunc(slices.Clone(list), func(c Connection) bool { return Key(c.A) == Key(node) || Key(c.B) == Key(node) })
}

func cloneConnections(list []Connection) []Connection {
	out := slices.Clone(list)
	for i := range out {
		out[i].Props = maps.Clone(out[i].Props)
	}
	return out
}

// PathSpec is one of several ways between two nodes: an address of each.
type PathSpec struct {
	Local, Peer string
}
