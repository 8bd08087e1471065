package client

import (
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path/filepath"

	"holdfast/api"
)

// Version tells what answers.
func (c *Client) Version(ctx context.Context) (api.ControllerVersion, error) {
	return get[api.ControllerVersion](ctx, c, path("controller", "version"), nil)
}

// SpaceReport reads a text on the space used.
func (c *Client) SpaceReport(ctx context.Context) (api.SpaceReport, error) {
	return get[api.SpaceReport](ctx, c, path("space-report"), nil)
}

// ControllerConfig tells how the controller was set up.
func (c *Client) ControllerConfig(ctx context.Context) (api.ControllerConfig, error) {
	return get[api.ControllerConfig](ctx, c, path("controller", "config"), nil)
}

// ControllerProps reads the controller's properties.
func (c *Client) ControllerProps(ctx context.Context) (api.Props, error) {
	return get[api.Props](ctx, c, path("controller", "properties"), nil)
}

// ModifyController changes the controller's properties.
func (c *Client) ModifyController(ctx context.Context, m api.ControllerPropsModify, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path("controller", "properties"), o, m)
}

// PropsInfo describes the property keys of an object kind; segments is the path of its "properties/info" route, for
// instance "nodes".
func (c *Client) PropsInfo(ctx context.Context, segments ...string) (map[string]api.PropsInfo, error) {
	return get[map[string]api.PropsInfo](ctx, c, path(append(segments, "properties", "info")...), nil)
}

// KeyValueStores lists the key-value stores.
func (c *Client) KeyValueStores(ctx context.Context) ([]api.KeyValueStore, error) {
	return get[[]api.KeyValueStore](ctx, c, path("key-value-store"), nil)
}

// KeyValueStore reads one key-value store.
func (c *Client) KeyValueStore(ctx context.Context, name string) (api.KeyValueStore, error) {
	list, err := get[[]api.KeyValueStore](ctx, c, path("key-value-store", name), nil)
	if err != nil || len(list) == 0 {
		return api.KeyValueStore{}, err
	}
	return list[0], nil
}

// ModifyKeyValueStore changes a key-value store, or makes it.
func (c *Client) ModifyKeyValueStore(ctx context.Context, name string, m api.KeyValueStoreModify, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path("key-value-store", name), o, m)
}

// DeleteKeyValueStore deletes a key-value store.
func (c *Client) DeleteKeyValueStore(ctx context.Context, name string, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodDelete, path("key-value-store", name), o, nil)
}

// ErrorReports lists error reports. Keys of query: node, since and to (ms), withContent, limit, offset.
func (c *Client) ErrorReports(ctx context.Context, query url.Values) ([]api.ErrorReport, error) {
	return get[[]api.ErrorReport](ctx, c, path("error-reports"), query)
}

// ErrorReport reads error reports by id, with their text.
func (c *Client) ErrorReport(ctx context.Context, id string) ([]api.ErrorReport, error) {
	return get[[]api.ErrorReport](ctx, c, path("error-reports", id), url.Values{"withContent": {"true"}})
}

// DeleteErrorReports deletes error reports.
func (c *Client) DeleteErrorReports(ctx context.Context, d api.ErrorReportDelete, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPatch, path("error-reports"), o, d)
}

// SosReport gives what the controller knows as a tar.gz, and the file name that it proposes: no folder is in it. The caller
// closes the report.
func (c *Client) SosReport(ctx context.Context) (name string, report io.ReadCloser, err error) {
	resp, err := c.send(ctx, http.MethodGet, path("sos-report", "download"), nil, nil)
	if err != nil {
		return "", nil, err
	}
	if resp.StatusCode >= 300 {
		defer resp.Body.Close()
		return "", nil, apiError(resp)
	}
	name = "sos.tar.gz"
	if _, p, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition")); err == nil {
		if base := filepath.Base(p["filename"]); p["filename"] != "" && base != "." && base != ".." && base != string(filepath.Separator) {
			name = base
		}
	}
	return name, resp.Body, nil
}
