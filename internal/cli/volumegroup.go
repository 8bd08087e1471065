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

func newVolumeGroup(a *App) *cobra.Command {
	cmd := group("volume-group", "vg", "Templates for the volumes of a resource group",
		newVolumeGroupCreate(a), newVolumeGroupDelete(a), newVolumeGroupList(a))
	cmd.AddCommand(volumeGroupOwner().commands(a)...)
	return cmd
}

func volumeGroupOwner() owner {
	return owner{
		use: "GROUP VOLUME_NR", noun: "volume group", sections: []string{"Disk", "PeerDevice"},
		get: func(ctx context.Context, c *client.Client, args []string) (api.Props, bool, error) {
			nr, err := volumeNumber(args[1])
			if err != nil {
				return nil, false, err
			}
			list, err := c.VolumeGroups(ctx, args[0])
			if err != nil {
				return nil, false, err
			}
			for _, v := range list {
				if v.VolumeNumber.Value(0) == int64(nr) {
					return v.Props, true, nil
				}
			}
			return nil, false, nil
		},
		set: func(ctx context.Context, c *client.Client, args []string, m api.PropsModify) (api.ApiCallRcList, error) {
			nr, err := volumeNumber(args[1])
			if err != nil {
				return nil, err
			}
			return c.ModifyVolumeGroup(ctx, args[0], nr, api.VolumeGroupModify{PropsModify: m})
		},
	}
}

func newVolumeGroupCreate(a *App) *cobra.Command {
	nr, gross := -1, false
	cmd := takes(&cobra.Command{
		Use:     "create GROUP",
		Aliases: []string{"c"},
		Short:   "Add a volume to a resource group",
		RunE: func(cmd *cobra.Command, args []string) error {
			v := api.VolumeGroup{VolumeNumber: optInt(nr)}
			if gross {
				v.Flags = []string{api.FlagGrossSize}
			}
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.CreateVolumeGroup(ctx, args[0], v)
			})
		},
	}, 1, 1)
	cmd.Flags().IntVarP(&nr, "vlmnr", "n", -1, "volume number (default the lowest free one)")
	cmd.Flags().BoolVar(&gross, "gross", false, "sizes include DRBD's metadata")
	return cmd
}

func newVolumeGroupDelete(a *App) *cobra.Command {
	return takes(&cobra.Command{
		Use:     "delete GROUP VOLUME_NR",
		Aliases: []string{"d"},
		Short:   "Remove a volume from a resource group",
		RunE: func(cmd *cobra.Command, args []string) error {
			nr, err := volumeNumber(args[1])
			if err != nil {
				return err
			}
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.DeleteVolumeGroup(ctx, args[0], nr)
			})
		},
	}, 2, 2)
}

var volumeGroupColumns = []ui.Column{{Name: "VolumeNr"}, {Name: "Flags"}}

func newVolumeGroupList(a *App) *cobra.Command {
	var o listOptions
	cmd := takes(&cobra.Command{
		Use:     "list GROUP",
		Aliases: []string{"l"},
		Short:   "List the volumes of a resource group",
		RunE: func(cmd *cobra.Command, args []string) error {
			return list(cmd.Context(), a, "", func(ctx context.Context, c *client.Client) ([]api.VolumeGroup, error) {
				return c.VolumeGroups(ctx, args[0])
			}, func(w io.Writer, list []api.VolumeGroup) error {
				t := o.table(volumeGroupColumns)
				for _, v := range list {
					row := ui.Texts(strconv.FormatInt(v.VolumeNumber.Value(0), 10), strings.Join(v.Flags, ", "))
					t.Add(append(row, o.propCells(v.Props)...)...)
				}
				t.SortBy(o.groupBy...)
				return t.Write(w, a.styleFor(o.pastable))
			})
		},
	}, 1, 1)
	o.flags(cmd, listFlags{section: "volume-group.list", columns: volumeGroupColumns, groupBy: true, show: true})
	return cmd
}
