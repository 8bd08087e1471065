package rest

import (
	"strings"

	"holdfast/api"
)

// key is a property's key as LINSTOR keeps it: a path without slashes around it or twice in a row. Clients write
// "/a/b" and expect "a/b" back (python-linstor's KV does).
func key(k string) string {
	if !strings.HasPrefix(k, "/") && !strings.HasSuffix(k, "/") && !strings.Contains(k, "//") {
		return k
	}
	var parts []string
	for _, p := range strings.Split(k, "/") {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, "/")
}

func keys(p api.Props) map[string]string {
	if p == nil {
		return nil
	}
	out := make(map[string]string, len(p))
	for k, v := range p {
		out[key(k)] = v
	}
	return out
}

func keyList(l []string) []string {
	var out []string
	for _, k := range l {
		out = append(out, key(k))
	}
	return out
}
