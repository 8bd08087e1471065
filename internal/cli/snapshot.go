package cli

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

func newSnapshot(a *App) *cobra.Command {
	cmd := group("snapshot", "s", "Copies of resources at one moment", newSnapshotCreate(a), newSnapshotMulti(a), newSnapshotList(a), newSnapshotDelete(a),
		newSnapshotRollback(a),
		group("resource", "r", "Resources made from snapshots", newSnapshotRestore(a)),
		group("volume-definition", "vd", "Volume definitions made from snapshots", newSnapshotRestoreVolumes(a)))
	cmd.AddCommand(snapshotOwner().commands(a)...)
	return cmd
}

func newSnapshotList(a *App) *cobra.Command {
	var o listOptions
	cmd := takes(&cobra.Command{
		Use:     "list",
		Aliases: []string{"l"},
		Short:   "List snapshots",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd.Context(), a, "", func(ctx context.Context, c *client.Client) ([]api.Snapshot, error) {
				return c.SnapshotView(ctx, o.filter)
			}, func(w io.Writer, snaps []api.Snapshot) error {
				return snapshotTable(&o, snaps).Write(w, a.styleFor(o.pastable))
			})
		},
	}, 0, 0)
	o.flags(cmd, listFlags{nodes: true, rscs: true})
	return cmd
}

func snapshotTable(o *listOptions, snaps []api.Snapshot) *ui.Table {
	t := o.table([]ui.Column{{Name: "ResourceName"}, {Name: "SnapshotName"}, {Name: "NodeNames"}, {Name: "Volumes"},
		{Name: "CreatedOn"}, {Name: "State", Color: ui.DarkGreen}})
	for _, s := range snaps {
		state := ui.Text("Incomplete")
		switch {
		case api.HasFlag(s.Flags, api.FlagDelete):
			state = ui.Cell{Text: "DELETING", Color: ui.Red}
		case api.HasFlag(s.Flags, "FAILED_DEPLOYMENT"):
			state = ui.Cell{Text: "Failed", Color: ui.Red}
		case api.HasFlag(s.Flags, "FAILED_DISCONNECT"):
			state = ui.Cell{Text: "Satellite disconnected", Color: ui.Red}
		case api.HasFlag(s.Flags, "SUCCESSFUL"):
			state = ui.Text("Successful")
		}
		var volumes []string
		for _, v := range s.VolumeDefinitions {
			volumes = append(volumes, strconv.Itoa(v.VolumeNumber)+": "+ui.FormatSize(v.SizeKib))
		}
		created := ""
		if len(s.Snapshots) > 0 {
			created = localTime(s.Snapshots[0].CreateTimestamp)
		}
		row := ui.Texts(s.ResourceName, s.Name, strings.Join(s.Nodes, ", "), strings.Join(volumes, ", "), created)
		t.Add(append(row, state)...)
	}
	return t
}
