package client

import (
	"context"
	"net/http"
	"net/url"

	"holdfast/api"
)

// SnapshotView lists snapshots.
func (c *Client) SnapshotView(ctx context.Context, f Filter) ([]api.Snapshot, error) {
	return get[[]api.Snapshot](ctx, c, path("view", "snapshots"), f.values())
}

// Snapshots lists a definition's snapshots.
func (c *Client) Snapshots(ctx context.Context, resource string) ([]api.Snapshot, error) {
	return get[[]api.Snapshot](ctx, c, path(definitions, resource, "snapshots"), nil)
}

// Snapshot reads one snapshot.
func (c *Client) Snapshot(ctx context.Context, resource, name string) (api.Snapshot, error) {
	return get[api.Snapshot](ctx, c, path(definitions, resource, "snapshots", name), nil)
}

// CreateSnapshot takes a snapshot.
func (c *Client) CreateSnapshot(ctx context.Context, resource string, s api.Snapshot, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path(definitions, resource, "snapshots"), o, s)
}

// CreateSnapshots takes snapshots of several resources at the same moment.
func (c *Client) CreateSnapshots(ctx context.Context, m api.CreateMultiSnapshotRequest, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path("actions", "snapshot", "multi"), o, m)
}

// ModifySnapshot changes a snapshot's properties.
func (c *Client) ModifySnapshot(ctx context.Context, resource, name string, m api.SnapshotModify, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path(definitions, resource, "snapshots", name), o, m)
}

// DeleteSnapshot removes a snapshot; OnNodes limits that to its copies there.
func (c *Client) DeleteSnapshot(ctx context.Context, resource, name string, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodDelete, path(definitions, resource, "snapshots", name), o, nil)
}

// OnNodes limits a removal to nodes.
func OnNodes(nodes ...string) ChangeOption {
	return func(q url.Values) { q["nodes"] = nodes }
}

// RestoreVolumeDefinitions gives another definition the volume definitions of a snapshot.
func (c *Client) RestoreVolumeDefinitions(ctx context.Context, resource, name string, r api.SnapshotRestore, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path(definitions, resource, "snapshot-restore-volume-definition", name), o, r)
}

// RestoreSnapshot makes the resources of another definition from a snapshot.
func (c *Client) RestoreSnapshot(ctx context.Context, resource, name string, r api.SnapshotRestore, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path(definitions, resource, "snapshot-restore-resource", name), o, r)
}

// RollbackSnapshot gives a resource the content that it had when the snapshot was taken.
func (c *Client) RollbackSnapshot(ctx context.Context, resource, name string, r api.SnapshotRollback, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path(definitions, resource, "snapshot-rollback", name), o, r)
}
