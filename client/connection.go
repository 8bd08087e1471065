package client

import (
	"context"
	"net/http"
	"net/url"

	"holdfast/api"
)

// NodeConnections lists what is set between nodes; a and b, if not empty, must be of the pair.
func (c *Client) NodeConnections(ctx context.Context, a, b string) ([]api.NodeConnection, error) {
	q := url.Values{}
	if a != "" {
		q.Set("node_a", a)
	}
	if b != "" {
		q.Set("node_b", b)
	}
	return get[[]api.NodeConnection](ctx, c, path("node-connections"), q)
}

// ModifyNodeConnection changes what is set between two nodes.
func (c *Client) ModifyNodeConnection(ctx context.Context, a, b string, m api.NodeConnectionModify, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path("node-connections", a, b), o, m)
}

// ResourceConnections lists the pairs of a definition's resources.
func (c *Client) ResourceConnections(ctx context.Context, name string) ([]api.ResourceConnection, error) {
	return get[[]api.ResourceConnection](ctx, c, path(definitions, name, "resource-connections"), nil)
}

// ResourceConnection reads one pair.
func (c *Client) ResourceConnection(ctx context.Context, name, a, b string) (api.ResourceConnection, error) {
	return get[api.ResourceConnection](ctx, c, path(definitions, name, "resource-connections", a, b), nil)
}

// ModifyResourceConnection changes what is set between two resources of a definition.
func (c *Client) ModifyResourceConnection(ctx context.Context, name, a, b string, m api.ResourceConnectionModify, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path(definitions, name, "resource-connections", a, b), o, m)
}
