package controller

import (
	"context"
	"log/slog"
	"os"

	"holdfast/internal/config"
	"holdfast/internal/core"
	"holdfast/internal/model"
)

// unlock enters the master passphrase that was configured. One that doesn't fit locks nobody out: it is said, and the rest
// goes on.
func (c *Controller) unlock(ctx context.Context, cfg config.Controller, log *slog.Logger) {
	pass, from, err := cfg.MasterPassphrase(os.Getenv)
	switch {
	case err != nil:
		log.Error("encrypted volumes stay locked", "err", err)
		return
	case pass == "" || c.Snapshot().Controller() == nil || c.Snapshot().Controller().Master == nil:
		return
	}
	if _, err := c.Do(ctx, core.PassphraseEnter{Passphrase: model.Secret(pass)}, true); err != nil {
		log.Error("encrypted volumes stay locked", "from", from, "err", err)
		return
	}
	log.Info("encrypted volumes unlocked", "from", from)
}
