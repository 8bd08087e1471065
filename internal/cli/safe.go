package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

// newSafeToStop is Holdfast's own. The exit code is 0 for yes, ExitAPI for no.
func newSafeToStop(a *App) *cobra.Command {
	inhibit, mode := false, ""
	cmd := takes(&cobra.Command{
		Use:   "safe-to-stop NODE",
		Short: "Say whether a node may be stopped: exit code 0 if nothing loses its last copy or its quorum",
		RunE: func(cmd *cobra.Command, args []string) error {
			if mode != "block" && mode != "delay" {
				return usagef(cmd, "--mode is block or delay, not %q", mode)
			}
			if inhibit {
				return a.inhibit(cmd.Context(), args[0], mode)
			}
			safe := true
			err := list(cmd.Context(), a, "", func(ctx context.Context, c *client.Client) (api.SafeToStop, error) {
				s, err := c.SafeToStop(ctx, args[0])
				safe = err != nil || s.Safe
				return s, err
			}, func(w io.Writer, s api.SafeToStop) error {
				return safeTable(w, a, s)
			})
			if err != nil || safe {
				return err
			}
			return &exitError{code: ExitAPI}
		},
	}, 1, 1)
	cmd.Flags().BoolVar(&inhibit, "inhibit", false, "run on, and hold a shutdown of this machine (systemd-inhibit) while a last copy or a quorum would be lost")
	cmd.Flags().StringVar(&mode, "mode", "block", "with --inhibit: block a shutdown, or delay it for as long as logind allows")
	return cmd
}

func safeTable(w io.Writer, a *App, s api.SafeToStop) error {
	word := "Yes"
	if !s.Safe {
		word = "No"
	}
	if _, err := fmt.Fprintf(w, "Safe to stop node '%s': %s\n", s.Node, word); err != nil || len(s.Losses) == 0 {
		return err
	}
	t := &ui.Table{Columns: []ui.Column{{Name: "ResourceName"}, {Name: "Volume"}, {Name: "Loses"}, {Name: "Copies left"}, {Name: "Why"}}}
	for _, l := range s.Losses {
		c := ui.Text(l.Kind)
		if l.Kind != "redundancy" {
			c.Color = ui.Red
		}
		t.Add(ui.Text(l.Resource), ui.Text(strconv.Itoa(l.Volume)), c, ui.Text(strconv.Itoa(l.Copies)), ui.Text(l.Message))
	}
	return t.Write(w, a.styleFor(false))
}
