package admin

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"holdfast/internal/config"
	"holdfast/internal/store/sqlite"
)

// Commands are the top-level commands. version is this program's.
func Commands(version string) []*cobra.Command {
	f := &files{config: config.ControllerFile, version: version}
	cmd := &cobra.Command{Use: "store", Short: "Look at the controller's store", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.PersistentFlags().StringVar(&f.config, "config", f.config, "the controller's configuration file")
	cmd.PersistentFlags().StringVar(&f.path, "path", "", "the store's file, instead of the configured one")
	cmd.AddCommand(check(f), export(f), takeOver(f))
	return []*cobra.Command{cmd}
}

// files says where the store is.
type files struct{ config, path, version string }

func (f *files) store() (string, error) {
	if f.path != "" {
		return f.path, nil
	}
	cfg, err := config.LoadController(f.config)
	if err != nil {
		return "", err
	}
	if cfg.Store.Kind != "sqlite" {
		return "", fmt.Errorf("the store is of kind %q: there is no file to look at", cfg.Store.Kind)
	}
	return cfg.Store.Path, nil
}

// look opens the store for reading, also beside a running controller, and calls do.
func (f *files) look(ctx context.Context, do func(*sqlite.DB) error) (err error) {
	path, err := f.store()
	if err != nil {
		return err
	}
	db, err := sqlite.OpenReadOnly(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return do(db)
}
