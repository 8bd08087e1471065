package client

import (
	"net/url"
	"strconv"

	"holdfast/api"
)

// Filter narrows a list. Empty fields don't filter; names match in any case.
type Filter struct {
	Nodes               []string
	Resources           []string
	StoragePools        []string
	ResourceDefinitions []string
	ResourceGroups      []string
	// Props holds "key" or "key=value"; all must match.
	Props []string
	// Limit is the most entries to return, 0 for all; Offset skips entries and counts only with a limit.
	Limit, Offset int
	// WithVolumeDefinitions adds the volume definitions to resource definitions.
	WithVolumeDefinitions bool
}

func (f Filter) values() url.Values {
	q := url.Values{}
	for k, v := range map[string][]string{
		"nodes": f.Nodes, "resources": f.Resources, "storage_pools": f.StoragePools,
		"resource_definitions": f.ResourceDefinitions, "resource_groups": f.ResourceGroups, "props": f.Props,
	} {
		if len(v) > 0 {
			q[k] = v
		}
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
		q.Set("offset", strconv.Itoa(f.Offset))
	}
	if f.WithVolumeDefinitions {
		q.Set("with_volume_definitions", "true")
	}
	return q
}

// ChangeOption is an extra of a changing request.
type ChangeOption func(url.Values)

// Async answers once the change is stored, without waiting for nodes.
func Async() ChangeOption { return func(q url.Values) { q.Set(api.QueryAsync, "true") } }

// Lose lets the request remove the last good copy of the definition name.
func Lose(name string) ChangeOption { return func(q url.Values) { q.Set(api.QueryLose, name) } }

// Plan shows what a request that moves or removes data would do, and does nothing.
func Plan() ChangeOption { return func(q url.Values) { q.Set(api.QueryPlan, "true") } }

// KeepTiebreaker keeps a tie-breaker when a resource is deleted.
func KeepTiebreaker() ChangeOption { return func(q url.Values) { q.Set("keep_tiebreaker", "true") } }
