package client

import (
	"context"
	"net/http"
	"strconv"

	"holdfast/api"
)

// ResourceView lists resources with their volumes.
func (c *Client) ResourceView(ctx context.Context, f Filter) ([]api.ResourceWithVolumes, error) {
	return get[[]api.ResourceWithVolumes](ctx, c, path("view", "resources"), f.values())
}

// Conditions lists what is wrong with resources.
func (c *Client) Conditions(ctx context.Context, f Filter) ([]api.Condition, error) {
	return get[[]api.Condition](ctx, c, path("view", "conditions"), f.values())
}

// Verify starts to compare the blocks of a definition's replicas.
func (c *Client) Verify(ctx context.Context, name string, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path("resource-definitions", name, "verify"), o, nil)
}

// Verifies lists the newest verify of each resource.
func (c *Client) Verifies(ctx context.Context, f Filter) ([]api.Verify, error) {
	return get[[]api.Verify](ctx, c, path("view", "verifies"), f.values())
}

// Resources lists the resources of a definition.
func (c *Client) Resources(ctx context.Context, name string) ([]api.Resource, error) {
	return get[[]api.Resource](ctx, c, path(definitions, name, "resources"), nil)
}

// Resource reads one resource.
func (c *Client) Resource(ctx context.Context, name, node string) (api.Resource, error) {
	return get[api.Resource](ctx, c, path(definitions, name, "resources", node), nil)
}

// CreateResources adds resources to a definition, all or none.
func (c *Client) CreateResources(ctx context.Context, name string, r []api.ResourceCreate, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path(definitions, name, "resources"), o, r)
}

// ModifyResource changes a resource.
func (c *Client) ModifyResource(ctx context.Context, name, node string, m api.ResourceModify, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path(definitions, name, "resources", node), o, m)
}

// DeleteResource deletes one replica.
func (c *Client) DeleteResource(ctx context.Context, name, node string, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodDelete, path(definitions, name, "resources", node), o, nil)
}

// MakeAvailable makes a resource usable on a node, creating it where needed.
func (c *Client) MakeAvailable(ctx context.Context, name, node string, m api.ResourceMakeAvailable, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path(definitions, name, "resources", node, "make-available"), o, m)
}

// ToggleDisk gives a resource a disk or takes it.
func (c *Client) ToggleDisk(ctx context.Context, name, node string, r api.ToggleDiskRequest, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path(definitions, name, "resources", node, "toggle-disk"), o, r)
}

// ResourceAction posts to one of a resource's actions without a body: "activate", "deactivate".
func (c *Client) ResourceAction(ctx context.Context, name, node, action string, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path(definitions, name, "resources", node, action), o, nil)
}

// Volumes lists the volumes of a resource.
func (c *Client) Volumes(ctx context.Context, name, node string) ([]api.Volume, error) {
	return get[[]api.Volume](ctx, c, path(definitions, name, "resources", node, "volumes"), nil)
}

// ModifyVolume changes a volume of a resource.
func (c *Client) ModifyVolume(ctx context.Context, name, node string, nr int, m api.VolumeModify, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path(definitions, name, "resources", node, "volumes", strconv.Itoa(nr)), o, m)
}
