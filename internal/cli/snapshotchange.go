package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
)

func snapshotOwner() owner {
	return owner{
		use: "RESOURCE SNAPSHOT", noun: "snapshot",
		get: func(ctx context.Context, c *client.Client, args []string) (api.Props, bool, error) {
			list, err := c.SnapshotView(ctx, client.Filter{Resources: args[:1]})
			for _, s := range list {
				if strings.EqualFold(s.Name, args[1]) {
					return s.SnapshotDefinitionProps, true, err
				}
			}
			return nil, false, err
		},
		set: func(ctx context.Context, c *client.Client, args []string, m api.PropsModify) (api.ApiCallRcList, error) {
			return c.ModifySnapshot(ctx, args[0], args[1], api.SnapshotModify{PropsModify: m})
		},
	}
}

func newSnapshotCreate(a *App) *cobra.Command {
	var wait waitOptions
	cmd := takes(&cobra.Command{
		Use:     "create [NODE...] RESOURCE SNAPSHOT",
		Aliases: []string{"c"},
		Short:   "Take a snapshot of a resource, on all nodes that have a good copy or on those named",
		RunE: func(cmd *cobra.Command, args []string) error {
			n := len(args) - 2
			return a.watched(cmd.Context(), watchResources(args[n]), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.CreateSnapshot(ctx, args[n], api.Snapshot{Name: args[n+1], Nodes: args[:n]}, wait.options()...)
			})
		},
	}, 2, -1)
	wait.flags(cmd)
	return cmd
}

func newSnapshotMulti(a *App) *cobra.Command {
	var wait waitOptions
	var nodes, rscs []string
	cmd := takes(&cobra.Command{
		Use:     "create-multiple SNAPSHOT --resource_names RESOURCE...",
		Aliases: []string{"cm"},
		Short:   "Take snapshots of several resources at the same moment",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(rscs) == 0 {
				return usagef(cmd, "name resources with --resource_names")
			}
			var m api.CreateMultiSnapshotRequest
			for _, r := range rscs {
				m.Snapshots = append(m.Snapshots, api.Snapshot{Name: args[0], ResourceName: r, Nodes: nodes})
			}
			return a.watched(cmd.Context(), watchResources(rscs...), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.CreateSnapshots(ctx, m, wait.options()...)
			})
		},
	}, 1, 1)
	manyVar(cmd, &nodes, "node_names", "n", "on these nodes only")
	manyVar(cmd, &rscs, "resource_names", "r", "of these resources")
	wait.flags(cmd)
	return cmd
}

func newSnapshotDelete(a *App) *cobra.Command {
	var wait waitOptions
	var plan planOption
	var nodes []string
	cmd := takes(&cobra.Command{
		Use:     "delete RESOURCE SNAPSHOT",
		Aliases: []string{"d"},
		Short:   "Remove a snapshot",
		RunE: func(cmd *cobra.Command, args []string) error {
			opts := append(wait.options(), plan.options()...)
			if len(nodes) > 0 {
				opts = append(opts, client.OnNodes(nodes...))
			}
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.DeleteSnapshot(ctx, args[0], args[1], opts...)
			})
		},
	}, 2, 2)
	manyVar(cmd, &nodes, "nodes", "n", "on these nodes only")
	wait.flags(cmd)
	plan.flags(cmd)
	return cmd
}

func newSnapshotRollback(a *App) *cobra.Command {
	var wait waitOptions
	var plan planOption
	zfs := ""
	cmd := takes(&cobra.Command{
		Use:     "rollback RESOURCE SNAPSHOT",
		Aliases: []string{"rb"},
		Short:   "Give an unused resource the content that it had when the snapshot was taken; what was written since is lost",
		RunE: func(cmd *cobra.Command, args []string) error {
			if words := []string{"", "rollback", "clone", "dynamic"}; !slices.Contains(words, zfs) {
				return usagef(cmd, "--zfs-rollback-strategy is one of %s", strings.Join(words[1:], ", "))
			}
			return a.watched(cmd.Context(), watchResources(args[0]), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.RollbackSnapshot(ctx, args[0], args[1], api.SnapshotRollback{ZfsRollbackStrategy: zfs}, append(wait.options(), plan.options()...)...)
			})
		},
	}, 2, 2)
	cmd.Flags().StringVar(&zfs, "zfs-rollback-strategy", "", "LINSTOR's option; Holdfast chooses by itself")
	wait.flags(cmd)
	plan.flags(cmd)
	return cmd
}

// restoreOptions name what is restored, and to where.
type restoreOptions struct{ from, snapshot, to string }

func (o *restoreOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.from, "from-resource", "", "the resource of which the snapshot was taken")
	f.StringVar(&o.snapshot, "from-snapshot", "", "the snapshot")
	f.StringVar(&o.to, "to-resource", "", "the resource definition to restore to")
	alias(cmd, "from-resource", "fr")
	alias(cmd, "from-snapshot", "fs")
	alias(cmd, "to-resource", "tr")
}

func (o *restoreOptions) check(cmd *cobra.Command) error {
	for name, v := range map[string]string{"from-resource": o.from, "from-snapshot": o.snapshot, "to-resource": o.to} {
		if v == "" {
			return usagef(cmd, "--%s is required", name)
		}
	}
	return nil
}

func newSnapshotRestore(a *App) *cobra.Command {
	var o restoreOptions
	var wait waitOptions
	var rename []string
	cmd := takes(&cobra.Command{
		Use:     "restore [NODE...] --from-resource RESOURCE --from-snapshot SNAPSHOT --to-resource RESOURCE",
		Aliases: []string{"rst"},
		Short:   "Make the resources of a new definition from a snapshot",
		Example: "  resource-definition create copy\n  snapshot volume-definition restore --fr backups --fs monday --tr copy\n  snapshot resource restore --fr backups --fs monday --tr copy",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			r := api.SnapshotRestore{ToResource: o.to, Nodes: args}
			for _, p := range rename {
				from, to, ok := strings.Cut(p, "=")
				if !ok {
					return usagef(cmd, "--storpool-rename takes OLD=NEW, not %q", p)
				}
				if r.StorPoolRename == nil {
					r.StorPoolRename = map[string]string{}
				}
				r.StorPoolRename[from] = to
			}
			return a.watched(cmd.Context(), watchResources(o.to), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.RestoreSnapshot(ctx, o.from, o.snapshot, r, wait.options()...)
			})
		},
	}, 0, -1)
	o.flags(cmd)
	manyVar(cmd, &rename, "storpool-rename", "", "OLD=NEW")
	wait.flags(cmd)
	return cmd
}

func newSnapshotRestoreVolumes(a *App) *cobra.Command {
	var o restoreOptions
	cmd := takes(&cobra.Command{
		Use:     "restore --from-resource RESOURCE --from-snapshot SNAPSHOT --to-resource RESOURCE",
		Aliases: []string{"rst"},
		Short:   "Give a definition the volume definitions of a snapshot",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.RestoreVolumeDefinitions(ctx, o.from, o.snapshot, api.SnapshotRestore{ToResource: o.to})
			})
		},
	}, 0, 0)
	o.flags(cmd)
	return cmd
}
