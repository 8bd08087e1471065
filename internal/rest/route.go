package rest

import (
	"net/url"
	"slices"
	"strings"

	"holdfast/internal/core"
	"holdfast/internal/fault"
)

// route is one row of the table: exactly one of read and change is set.
type route struct {
	method  string
	pattern string // "{name}" is one segment, "{name...}" the rest of the path
	ok      int    // HTTP status of success
	// op and obj are what an answer is about, where its notes don't say.
	op  fault.Op
	obj fault.Object

	read   func(*call) error                 // answers by itself
	change func(*call) (core.Command, error) // is run by the backend

	doc string
}

// tree finds routes by path segments; a literal segment goes before a name.
type tree struct {
	lit   map[string]*tree
	name  *tree
	rest  *tree
	rows  map[string]*route // by method
	allow []string
}

func newTree(rows []route) *tree {
	t := &tree{}
	for i := range rows {
		t.add(&rows[i])
	}
	return t
}

func (t *tree) add(r *route) {
	for _, seg := range strings.Split(strings.Trim(r.pattern, "/"), "/") {
		switch {
		case strings.HasSuffix(seg, "...}"):
			t = child(&t.rest)
		case strings.HasPrefix(seg, "{"):
			t = child(&t.name)
		default:
			if t.lit == nil {
				t.lit = map[string]*tree{}
			}
			if t.lit[seg] == nil {
				t.lit[seg] = &tree{}
			}
			t = t.lit[seg]
		}
	}
	if t.rows == nil {
		t.rows = map[string]*route{}
	}
	t.rows[r.method] = r
	t.allow = append(t.allow, r.method)
	slices.Sort(t.allow)
}

func child(t **tree) *tree {
	if *t == nil {
		*t = &tree{}
	}
	return *t
}

// find looks an escaped path up: a segment may hold an escaped slash, and a trailing slash is nothing (linstor-clients
// 2.1, rules 8 and 9). Without a route, allowed names the methods that the path takes; nil if there is no such path.
func (t *tree) find(method, escaped string) (r *route, params, allowed []string) {
	segs := strings.Split(strings.Trim(escaped, "/"), "/")
	end, params := t.walk(segs, nil)
	if end == nil {
		return nil, nil, nil
	}
	if r = end.rows[method]; r == nil && method == "HEAD" {
		r = end.rows["GET"]
	}
	return r, params, end.allow
}

func (t *tree) walk(segs, params []string) (*tree, []string) {
	if len(segs) == 0 {
		if t.rows == nil {
			return nil, nil
		}
		return t, params
	}
	seg, err := url.PathUnescape(segs[0])
	if err != nil {
		return nil, nil
	}
	if next := t.lit[seg]; next != nil {
		if end, p := next.walk(segs[1:], params); end != nil {
			return end, p
		}
	}
	if t.name != nil && seg != "" {
		if end, p := t.name.walk(segs[1:], append(params[:len(params):len(params)], seg)); end != nil {
			return end, p
		}
	}
	if t.rest != nil {
		if all, err := url.PathUnescape(strings.Join(segs, "/")); err == nil {
			return t.rest, append(params[:len(params):len(params)], all)
		}
	}
	return nil, nil
}

// names of the pattern's parameters, in order.
func (r *route) names() []string {
	var out []string
	for _, seg := range strings.Split(r.pattern, "/") {
		if strings.HasPrefix(seg, "{") {
			out = append(out, strings.TrimSuffix(strings.Trim(seg, "{}"), "..."))
		}
	}
	return out
}
