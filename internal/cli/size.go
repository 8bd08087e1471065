package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

var sizeInfoColumns = []ui.Column{{Name: "MaxVolumeSize", Right: true}, {Name: "AvailableSize", Right: true}, {Name: "Capacity", Right: true},
	{Name: "Next Spawn Result"}}

func newQuerySizeInfo(a *App) *cobra.Command {
	var o placeOptions
	pastable := false
	cmd := takes(&cobra.Command{
		Use:     "query-size-info GROUP",
		Aliases: []string{"qsi"},
		Short:   "Show how much more a resource group could hold",
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := o.filter(cmd)
			if err != nil {
				return err
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			info, err := c.QuerySizeInfo(cmd.Context(), args[0], &f)
			if err != nil {
				return a.failed(err)
			}
			if a.opt.machine {
				return a.jsonLine(info)
			}
			if len(info.Reports) > 0 {
				if err := a.replies(info.Reports); err != nil {
					return err
				}
			}
			t := &ui.Table{Columns: sizeInfoColumns}
			if s := info.SpaceInfo; s != nil {
				next := []string{}
				for _, r := range s.NextSpawnResult {
					next = append(next, r.StorPoolName+" on "+r.NodeName)
				}
				if len(next) == 0 {
					next = []string{"-"}
				}
				t.Add(ui.Texts(ui.FormatSize(s.MaxVolumeSizeKib), ui.FormatSize(s.AvailableSizeKib), ui.FormatSize(s.CapacityKib), strings.Join(next, "\n"))...)
			}
			return t.Write(a.out(), a.styleFor(pastable))
		},
	}, 1, 1)
	cmd.Flags().BoolVarP(&pastable, "pastable", "p", false, "plain characters, no colours")
	o.flags(cmd, "place-count", "")
	return cmd
}

func newGroupMaxVolume(a *App) *cobra.Command {
	pastable := false
	cmd := takes(&cobra.Command{
		Use:     "query-max-volume-size GROUP",
		Aliases: []string{"qmvs"},
		Short:   "Show the largest volume that a resource group could hold",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.maxVolumes(cmd.Context(), pastable, func(ctx context.Context, c *client.Client) (api.MaxVolumeSizes, error) {
				return c.MaxVolumeSizes(ctx, args[0])
			})
		},
	}, 1, 1)
	cmd.Flags().BoolVarP(&pastable, "pastable", "p", false, "plain characters, no colours")
	return cmd
}

func newMaxVolume(a *App) *cobra.Command {
	var o placeOptions
	pastable := false
	cmd := takes(&cobra.Command{
		Use:     "query-max-volume-size REPLICAS",
		Aliases: []string{"qmvs"},
		Short:   "Show the largest volume that could be made with so many replicas",
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := o.filter(cmd)
			if err != nil {
				return err
			}
			n, err := strconv.Atoi(args[0])
			if err != nil || n < 1 {
				return usagef(cmd, "%q is not a number of replicas", args[0])
			}
			f.PlaceCount = api.NewInt(int64(n))
			return a.maxVolumes(cmd.Context(), pastable, func(ctx context.Context, c *client.Client) (api.MaxVolumeSizes, error) {
				return c.QueryMaxVolumeSize(ctx, f)
			})
		},
	}, 1, 1)
	cmd.Flags().BoolVarP(&pastable, "pastable", "p", false, "plain characters, no colours")
	o.flags(cmd, "place-count", "")
	for _, name := range []string{"place-count", "diskless-storage-pool", "diskless-on-remaining", "layer-list", "providers"} {
		_ = cmd.Flags().MarkHidden(name)
	}
	return cmd
}

var maxVolumeColumns = []ui.Column{{Name: "StoragePool"}, {Name: "MaxVolumeSize", Right: true}, {Name: "Provisioning"}, {Name: "Nodes"}}

func (a *App) maxVolumes(ctx context.Context, pastable bool, ask func(context.Context, *client.Client) (api.MaxVolumeSizes, error)) error {
	c, err := a.api()
	if err != nil {
		return err
	}
	sizes, err := ask(ctx, c)
	if err != nil {
		return a.failed(err)
	}
	if a.opt.machine {
		return ui.JSON(a.out(), []any{sizes})
	}
	ratios, err := c.StoragePoolDefinitions(ctx)
	if err != nil {
		return a.failed(err)
	}
	t := &ui.Table{Columns: maxVolumeColumns}
	for _, cand := range sizes.Candidates {
		how := "Thick"
		if cand.AllThin {
			ratio := strconv.FormatFloat(sizes.DefaultMaxOversubscriptionRatio, 'f', 1, 64)
			for _, d := range ratios {
				if v, ok := d.Props["MaxOversubscriptionRatio"]; ok && strings.EqualFold(d.StoragePoolName, cand.StoragePool) {
					ratio = v
				}
			}
			how = "Thin, oversubscription ratio " + ratio
		}
		nodes := strings.Join(cand.NodeNames, ", ")
		if len(nodes) > 40 {
			nodes = nodes[:37] + "..."
		}
		t.Add(ui.Texts(cand.StoragePool, ui.FormatSize(cand.MaxVolumeSizeKib), how, nodes)...)
	}
	return t.Write(a.out(), a.styleFor(pastable))
}
