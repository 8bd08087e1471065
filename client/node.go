package client

import (
	"context"
	"net/http"

	"holdfast/api"
)

// Nodes lists nodes.
func (c *Client) Nodes(ctx context.Context, f Filter) ([]api.Node, error) {
	return get[[]api.Node](ctx, c, path("nodes"), f.values())
}

// Node reads one node.
func (c *Client) Node(ctx context.Context, name string) (api.Node, error) {
	return get[api.Node](ctx, c, path("nodes", name), nil)
}

// CreateNode adds a node.
func (c *Client) CreateNode(ctx context.Context, n api.Node, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path("nodes"), o, n)
}

// ModifyNode changes a node.
func (c *Client) ModifyNode(ctx context.Context, name string, m api.NodeModify, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path("nodes", name), o, m)
}

// DeleteNode deletes an empty node.
func (c *Client) DeleteNode(ctx context.Context, name string, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodDelete, path("nodes", name), o, nil)
}

// LostNode deletes an unreachable node with everything on it.
func (c *Client) LostNode(ctx context.Context, name string, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodDelete, path("nodes", name, "lost"), o, nil)
}

// SafeToStop asks whether a node may be stopped.
func (c *Client) SafeToStop(ctx context.Context, name string) (api.SafeToStop, error) {
	return get[api.SafeToStop](ctx, c, path("nodes", name, "safe-to-stop"), nil)
}

// EvacuateNode moves everything off a node.
func (c *Client) EvacuateNode(ctx context.Context, name string, e api.NodeEvacuate, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path("nodes", name, "evacuate"), o, e)
}

// EvictNode replaces elsewhere what is on a node that is away.
func (c *Client) EvictNode(ctx context.Context, name string, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path("nodes", name, "evict"), o, nil)
}

// RestoreNode takes an eviction or evacuation back.
func (c *Client) RestoreNode(ctx context.Context, name string, r api.NodeRestore, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path("nodes", name, "restore"), o, r)
}

// ReconnectNode makes the controller connect to a node again.
func (c *Client) ReconnectNode(ctx context.Context, name string) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path("nodes", name, "reconnect"), nil, nil)
}

// NetInterfaces lists the addresses of a node.
func (c *Client) NetInterfaces(ctx context.Context, node string) ([]api.NetInterface, error) {
	return get[[]api.NetInterface](ctx, c, path("nodes", node, "net-interfaces"), nil)
}

// CreateNetInterface adds an address to a node.
func (c *Client) CreateNetInterface(ctx context.Context, node string, i api.NetInterface, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path("nodes", node, "net-interfaces"), o, i)
}

// ModifyNetInterface changes an address of a node.
func (c *Client) ModifyNetInterface(ctx context.Context, node, name string, i api.NetInterface, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path("nodes", node, "net-interfaces", name), o, i)
}

// DeleteNetInterface removes an address from a node.
func (c *Client) DeleteNetInterface(ctx context.Context, node, name string, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodDelete, path("nodes", node, "net-interfaces", name), o, nil)
}
