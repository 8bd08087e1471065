package client

import (
	"context"
	"net/http"
	"net/url"

	"holdfast/api"
)

// CloneResourceDefinition starts a clone of a definition.
func (c *Client) CloneResourceDefinition(ctx context.Context, name string, r api.ResourceDefinitionCloneRequest, o ...ChangeOption) (api.ResourceDefinitionCloneStarted, error) {
	q := url.Values{}
	for _, f := range o {
		f(q)
	}
	var out api.ResourceDefinitionCloneStarted
	err := c.Do(ctx, http.MethodPost, path(definitions, name, "clone"), q, r, &out)
	return out, err
}

// CloneStatus tells where a clone of a definition stands.
func (c *Client) CloneStatus(ctx context.Context, name, clone string) (api.ResourceDefinitionCloneStatus, error) {
	return get[api.ResourceDefinitionCloneStatus](ctx, c, path(definitions, name, "clone", clone), nil)
}
