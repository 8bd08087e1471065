package controller

import (
	"github.com/spf13/cobra"

	"holdfast/internal/config"
	"holdfast/internal/obs"
)

// Command is `holdfast controller`. serve answers the API.
func Command(version string, serve Serve) *cobra.Command {
	file := config.ControllerFile
	cmd := &cobra.Command{
		Use: "controller", Short: "Run the controller", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.LoadController(file)
			if err != nil {
				return err
			}
			log, err := obs.NewLogger(cmd.ErrOrStderr(), cfg.Log.Level, cfg.Log.Format)
			if err != nil {
				return err
			}
			return Run(cmd.Context(), cfg, version, log, serve)
		},
	}
	cmd.Flags().StringVar(&file, "config", file, "configuration file")
	return cmd
}
