package client

import (
	"context"
	"net/http"
	"strconv"

	"holdfast/api"
)

// Passphrase tells whether a master passphrase is set, and whether it was entered.
func (c *Client) Passphrase(ctx context.Context) (api.PassphraseStatus, error) {
	return get[api.PassphraseStatus](ctx, c, path("encryption", "passphrase"), nil)
}

// CreatePassphrase creates the master passphrase.
func (c *Client) CreatePassphrase(ctx context.Context, passphrase string, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPost, path("encryption", "passphrase"), o, api.PassphraseCreate{NewPassphrase: passphrase})
}

// EnterPassphrase unlocks what the master passphrase locks.
func (c *Client) EnterPassphrase(ctx context.Context, passphrase string, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPatch, path("encryption", "passphrase"), o, passphrase)
}

// ModifyPassphrase changes the master passphrase.
func (c *Client) ModifyPassphrase(ctx context.Context, old, passphrase string, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path("encryption", "passphrase"), o, api.PassphraseCreate{NewPassphrase: passphrase, OldPassphrase: old})
}

// ModifyVolumePassphrase changes the passphrase of one volume.
func (c *Client) ModifyVolumePassphrase(ctx context.Context, name string, nr int, passphrase string, o ...ChangeOption) (api.ApiCallRcList, error) {
	return c.change(ctx, http.MethodPut, path(definitions, name, "volume-definitions", strconv.Itoa(nr), "encryption-passphrase"), o,
		api.VolumeDefinitionModifyPassphrase{NewPassphrase: passphrase})
}
