package main

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"holdfast/internal/admin"
	"holdfast/internal/config"
	"holdfast/internal/controller"
	"holdfast/internal/rest"
	"holdfast/internal/satellite"
)

// commands are the parts of the program other than the command line: "controller", "satellite", "store".
func commands() []*cobra.Command {
	return append(admin.Commands(version), controller.Command(version, serve), satellite.Command(version))
}

// serve puts the REST API before a controller.
func serve(ctx context.Context, ln net.Listener, c *controller.Controller, cfg config.Controller, log *slog.Logger) error {
	limits := rest.Limits{Body: cfg.REST.MaxBodyBytes, Conns: cfg.REST.MaxConnections, Write: cfg.REST.RequestTimeout.Duration}
	i := info()
	i.Config = rest.Config{Dir: filepath.Dir(config.ControllerFile), Level: cfg.Log.Level, Store: cfg.Store.Kind, Path: cfg.Store.Path, Listen: ln.Addr().String()}
	return rest.Serve(ctx, ln, rest.New(c, i, limits, log), limits, log)
}

// info of the program, as the build recorded it.
func info() rest.Info {
	i := rest.Info{Version: version}
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return i
	}
	for _, s := range b.Settings {
		switch s.Key {
		case "vcs.revision":
			i.GitHash = s.Value
		case "vcs.time":
			i.BuildTime, _ = time.Parse(time.RFC3339, s.Value)
		}
	}
	return i
}
