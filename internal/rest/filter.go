package rest

import (
	"strconv"
	"strings"

	"holdfast/internal/model"
)

// nameSet is a filter by names, in any case. Nil takes everything.
type nameSet map[string]struct{}

// names reads a filter whose key may be repeated, and whose values may be lists with commas, which no name has; empty
// values are no filter.
func (c *call) names(key string) nameSet {
	var set nameSet
	for _, list := range c.q[key] {
		for v := range strings.SplitSeq(list, ",") {
			if v = strings.TrimSpace(v); v == "" {
				continue
			}
			if set == nil {
				set = nameSet{}
			}
			set[model.Key(v)] = struct{}{}
		}
	}
	return set
}

func (s nameSet) has(name string) bool {
	if s == nil {
		return true
	}
	_, ok := s[model.Key(name)]
	return ok
}

// propFilter is "key" or "key=value", all of which must hold.
type propFilter []string

func (f propFilter) match(p map[string]string) bool {
	for _, want := range f {
		k, v, valued := strings.Cut(want, "=")
		if got, ok := p[k]; !ok || valued && got != v {
			return false
		}
	}
	return true
}

// page cuts the part out that offset and limit ask for; limit 0 is no limit, and then offset means nothing
// (linstor-clients 2.1, rule 7).
func page[T any](c *call, items []T) ([]T, error) {
	at := map[string]int{}
	for _, key := range []string{"offset", "limit"} {
		v := c.q.Get(key)
		if v == "" {
			continue
		}
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return nil, badInput("the query parameter '%s' must be a whole number of at least 0, not '%s'", key, v)
		}
		at[key] = n
	}
	if at["limit"] == 0 {
		return items, nil
	}
	from := min(at["offset"], len(items))
	return items[from:min(from+min(at["limit"], len(items)), len(items))], nil
}
