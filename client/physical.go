package client

import (
	"context"
	"net/http"

	"holdfast/api"
)

const physical = "physical-storage"

// PhysicalStorage lists empty disks, grouped by size and kind.
func (c *Client) PhysicalStorage(ctx context.Context) ([]api.PhysicalStorage, error) {
	return get[[]api.PhysicalStorage](ctx, c, path(physical), nil)
}

// PhysicalStorageOn lists a node's empty disks.
func (c *Client) PhysicalStorageOn(ctx context.Context, node string) ([]api.PhysicalStorageNode, error) {
	return get[[]api.PhysicalStorageNode](ctx, c, path(physical, node), nil)
}

// CreateDevicePool makes a volume group, thin pool or ZFS pool of a node's empty disks.
func (c *Client) CreateDevicePool(ctx context.Context, node string, p api.PhysicalStorageCreate, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path(physical, node), o, p)
}
