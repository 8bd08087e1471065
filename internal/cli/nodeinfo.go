package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

// infoColumns are the columns of the two tables of "node info"; a heading without "/" in upper case is the kind it stands for.
var (
	infoProviders = []string{"Diskless", "LVM", "LVMThin", "ZFS/Thin", "File/Thin", "SPDK", "Remote SPDK", "Storage Spaces", "Storage Spaces/Thin"}
	infoLayers    = []string{"DRBD", "LUKS", "NVMe", "Cache", "BCache", "WriteCache", "Storage"}
)

func newNodeInfo(a *App) *cobra.Command {
	var o listOptions
	full := false
	cmd := takes(&cobra.Command{
		Use:   "info",
		Short: "Show which storage and layers nodes support",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd.Context(), a, "", func(ctx context.Context, c *client.Client) ([]api.Node, error) {
				return c.Nodes(ctx, o.filter)
			}, func(w io.Writer, nodes []api.Node) error {
				return nodeInfo(w, a.styleFor(o.pastable), nodes, full)
			})
		},
	}, 0, 0)
	o.flags(cmd, listFlags{nodes: true})
	cmd.Flags().BoolVarP(&full, "full", "f", false, "say why something isn't supported")
	return cmd
}

func nodeInfo(w io.Writer, s ui.Style, nodes []api.Node, full bool) error {
	pools, layers := &ui.Table{}, &ui.Table{}
	for t, heads := range map[*ui.Table][]string{pools: infoProviders, layers: infoLayers} {
		t.Columns = []ui.Column{{Name: "Node"}}
		for _, h := range heads {
			t.Columns = append(t.Columns, ui.Column{Name: h})
		}
	}
	var noPools, noLayers []string
	for _, n := range nodes {
		if n.Type != api.NodeSatellite && n.Type != api.NodeCombined {
			continue
		}
		if n.ConnectionStatus != api.ConnOnline {
			noPools = append(noPools, " "+n.Name+": NODE IS OFFLINE!")
			noLayers = append(noLayers, " "+n.Name+": NODE IS OFFLINE!")
		} else {
			noPools = append(noPools, unsupported(n.Name, n.UnsupportedProviders)...)
			noLayers = append(noLayers, unsupported(n.Name, n.UnsupportedLayers)...)
		}
		pools.Add(infoRow(n.Name, infoProviders, words(n.StorageProviders))...)
		layers.Add(infoRow(n.Name, infoLayers, words(n.ResourceLayers))...)
	}
	if err := pools.Write(w, s); err != nil {
		return err
	}
	if full && len(noPools) > 0 {
		fmt.Fprintf(w, "Unsupported storage providers:\n%s\n", strings.Join(noPools, "\n"))
	}
	fmt.Fprintln(w)
	if err := layers.Write(w, s); err != nil {
		return err
	}
	if full && len(noLayers) > 0 {
		fmt.Fprintf(w, "Unsupported resource layers:\n%s\n", strings.Join(noLayers, "\n"))
	}
	return nil
}

func unsupported[K ~string](node string, why map[K][]string) []string {
	if len(why) == 0 {
		return nil
	}
	lines := []string{" " + node + ": "}
	for _, k := range sortedWords(why) {
		for _, r := range why[K(k)] {
			lines = append(lines, "  "+k+": "+r)
		}
	}
	return lines
}

func sortedWords[K ~string, V any](m map[K]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, string(k))
	}
	slices.Sort(keys)
	return keys
}

func words[T ~string](list []T) []string {
	var out []string
	for _, w := range list {
		out = append(out, string(w))
	}
	return out
}

func infoRow(name string, heads, have []string) []ui.Cell {
	plain := func(s string) string {
		return strings.ToUpper(strings.NewReplacer("_", "", "/", "", " ", "").Replace(s))
	}
	has := map[string]bool{}
	for _, h := range have {
		has[plain(h)] = true
	}
	row := ui.Texts(name)
	for _, h := range heads {
		c := ui.Cell{Text: "-", Color: ui.Red}
		if has[plain(h)] {
			c = ui.Cell{Text: "+", Color: ui.Green}
		}
		row = append(row, c)
	}
	return row
}

func newNodeDescribe(a *App) *cobra.Command {
	return takes(&cobra.Command{
		Use:     "describe [NODE]",
		Aliases: []string{"dsc"},
		Short:   "Show nodes with their pools, resources and volumes as a tree",
		RunE: func(cmd *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			return a.describe(cmd.Context(), name)
		},
	}, 0, 1)
}

func (a *App) describe(ctx context.Context, name string) error {
	c, err := a.api()
	if err != nil {
		return err
	}
	nodes, err := c.Nodes(ctx, client.Filter{})
	if err != nil {
		return a.failed(err)
	}
	pools, err := c.StoragePools(ctx, client.Filter{})
	if err != nil {
		return a.failed(err)
	}
	rscs, err := c.ResourceView(ctx, client.Filter{})
	if err != nil {
		return a.failed(err)
	}
	trees := []*ui.Tree{}
	for _, t := range describeTree(nodes, pools, rscs) {
		if name == "" || strings.EqualFold(t.Name, name) {
			trees = append(trees, t)
		}
	}
	if a.opt.machine {
		return ui.JSON(a.out(), trees)
	}
	if name != "" && len(trees) == 0 {
		return notFoundf("%s: no such node", name)
	}
	for i, t := range trees {
		if i > 0 {
			fmt.Fprintln(a.out())
		}
		if err := t.Write(a.out(), a.style); err != nil {
			return err
		}
	}
	return nil
}

// describeTree builds node, pool, resource, volume.
func describeTree(nodes []api.Node, pools []api.StoragePool, rscs []api.ResourceWithVolumes) []*ui.Tree {
	byName := map[string]*ui.Tree{}
	var trees []*ui.Tree
	for _, n := range nodes {
		t := &ui.Tree{Name: n.Name, Description: "node", Color: ui.Red, Children: []*ui.Tree{}}
		byName[n.Name] = t
		trees = append(trees, t)
	}
	slices.SortFunc(trees, func(a, b *ui.Tree) int { return ui.Natural(a.Name, b.Name) })
	for _, p := range pools {
		if n := byName[p.NodeName]; n != nil {
			n.Add(&ui.Tree{Name: p.StoragePoolName, Description: "storage pool", Color: ui.Pink, Children: []*ui.Tree{}})
		}
	}
	for _, r := range rscs {
		n := byName[r.NodeName]
		if n == nil {
			continue
		}
		in := map[string]*ui.Tree{}
		for _, v := range r.Volumes {
			rsc := in[v.StoragePoolName]
			if rsc == nil {
				pool := n.Child(v.StoragePoolName)
				if pool == nil {
					pool = n.Add(&ui.Tree{Name: v.StoragePoolName, Description: "storage pool", Color: ui.Pink})
				}
				rsc = pool.Add(&ui.Tree{Name: r.Name, Description: "resource", Color: ui.Blue})
				in[v.StoragePoolName] = rsc
			}
			desc := ""
			if d := drbdVolume(v); d != nil && d.DrbdVolumeDefinition != nil {
				desc = "minor number: " + strconv.Itoa(d.DrbdVolumeDefinition.MinorNumber)
			}
			size := int64(0)
			if v.AllocatedSizeKib != nil {
				size = *v.AllocatedSizeKib
			}
			rsc.Add(&ui.Tree{Name: "volume" + strconv.Itoa(v.VolumeNumber), Description: desc + ", size: " + ui.FormatSize(size),
				Color: ui.DarkGreen, Children: []*ui.Tree{}})
		}
	}
	return trees
}
