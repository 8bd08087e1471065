package main

import (
	"context"
	"log/slog"
	"net"
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
func serve(ctx context.Context, ln net.Listener, c *controller.Controller, cfg config.REST, log *slog.Logger) error {
	limits := rest.Limits{Body: cfg.MaxBodyBytes, Conns: cfg.MaxConnections, Write: cfg.RequestTimeout.Duration}
	return rest.Serve(ctx, ln, rest.New(c, info(), limits, log), limits, log)
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
