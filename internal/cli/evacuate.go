package cli

import (
	"context"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
)

func newNodeEvacuate(a *App) *cobra.Command {
	var e api.NodeEvacuate
	var plan planOption
	cmd := takes(&cobra.Command{
		Use:     "evacuate NODE",
		Aliases: []string{"evac"},
		Short:   "Move all replicas off a node; typed again it says how far it came",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.EvacuateNode(ctx, args[0], e, plan.options()...)
			})
		},
	}, 1, 1)
	plan.flags(cmd)
	manyVar(cmd, &e.Target, "target", "", "nodes that may take them")
	manyVar(cmd, &e.DoNotTarget, "do-not-target", "", "nodes that may not take them")
	return cmd
}

func newNodeEvict(a *App) *cobra.Command {
	var plan planOption
	cmd := takes(&cobra.Command{
		Use:   "evict NODE",
		Short: "Replace elsewhere what is on a node that is away",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.EvictNode(ctx, args[0], plan.options()...)
			})
		},
	}, 1, 1)
	plan.flags(cmd)
	return cmd
}

func newNodeRestore(a *App) *cobra.Command {
	resources, snapshots := false, false
	cmd := takes(&cobra.Command{
		Use:     "restore NODE",
		Aliases: []string{"rst"},
		Short:   "Take an eviction or evacuation back",
		RunE: func(cmd *cobra.Command, args []string) error {
			var r api.NodeRestore
			if resources {
				r.DeleteResources = api.NewBool(true)
			}
			if snapshots {
				r.DeleteSnapshots = api.NewBool(true)
			}
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.RestoreNode(ctx, args[0], r)
			})
		},
	}, 1, 1)
	cmd.Flags().BoolVar(&resources, "delete-resources", false, "remove the replicas of an evicted node, once other copies are good; the last one of a resource stays")
	cmd.Flags().BoolVar(&snapshots, "delete-snapshots", false, "remove the node's snapshots")
	return cmd
}

// planOption is --plan alone.
type planOption struct{ on bool }

func (o *planOption) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.on, "plan", false, "say what would be done, the bytes to copy and the copies left meanwhile, and do nothing")
}

func (o *planOption) options() []client.ChangeOption {
	if o.on {
		return []client.ChangeOption{client.Plan()}
	}
	return nil
}
