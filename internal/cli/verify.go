package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

// newVerify is Holdfast's own.
func newVerify(a *App) *cobra.Command {
	return takes(&cobra.Command{
		Use:   "verify RESOURCE",
		Short: "Compare the blocks of a resource's replicas, in the background; list-verifies tells what was found",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.Verify(ctx, args[0])
			})
		},
	}, 1, 1)
}

func newListVerifies(a *App) *cobra.Command {
	return &cobra.Command{
		Use:     "list-verifies [RESOURCE]...",
		Aliases: []string{"lver"},
		Short:   "List the last verify of each resource, and what it found",
		RunE: func(cmd *cobra.Command, args []string) error {
			return list(cmd.Context(), a, "", func(ctx context.Context, c *client.Client) ([]api.Verify, error) {
				return c.Verifies(ctx, client.Filter{Resources: args})
			}, a.drawVerifies)
		},
	}
}

func (a *App) drawVerifies(w io.Writer, list []api.Verify) error {
	t := &ui.Table{Columns: []ui.Column{{Name: "ResourceName"}, {Name: "Node"}, {Name: "By"}, {Name: "Asked"}, {Name: "Ended"}, {Name: "State"}, {Name: "Differs"}}}
	for _, v := range list {
		state := ui.Text(v.State)
		switch v.State {
		case "FAILED":
			state.Color = ui.Red
		case "RUNNING":
			state = ui.Text(v.State + " " + strconv.FormatFloat(v.DonePercent, 'f', 0, 64) + "%")
		}
		var found []string
		for _, f := range v.Found {
			found = append(found, fmt.Sprintf("%s-%s vol %d: %d KiB", f.NodeName, f.PeerName, f.VolumeNumber, f.OutOfSyncKib))
		}
		differs := ui.Text(strings.Join(found, ", "))
		differs.Color = ui.Red
		if len(found) == 0 && v.State == "DONE" {
			differs = ui.Text("nothing")
		}
		t.Add(ui.Text(v.ResourceName), ui.Text(v.NodeName), ui.Text(v.By), ui.Text(localTime(v.Asked)), ui.Text(localTime(v.Ended)), state, differs)
	}
	if err := t.Write(w, a.styleFor(false)); err != nil {
		return err
	}
	for _, v := range list {
		if v.Reason != "" {
			if _, err := fmt.Fprintf(w, "%s: %s\n", v.ResourceName, oneLine(v.Reason)); err != nil {
				return err
			}
		}
	}
	return nil
}
