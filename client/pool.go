package client

import (
	"context"
	"net/http"

	"holdfast/api"
)

// StoragePools lists the pools of all nodes.
func (c *Client) StoragePools(ctx context.Context, f Filter) ([]api.StoragePool, error) {
	return get[[]api.StoragePool](ctx, c, path("view", "storage-pools"), f.values())
}

// StoragePool reads one pool.
func (c *Client) StoragePool(ctx context.Context, node, pool string) (api.StoragePool, error) {
	return get[api.StoragePool](ctx, c, path("nodes", node, "storage-pools", pool), nil)
}

// CreateStoragePool adds a pool to a node.
func (c *Client) CreateStoragePool(ctx context.Context, node string, p api.StoragePool, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path("nodes", node, "storage-pools"), o, p)
}

// ModifyStoragePool changes a pool.
func (c *Client) ModifyStoragePool(ctx context.Context, node, pool string, m api.StoragePoolModify, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path("nodes", node, "storage-pools", pool), o, m)
}

// DeleteStoragePool removes an empty pool.
func (c *Client) DeleteStoragePool(ctx context.Context, node, pool string, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodDelete, path("nodes", node, "storage-pools", pool), o, nil)
}

// StoragePoolDefinitions lists the pool names.
func (c *Client) StoragePoolDefinitions(ctx context.Context) ([]api.StoragePoolDefinition, error) {
	return get[[]api.StoragePoolDefinition](ctx, c, path("storage-pool-definitions"), nil)
}
