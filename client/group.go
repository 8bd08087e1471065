package client

import (
	"context"
	"net/http"
	"strconv"

	"holdfast/api"
)

const groups = "resource-groups"

// ResourceGroups lists resource groups.
func (c *Client) ResourceGroups(ctx context.Context, f Filter) ([]api.ResourceGroup, error) {
	return get[[]api.ResourceGroup](ctx, c, path(groups), f.values())
}

// ResourceGroup reads one resource group.
func (c *Client) ResourceGroup(ctx context.Context, name string) (api.ResourceGroup, error) {
	return get[api.ResourceGroup](ctx, c, path(groups, name), nil)
}

// CreateResourceGroup adds a resource group.
func (c *Client) CreateResourceGroup(ctx context.Context, g api.ResourceGroup, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path(groups), o, g)
}

// ModifyResourceGroup changes a resource group.
func (c *Client) ModifyResourceGroup(ctx context.Context, name string, m api.ResourceGroupModify, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path(groups, name), o, m)
}

// DeleteResourceGroup deletes an unused resource group.
func (c *Client) DeleteResourceGroup(ctx context.Context, name string, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodDelete, path(groups, name), o, nil)
}

// SpawnResource makes a definition with volumes and resources from a group.
func (c *Client) SpawnResource(ctx context.Context, group string, s api.ResourceGroupSpawn, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path(groups, group, "spawn"), o, s)
}

// AdjustResourceGroup runs the placement of a group's definitions again; an empty name means all groups.
func (c *Client) AdjustResourceGroup(ctx context.Context, name string, a api.ResourceGroupAdjust, o ...ChangeOption) (api.ApiCallRcList, error) {
	p := path(groups, name, "adjust")
	if name == "" {
		p = path(groups, "adjustall")
	}
	return c.change(ctx, http.MethodPost, p, o, a)
}

// QuerySizeInfo tells how much more a group could hold; fields of f that are there go before the group's.
func (c *Client) QuerySizeInfo(ctx context.Context, group string, f *api.AutoSelectFilter) (api.QuerySizeInfoResponse, error) {
	var out api.QuerySizeInfoResponse
	return out, c.Do(ctx, http.MethodPost, path(groups, group, "query-size-info"), nil, api.QuerySizeInfoRequest{SelectFilter: f}, &out)
}

// QueryAllSizeInfo tells how much more each group could hold.
func (c *Client) QueryAllSizeInfo(ctx context.Context, f *api.AutoSelectFilter) (api.QueryAllSizeInfoResponse, error) {
	var out api.QueryAllSizeInfoResponse
	return out, c.Do(ctx, http.MethodPost, path("queries", groups, "query-all-size-info"), nil, api.QuerySizeInfoRequest{SelectFilter: f}, &out)
}

// MaxVolumeSizes tells the largest possible volume of a group, by storage pool.
func (c *Client) MaxVolumeSizes(ctx context.Context, group string) (api.MaxVolumeSizes, error) {
	return get[api.MaxVolumeSizes](ctx, c, path(groups, group, "query-max-volume-size"), nil)
}

// QueryMaxVolumeSize tells the largest possible volume, by storage pool.
func (c *Client) QueryMaxVolumeSize(ctx context.Context, f api.AutoSelectFilter) (api.MaxVolumeSizes, error) {
	var out api.MaxVolumeSizes
	return out, c.Do(ctx, http.MethodOptions, path("query-max-volume-size"), nil, f, &out)
}

// VolumeGroups lists the volume groups of a resource group.
func (c *Client) VolumeGroups(ctx context.Context, group string) ([]api.VolumeGroup, error) {
	return get[[]api.VolumeGroup](ctx, c, path(groups, group, "volume-groups"), nil)
}

// CreateVolumeGroup adds a volume group.
func (c *Client) CreateVolumeGroup(ctx context.Context, group string, v api.VolumeGroup, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path(groups, group, "volume-groups"), o, v)
}

// ModifyVolumeGroup changes a volume group.
func (c *Client) ModifyVolumeGroup(ctx context.Context, group string, nr int, m api.VolumeGroupModify, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path(groups, group, "volume-groups", strconv.Itoa(nr)), o, m)
}

// DeleteVolumeGroup deletes a volume group.
func (c *Client) DeleteVolumeGroup(ctx context.Context, group string, nr int, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodDelete, path(groups, group, "volume-groups", strconv.Itoa(nr)), o, nil)
}
