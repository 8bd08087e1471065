package main

import (
	"context"
	"net"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"holdfast/internal/admin"
	"holdfast/internal/config"
	"holdfast/internal/controller"
	"holdfast/internal/obs"
	"holdfast/internal/rest"
	"holdfast/internal/satellite"
)

// commands are the parts of the program other than the command line: "controller", "satellite", "store".
func commands() []*cobra.Command {
	return append(admin.Commands(version), controllerCommand(), satellite.Command(version))
}

func controllerCommand() *cobra.Command {
	file := config.ControllerFile
	cmd := &cobra.Command{
		Use: "controller", Short: "Run the controller on this machine", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.LoadController(file)
			if err != nil {
				return err
			}
			log, err := obs.NewLogger(cmd.ErrOrStderr(), cfg.Log.Level, cfg.Log.Format)
			if err != nil {
				return err
			}
			limits := rest.Limits{Body: cfg.REST.MaxBodyBytes, Conns: cfg.REST.MaxConnections, Write: cfg.REST.RequestTimeout.Duration}
			return controller.Run(cmd.Context(), cfg, version, log, func(ctx context.Context, ln net.Listener, c *controller.Controller) error {
				return rest.Serve(ctx, ln, rest.New(backend{c}, info(), limits, log), limits, log)
			})
		},
	}
	cmd.Flags().StringVar(&file, "config", file, "configuration file")
	return cmd
}

// backend is the controller as the API sees it.
type backend struct{ *controller.Controller }

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
