package drbd

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Parse reads a file that holds one resource, in the shape that Config writes
// or a person would (volumes may stand in the resource or in its hosts). It
// knows the structure, and takes options as they are; Generation, Local and
// what isn't in the file stay empty. 8.4's stand-in for a missing peer is left
// out. Errors are of kind ErrParse.
func Parse(data []byte) (Resource, error) {
	p := parser{toks: scan(string(data))}
	var r Resource
	p.word("resource")
	r.Name = p.next()
	p.word("{")
	r.Options = map[string]map[string]string{}
	var common []Volume // at resource level
	for !p.done() && p.peek() != "}" {
		switch t := p.next(); t {
		case "options", "net", "disk":
			r.Options[t] = p.options()
		case "startup", "handlers", "proxy":
			p.options()
		case "on":
			r.Nodes = append(r.Nodes, p.host())
		case "volume":
			common = append(common, first(p.volume()))
		case "connection":
			p.connection(&r)
		default:
			p.fail("%q not known", t)
		}
	}
	p.word("}")
	if p.err == nil && !p.done() {
		p.fail("more after the resource")
	}
	if p.err != nil {
		return Resource{}, fmt.Errorf("parse configuration: %w: %w", p.err, ErrParse)
	}
	for i := range r.Nodes {
		if len(r.Nodes[i].Volumes) == 0 {
			r.Nodes[i].Volumes = append([]Volume(nil), common...)
		}
	}
	if net := r.Options["net"]; net != nil {
		r.Secret = net["shared-secret"]
		delete(net, "shared-secret")
	}
	if n := len(r.Nodes); n > 0 && r.Nodes[n-1].Name == noPeerName {
		r.Nodes = r.Nodes[:n-1]
	}
	return r, nil
}

func first[A, B any](a A, _ B) A { return a }

// scan splits into words; a quoted string is a word, and marks itself with a
// leading quote so that "}" in one isn't taken for a bracket.
func scan(s string) []string {
	var toks []string
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '#':
			if n := strings.IndexByte(s[i:], '\n'); n >= 0 {
				i += n
			} else {
				i = len(s)
			}
		case c == '{' || c == '}' || c == ';':
			toks = append(toks, string(c))
			i++
		case c == '"':
			n := strings.IndexByte(s[i+1:], '"')
			if n < 0 {
				return append(toks, "\x00unfinished string")
			}
			toks = append(toks, s[i:i+1+n])
			i += n + 2
		default:
			n := strings.IndexAny(s[i:], " \t\r\n{};#\"")
			if n < 0 {
				n = len(s) - i
			}
			toks = append(toks, s[i:i+n])
			i += n
		}
	}
	return toks
}

type parser struct {
	toks []string
	err  error
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
	p.toks = nil
}

func (p *parser) done() bool { return len(p.toks) == 0 }

func (p *parser) peek() string {
	if p.done() {
		return ""
	}
	return p.toks[0]
}

// next gives a word, without the mark of a string.
func (p *parser) next() string {
	if p.done() {
		p.fail("ends too early")
		return ""
	}
	t := p.toks[0]
	p.toks = p.toks[1:]
	return strings.TrimPrefix(t, `"`)
}

func (p *parser) word(want string) {
	if p.peek() != want {
		p.fail("%q expected, got %q", want, p.peek())
		return
	}
	p.next()
}

func (p *parser) number() int {
	s := p.next()
	n, err := strconv.Atoi(s)
	if err != nil {
		p.fail("number expected, got %q", s)
	}
	return n
}

func (p *parser) options() map[string]string {
	m := map[string]string{}
	p.word("{")
	for !p.done() && p.peek() != "}" {
		k := p.next()
		v := "yes" // "allow-two-primaries;"
		if p.peek() != ";" {
			v = p.next()
		}
		p.word(";")
		m[k] = v
	}
	p.word("}")
	return m
}

func (p *parser) host() Node {
	n := Node{Name: p.next()}
	diskless := 0
	p.word("{")
	for !p.done() && p.peek() != "}" {
		switch t := p.next(); t {
		case "node-id":
			n.NodeID = p.number()
			p.word(";")
		case "address":
			n.Address, n.Port = p.address()
			p.word(";")
		case "volume":
			v, none := p.volume()
			if none {
				diskless++
			}
			n.Volumes = append(n.Volumes, v)
		default:
			p.fail("host %s: %q not known", n.Name, t)
		}
	}
	p.word("}")
	n.Diskless = diskless > 0 && diskless == len(n.Volumes)
	return n
}

func (p *parser) volume() (v Volume, none bool) {
	v.Number = p.number()
	p.word("{")
	for !p.done() && p.peek() != "}" {
		switch t := p.next(); t {
		case "device": // [/dev/drbdN] minor N
			if p.peek() != "minor" {
				p.next()
			}
			p.word("minor")
			v.Minor = p.number()
		case "disk":
			if p.peek() == "none" {
				none = true
				p.next()
			} else {
				v.Device = p.next()
			}
		case "meta-disk":
			p.word("internal")
		default:
			p.fail("volume %d: %q not known", v.Number, t)
		}
		p.word(";")
	}
	p.word("}")
	return v, none
}

func (p *parser) address() (netip.Addr, int) {
	s := p.next()
	if s == "ipv4" || s == "ipv6" {
		s = p.next()
	}
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		p.fail("address expected, got %q", s)
	}
	return a.Addr(), int(a.Port())
}

// connection fills in the addresses of its two hosts: of several paths the first one's, where a host has none yet. What is
// set for the connection alone is passed over.
func (p *parser) connection(r *Resource) {
	p.word("{")
	for !p.done() && p.peek() != "}" {
		switch p.peek() {
		case "net", "disk":
			p.next()
			p.options()
		case "path":
			p.next()
			p.word("{")
			for !p.done() && p.peek() != "}" {
				p.connectionHost(r, false)
			}
			p.word("}")
		default:
			p.connectionHost(r, true)
		}
	}
	p.word("}")
}

func (p *parser) connectionHost(r *Resource, over bool) {
	p.word("host")
	name := p.next()
	p.word("address")
	a, port := p.address()
	p.word(";")
	for i := range r.Nodes {
		if n := &r.Nodes[i]; n.Name == name && (over || !n.Address.IsValid()) {
			n.Address, n.Port = a, port
		}
	}
}
