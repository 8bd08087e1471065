package satellite

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"holdfast/internal/config"
	"holdfast/internal/obs"
	"holdfast/internal/pki"
)

// Command is `holdfast satellite`: the daemon, and what its root may do with the files that say whom it belongs to.
func Command(version string) *cobra.Command {
	file := config.SatelliteFile
	load := func() (config.Satellite, error) { return config.LoadSatellite(file) }
	cmd := &cobra.Command{
		Use: "satellite", Short: "Run the satellite on this node", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			log, err := obs.NewLogger(cmd.ErrOrStderr(), cfg.Log.Level, cfg.Log.Format)
			if err != nil {
				return err
			}
			return Run(cmd.Context(), cfg, version, log)
		},
	}
	cmd.PersistentFlags().StringVar(&file, "config", file, "configuration file")
	claim := func(use, short string, change func(pki.Claim, time.Time) (pki.Claim, error)) {
		cmd.AddCommand(&cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, SilenceUsage: true,
			RunE: func(cmd *cobra.Command, _ []string) error {
				cfg, err := load()
				if err != nil {
					return err
				}
				c, err := pki.UpdateClaim(cfg.StateDir, func(old pki.Claim) (pki.Claim, error) { return change(old, time.Now()) })
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "The satellite belongs to nobody; a controller may claim it until %s.\n", c.OpenUntil.Local().Format(time.DateTime))
				return nil
			}})
	}
	claim("release", "Take the satellite from its cluster; volumes stay as they are", func(c pki.Claim, now time.Time) (pki.Claim, error) { return c.Release(now), nil })
	claim("open-claim", "Let a controller claim a satellite that belongs to nobody, for an hour", func(c pki.Claim, now time.Time) (pki.Claim, error) { return c.Reopen(now) })
	cmd.AddCommand(&cobra.Command{Use: "fingerprint", Short: "Print the satellite's fingerprint and claim code", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			id, err := pki.ReadSatellite(cfg.StateDir)
			if err != nil {
				return err
			}
			c, err := pki.LoadClaim(cfg.StateDir)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "fingerprint: %s\nclaim code:  %s\n", id.Fingerprint().Short(), id.ClaimCode())
			if c.Owned() {
				fmt.Fprintf(cmd.OutOrStdout(), "cluster:     %s\n", c.ClusterID)
			}
			return nil
		}})
	cmd.AddCommand(guardCommand())
	return cmd
}
