package cli

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
)

// involved tells which resources of a list are shown: all replicas of what has one on the node, and meets the rest.
type involved struct {
	node                string
	inUse, disklessUsed bool
	fewer               int // only what has fewer replicas with a disk; 0: any
}

func newResourceInvolved(a *App) *cobra.Command {
	var o resourceList
	var want involved
	cmd := takes(&cobra.Command{
		Use:     "involved NODE",
		Aliases: []string{"inv"},
		Short:   "List all replicas of the resources that have one on a node",
		RunE: func(cmd *cobra.Command, args []string) error {
			want.node = args[0]
			return list(cmd.Context(), a, "", func(ctx context.Context, c *client.Client) ([]api.ResourceWithVolumes, error) {
				return c.ResourceView(ctx, client.Filter{})
			}, func(w io.Writer, rscs []api.ResourceWithVolumes) error {
				return o.makeTable(want.of(rscs)).Write(w, a.styleFor(o.pastable))
			})
		},
	}, 1, 1)
	o.flags(cmd, listFlags{show: true})
	f := cmd.Flags()
	f.BoolVarP(&want.inUse, "inuse", "i", false, "only resources that are in use somewhere")
	f.BoolVarP(&want.disklessUsed, "diskless-inuse", "d", false, "only resources that are in use where they have no disk")
	f.IntVarP(&want.fewer, "min-diskful", "m", 0, "only resources that have fewer replicas with a disk than this")
	return cmd
}

// of keeps the list's order.
func (w involved) of(rscs []api.ResourceWithVolumes) []api.ResourceWithVolumes {
	type sum struct {
		there, used, disklessUsed bool
		disks                     int
	}
	sums := map[string]sum{}
	for _, r := range rscs {
		s := sums[r.Name]
		used := r.State != nil && r.State.InUse != nil && *r.State.InUse
		diskless := api.HasFlag(r.Flags, api.FlagDiskless)
		s.there = s.there || strings.EqualFold(r.NodeName, w.node)
		s.used = s.used || used
		s.disklessUsed = s.disklessUsed || used && diskless
		if !diskless {
			s.disks++
		}
		sums[r.Name] = s
	}
	return slices.DeleteFunc(slices.Clone(rscs), func(r api.ResourceWithVolumes) bool {
		s := sums[r.Name]
		return !s.there || w.inUse && !s.used || w.disklessUsed && !s.disklessUsed || w.fewer > 0 && s.disks >= w.fewer
	})
}
