package client

import (
	"context"
	"net/http"
	"strconv"

	"holdfast/api"
)

const definitions = "resource-definitions"

// ResourceDefinitions lists resource definitions.
func (c *Client) ResourceDefinitions(ctx context.Context, f Filter) ([]api.ResourceDefinition, error) {
	return get[[]api.ResourceDefinition](ctx, c, path(definitions), f.values())
}

// ResourceDefinition reads one resource definition.
func (c *Client) ResourceDefinition(ctx context.Context, name string) (api.ResourceDefinition, error) {
	return get[api.ResourceDefinition](ctx, c, path(definitions, name), nil)
}

// CreateResourceDefinition adds a resource definition.
func (c *Client) CreateResourceDefinition(ctx context.Context, d api.ResourceDefinitionCreate, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path(definitions), o, d)
}

// ModifyResourceDefinition changes a resource definition.
func (c *Client) ModifyResourceDefinition(ctx context.Context, name string, m api.ResourceDefinitionModify, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path(definitions, name), o, m)
}

// DeleteResourceDefinition deletes a definition with all its resources.
func (c *Client) DeleteResourceDefinition(ctx context.Context, name string, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodDelete, path(definitions, name), o, nil)
}

// AutoPlace places replicas of a definition.
func (c *Client) AutoPlace(ctx context.Context, name string, r api.AutoPlaceRequest, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path(definitions, name, "autoplace"), o, r)
}

// SyncStatus tells whether all replicas of a definition are UpToDate.
func (c *Client) SyncStatus(ctx context.Context, name string) (api.ResourceDefinitionSyncStatus, error) {
	return get[api.ResourceDefinitionSyncStatus](ctx, c, path(definitions, name, "sync-status"), nil)
}

// VolumeDefinitions lists the volumes of a definition.
func (c *Client) VolumeDefinitions(ctx context.Context, name string) ([]api.VolumeDefinition, error) {
	return get[[]api.VolumeDefinition](ctx, c, path(definitions, name, "volume-definitions"), nil)
}

// VolumeDefinition reads one volume of a definition.
func (c *Client) VolumeDefinition(ctx context.Context, name string, nr int) (api.VolumeDefinition, error) {
	return get[api.VolumeDefinition](ctx, c, path(definitions, name, "volume-definitions", strconv.Itoa(nr)), nil)
}

// CreateVolumeDefinition adds a volume to a definition.
func (c *Client) CreateVolumeDefinition(ctx context.Context, name string, v api.VolumeDefinitionCreate, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path(definitions, name, "volume-definitions"), o, v)
}

// ModifyVolumeDefinition changes a volume of a definition.
func (c *Client) ModifyVolumeDefinition(ctx context.Context, name string, nr int, m api.VolumeDefinitionModify, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path(definitions, name, "volume-definitions", strconv.Itoa(nr)), o, m)
}

// DeleteVolumeDefinition removes a volume from a definition.
func (c *Client) DeleteVolumeDefinition(ctx context.Context, name string, nr int, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodDelete, path(definitions, name, "volume-definitions", strconv.Itoa(nr)), o, nil)
}
