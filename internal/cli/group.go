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

func newResourceGroup(a *App) *cobra.Command {
	cmd := group("resource-group", "rg", "Templates for resource definitions",
		newGroupCreate(a), newGroupModify(a), newGroupDelete(a), newGroupList(a), newSpawn(a), newGroupAdjust(a), newQuerySizeInfo(a), newGroupMaxVolume(a))
	cmd.AddCommand(groupOwner().commands(a)...)
	return cmd
}

func groupOwner() owner {
	return owner{
		use: "GROUP", noun: "resource group", sections: allDrbdSections,
		get: func(ctx context.Context, c *client.Client, args []string) (api.Props, bool, error) {
			list, err := c.ResourceGroups(ctx, client.Filter{ResourceGroups: args})
			for _, g := range list {
				if strings.EqualFold(g.Name, args[0]) {
					return g.Props, true, err
				}
			}
			return nil, false, err
		},
		set: func(ctx context.Context, c *client.Client, args []string, m api.PropsModify) (api.ApiCallRcList, error) {
			return c.ModifyResourceGroup(ctx, args[0], api.ResourceGroupModify{PropsModify: m})
		},
	}
}

// groupOptions are the options that create and modify share.
type groupOptions struct {
	description string
	peerSlots   int
	place       placeOptions
}

func (o *groupOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.description, "description", "d", "", "text for people")
	cmd.Flags().IntVar(&o.peerSlots, "peer-slots", -1, "how many peers DRBD's metadata has room for, 1-31")
	o.place.flags(cmd, "place-count", "p")
}

func newGroupCreate(a *App) *cobra.Command {
	var o groupOptions
	cmd := takes(&cobra.Command{
		Use:     "create GROUP",
		Aliases: []string{"c"},
		Short:   "Add a resource group",
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := o.place.filter(cmd)
			if err != nil {
				return err
			}
			g := api.ResourceGroup{Name: args[0], Description: o.description, SelectFilter: &f, PeerSlots: optInt(o.peerSlots)}
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.CreateResourceGroup(ctx, g)
			})
		},
	}, 1, 1)
	o.flags(cmd)
	return cmd
}

func newGroupModify(a *App) *cobra.Command {
	var o groupOptions
	cmd := takes(&cobra.Command{
		Use:     "modify GROUP",
		Aliases: []string{"m"},
		Short:   "Change a resource group",
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := o.place.filter(cmd)
			if err != nil {
				return err
			}
			m := api.ResourceGroupModify{SelectFilter: &f, PeerSlots: optInt(o.peerSlots)}
			if cmd.Flags().Changed("description") {
				m.Description = &o.description
			}
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.ModifyResourceGroup(ctx, args[0], m)
			})
		},
	}, 1, 1)
	o.flags(cmd)
	return cmd
}

func newGroupDelete(a *App) *cobra.Command {
	return takes(&cobra.Command{
		Use:     "delete GROUP",
		Aliases: []string{"d"},
		Short:   "Delete an unused resource group",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.DeleteResourceGroup(ctx, args[0])
			})
		},
	}, 1, 1)
}

func newGroupAdjust(a *App) *cobra.Command {
	cmd := takes(&cobra.Command{
		Use:     "adjust [GROUP]",
		Aliases: []string{"adj"},
		Short:   "Place the replicas of a group's resources again, or of all groups",
		RunE: func(cmd *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.AdjustResourceGroup(ctx, name, api.ResourceGroupAdjust{})
			})
		},
	}, 0, 1)
	cmd.Flags().BoolP("pastable", "p", false, "has no effect")
	return cmd
}

type spawn struct {
	app             *App
	group, name     string
	external        string
	sizes           []string
	partial, defs   bool
	peerSlots       int
	volumePassphras []string
	place           placeOptions
	wait            waitOptions
}

func newSpawn(a *App) *cobra.Command {
	o := spawn{app: a}
	cmd := takes(&cobra.Command{
		Use:     "spawn-resources GROUP RESOURCE [SIZE...]",
		Aliases: []string{"spawn"},
		Short:   "Make a resource from a group: definition, volumes and replicas",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.group, o.name, o.sizes = args[0], args[1], args[2:]
			return o.run(cmd)
		},
	}, 2, -1)
	f := cmd.Flags()
	f.BoolVarP(&o.partial, "partial", "p", false, "the number of sizes need not match the group's volumes")
	f.BoolVarP(&o.defs, "definition-only", "d", false, "make no replicas")
	f.StringVar(&o.external, "external-name", "", "a name of any characters")
	f.IntVar(&o.peerSlots, "peer-slots", -1, "how many peers DRBD's metadata has room for, 1-31")
	manyVar(cmd, &o.volumePassphras, "volume-passphrase", "", "passphrases of the volumes")
	o.place.flags(cmd, "place-count", "")
	o.wait.flags(cmd)
	return cmd
}

func (o *spawn) run(cmd *cobra.Command) error {
	f, err := o.place.filter(cmd)
	if err != nil {
		return err
	}
	s := api.ResourceGroupSpawn{
		ResourceDefinitionName: o.name, ResourceDefinitionExternalName: o.external, PeerSlots: optInt(o.peerSlots),
		VolumePassphrases: o.volumePassphras,
	}
	if placeGiven(cmd) {
		s.SelectFilter = &f
	}
	if o.partial {
		s.Partial = api.NewBool(true)
	}
	if o.defs {
		s.DefinitionsOnly = api.NewBool(true)
	}
	for _, size := range o.sizes {
		kib, err := ui.ParseSize(size)
		if err != nil {
			return usagef(cmd, "%w", err)
		}
		s.VolumeSizes = append(s.VolumeSizes, api.Int(kib))
	}
	err = o.app.watched(cmd.Context(), watchResources(o.name), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
		return c.SpawnResource(ctx, o.group, s, o.wait.options()...)
	})
	if err != nil || o.defs || o.wait.async {
		return err
	}
	return o.app.followSync(cmd.Context(), o.name, false)
}

// placeGiven tells whether any option about placement was given.
func placeGiven(cmd *cobra.Command) bool {
	for _, n := range []string{"place-count", "storage-pool", "diskless-storage-pool", "do-not-place-with", "do-not-place-with-regex",
		"replicas-on-same", "replicas-on-different", "x-replicas-on-different", "diskless-on-remaining", "layer-list", "providers"} {
		if cmd.Flags().Changed(n) {
			return true
		}
	}
	return false
}

var groupColumns = []ui.Column{{Name: "ResourceGroup"}, {Name: "SelectFilter"}, {Name: "VlmNrs"}, {Name: "Description"}}

func newGroupList(a *App) *cobra.Command {
	var o listOptions
	cmd := takes(&cobra.Command{
		Use:     "list",
		Aliases: []string{"l"},
		Short:   "List resource groups",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd.Context(), a, o.file, func(ctx context.Context, c *client.Client) ([]api.ResourceGroup, error) {
				return c.ResourceGroups(ctx, o.filter)
			}, func(w io.Writer, groups []api.ResourceGroup) error {
				volumes, err := a.groupVolumes(cmd.Context(), o.file, groups)
				if err != nil {
					return a.failed(err)
				}
				return groupTable(&o, groups, volumes).Write(w, a.styleFor(o.pastable))
			})
		},
	}, 0, 0)
	o.flags(cmd, listFlags{section: "resource-group.list", columns: groupColumns, groupBy: true, groups: true, props: true, show: true, file: true})
	return cmd
}

// groupVolumes reads the volume numbers of each group.
func (a *App) groupVolumes(ctx context.Context, file string, groups []api.ResourceGroup) (map[string]string, error) {
	out := map[string]string{}
	if file != "" {
		return out, nil
	}
	c, err := a.api()
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		list, err := c.VolumeGroups(ctx, g.Name)
		if err != nil {
			return nil, err
		}
		var nrs []string
		for _, v := range list {
			nrs = append(nrs, strconv.FormatInt(v.VolumeNumber.Value(0), 10))
		}
		out[g.Name] = strings.Join(nrs, ",")
	}
	return out, nil
}

func groupTable(o *listOptions, groups []api.ResourceGroup, volumes map[string]string) *ui.Table {
	t := o.table(groupColumns)
	for _, g := range groups {
		row := ui.Texts(g.Name, filterText(g.SelectFilter), volumes[g.Name], g.Description)
		t.Add(append(row, o.propCells(g.Props)...)...)
	}
	t.SortBy(o.groupBy...)
	return t
}

// filterText writes a select filter, a line for each part that is set.
func filterText(f *api.AutoSelectFilter) string {
	if f == nil {
		return ""
	}
	var lines []string
	add := func(name, value string) { lines = append(lines, name+": "+value) }
	if n := f.PlaceCount.Value(0); n != 0 {
		add("PlaceCount", strconv.FormatInt(n, 10))
	}
	pools := f.StoragePoolList
	if len(pools) == 0 && f.StoragePool != "" {
		pools = []string{f.StoragePool}
	}
	if len(pools) > 0 {
		add("StoragePool(s)", strings.Join(pools, ", "))
	}
	if f.DisklessOnRemaining != nil {
		add("DisklessOnRemaining", pythonBool(bool(*f.DisklessOnRemaining)))
	}
	for _, p := range []struct {
		name string
		list []string
	}{
		{"NotPlaceWithRsc", f.NotPlaceWithRsc}, {"NotPlaceWithRscRegex", nil}, {"ReplicasOnSame", f.ReplicasOnSame},
		{"ReplicasOnDifferent", f.ReplicasOnDifferent}, {"XReplicasOnDifferent", nil}, {"LayerStack", words(f.LayerStack)},
		{"ProviderList", words(f.ProviderList)},
	} {
		switch {
		case p.name == "NotPlaceWithRscRegex" && f.NotPlaceWithRscRegex != "":
			add(p.name, f.NotPlaceWithRscRegex)
		case p.name == "XReplicasOnDifferent" && len(f.XReplicasOnDifferentMap) > 0:
			var parts []string
			for _, k := range sortedKeys(f.XReplicasOnDifferentMap) {
				parts = append(parts, "'"+k+"': "+strconv.FormatInt(int64(f.XReplicasOnDifferentMap[k]), 10))
			}
			add(p.name, "{"+strings.Join(parts, ", ")+"}")
		case len(p.list) > 0:
			add(p.name, "['"+strings.Join(p.list, "', '")+"']")
		}
	}
	return strings.Join(lines, "\n")
}
