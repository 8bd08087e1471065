package cli

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

func newResource(a *App) *cobra.Command {
	cmd := group("resource", "r", "Replicas on nodes",
		newResourceCreate(a), newMakeAvailable(a), newResourceDelete(a), newResourceList(a), newResourceInvolved(a), newVolumeList(a, "list-volumes", "lv"), newDiagnose(a), newVerify(a), newListVerifies(a),
		newToggleDisk(a), newResourceAction(a, "activate", "act", "Bring a resource up on a node"),
		newResourceAction(a, "deactivate", "deact", "Take a resource down on a node, keeping its data"))
	cmd.AddCommand(resourceOwner().commands(a)...)
	cmd.AddCommand(newDrbdOptions(a, resourceConnectionOwner())) // LINSTOR has it here too
	return cmd
}

func resourceOwner() owner {
	return owner{
		use: "NODE RESOURCE", noun: "resource",
		get: func(ctx context.Context, c *client.Client, args []string) (api.Props, bool, error) {
			list, err := c.ResourceView(ctx, client.Filter{Nodes: args[:1], Resources: args[1:]})
			for _, r := range list {
				if strings.EqualFold(r.NodeName, args[0]) && strings.EqualFold(r.Name, args[1]) {
					return r.Props, true, err
				}
			}
			return nil, false, err
		},
		set: func(ctx context.Context, c *client.Client, args []string, m api.PropsModify) (api.ApiCallRcList, error) {
			return c.ModifyResource(ctx, args[1], args[0], api.ResourceModify{PropsModify: m})
		},
	}
}

type resourceCreate struct {
	app          *App
	nodes        []string
	name         string
	diskless     bool
	inactive     bool
	nodeID, port int
	place        placeOptions
	wait         waitOptions
}

func newResourceCreate(a *App) *cobra.Command {
	o := resourceCreate{app: a}
	cmd := takes(&cobra.Command{
		Use:     "create NODE... RESOURCE | create RESOURCE --auto-place [N]",
		Aliases: []string{"c"},
		Short:   "Place replicas of a resource definition",
		Example: "  resource create backups --auto-place 2\n  resource create alpha bravo backups --storage-pool swpool\n  resource create charlie backups --diskless",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.nodes, o.name = args[:len(args)-1], args[len(args)-1]
			return o.run(cmd)
		},
	}, 1, -1)
	f := cmd.Flags()
	f.BoolVarP(&o.diskless, "diskless", "d", false, "without a disk (same as --drbd-diskless)")
	f.IntVar(&o.nodeID, "node-id", -1, "DRBD node id, 0-31 (default chosen)")
	f.BoolVar(&o.inactive, "inactive", false, "don't bring the resource up")
	f.IntVar(&o.port, "drbd-tcp-port", -1, "TCP port for DRBD (default chosen)")
	o.place.flags(cmd, "auto-place", "p")
	cmd.Annotations[annMinUnless] = "auto-place"
	o.place.disklessFlags(cmd)
	o.wait.flags(cmd)
	return cmd
}

func (o *resourceCreate) run(cmd *cobra.Command) error {
	if cmd.Flags().Changed("auto-place") {
		return o.auto(cmd)
	}
	if len(o.nodes) == 0 {
		return usagef(cmd, "name a node, or use --auto-place")
	}
	if len(o.place.pools) > 1 {
		return usagef(cmd, "a resource on a named node takes one --storage-pool")
	}
	stack, err := layers(o.place.layers)
	if err != nil {
		return usagef(cmd, "%w", err)
	}
	var list []api.ResourceCreate
	for _, node := range o.nodes {
		r := api.ResourceCreate{
			Resource:   api.Resource{Name: o.name, NodeName: node},
			LayerList:  stack,
			DrbdNodeID: optInt(o.nodeID),
		}
		if len(o.place.pools) == 1 && o.place.pools[0] != "" {
			r.Resource.Props = api.Props{"StorPoolName": o.place.pools[0]}
		}
		for flag, on := range map[string]bool{
			api.FlagDiskless: o.diskless, api.FlagDrbdDiskless: o.place.drbdDiskless,
			api.FlagNvmeInitiator: o.place.nvme, api.FlagInactive: o.inactive,
		} {
			if on {
				r.Resource.Flags = append(r.Resource.Flags, flag)
			}
		}
		slices.Sort(r.Resource.Flags)
		if o.port >= 0 {
			r.DrbdTCPPorts = []api.Int{api.Int(o.port)}
		}
		list = append(list, r)
	}
	return o.send(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
		return c.CreateResources(ctx, o.name, list, o.wait.options()...)
	})
}

func (o *resourceCreate) auto(cmd *cobra.Command) error {
	if len(o.nodes) > 0 {
		return usagef(cmd, "with --auto-place the controller chooses the nodes; %q was named", o.nodes[0])
	}
	o.place.disk = o.diskless
	r, err := o.place.request(cmd)
	if err != nil {
		return err
	}
	return o.send(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
		return c.AutoPlace(ctx, o.name, r, o.wait.options()...)
	})
}

func (o *resourceCreate) send(ctx context.Context, f change) error {
	if err := o.app.watched(ctx, watchResources(o.name), f); err != nil || o.wait.async {
		return err
	}
	return o.app.followSync(ctx, o.name, false)
}

func newMakeAvailable(a *App) *cobra.Command {
	var wait waitOptions
	diskful, stack, port := false, "", -1
	cmd := takes(&cobra.Command{
		Use:     "make-available NODE RESOURCE",
		Aliases: []string{"mkavail"},
		Short:   "Make a resource usable on a node, creating what is needed",
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := layers(stack)
			if err != nil {
				return usagef(cmd, "%w", err)
			}
			m := api.ResourceMakeAvailable{LayerList: list}
			if diskful {
				m.Diskful = api.NewBool(true)
			}
			if port >= 0 {
				m.DrbdTCPPorts = []api.Int{api.Int(port)}
			}
			return a.watched(cmd.Context(), watchResources(args[1]), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.MakeAvailable(ctx, args[1], args[0], m, wait.options()...)
			})
		},
	}, 2, 2)
	cmd.Flags().BoolVar(&diskful, "diskful", false, "with a disk")
	cmd.Flags().StringVarP(&stack, "layer-list", "l", "", "comma-separated layers, top first")
	cmd.Flags().IntVar(&port, "drbd-tcp-port", -1, "TCP port for DRBD (default chosen)")
	wait.flags(cmd)
	return cmd
}

func newResourceDelete(a *App) *cobra.Command {
	var o deleteOptions
	keep := false
	cmd := takes(&cobra.Command{
		Use:     "delete NODE... RESOURCE",
		Aliases: []string{"d"},
		Short:   "Remove replicas and their data from nodes",
		RunE: func(cmd *cobra.Command, args []string) error {
			name := args[len(args)-1]
			opts := o.options()
			if keep {
				opts = append(opts, client.KeepTiebreaker())
			}
			var list []change
			for _, node := range args[:len(args)-1] {
				list = append(list, func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
					return c.DeleteResource(ctx, name, node, opts...)
				})
			}
			return a.watched(cmd.Context(), watchResources(name), list...)
		},
	}, 2, -1)
	o.flags(cmd)
	cmd.Flags().BoolVar(&keep, "keep-tiebreaker", false, "let a tie-breaker take the replica's place")
	return cmd
}

type toggleDisk struct {
	pool, migrateFrom  string
	dfltPool, diskless bool
	removal            deleteOptions
	app                *App
	node, name         string
}

func newToggleDisk(a *App) *cobra.Command {
	o := toggleDisk{app: a}
	cmd := takes(&cobra.Command{
		Use:     "toggle-disk NODE RESOURCE",
		Aliases: []string{"td"},
		Short:   "Give a replica a disk, or take its disk away",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.node, o.name = args[0], args[1]
			return o.run(cmd)
		},
	}, 2, 2)
	f := cmd.Flags()
	f.StringVarP(&o.pool, "storage-pool", "s", "", "storage pool for the disk")
	f.BoolVar(&o.dfltPool, "default-storage-pool", false, "take the storage pool that the properties say")
	alias(cmd, "default-storage-pool", "dflt")
	f.BoolVarP(&o.diskless, "diskless", "d", false, "take the disk away")
	f.StringVar(&o.migrateFrom, "migrate-from", "", "remove the replica on this node once the new one is in sync")
	o.removal.flags(cmd)
	return cmd
}

func (o *toggleDisk) run(cmd *cobra.Command) error {
	if o.diskless && (o.pool != "" || o.dfltPool || o.migrateFrom != "") {
		return usagef(cmd, "--diskless goes with no storage pool and no --migrate-from")
	}
	r := api.ToggleDiskRequest{Operation: api.IntoDrbdDiskful, StoragePool: o.pool, MigrateFrom: o.migrateFrom}
	if o.diskless {
		r.Operation = api.IntoDrbdDiskless
	}
	err := o.app.watched(cmd.Context(), watchResources(o.name), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
		return c.ToggleDisk(ctx, o.name, o.node, r, o.removal.options()...)
	})
	if err != nil || o.removal.async || o.removal.plan || o.diskless {
		return err
	}
	return o.app.followSync(cmd.Context(), o.name, false)
}

func newResourceAction(a *App, name, short, help string) *cobra.Command {
	return takes(&cobra.Command{
		Use:     name + " NODE RESOURCE",
		Aliases: []string{short},
		Short:   help,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.watched(cmd.Context(), watchResources(args[1]), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.ResourceAction(ctx, args[1], args[0], name)
			})
		},
	}, 2, 2)
}

var resourceColumns = []ui.Column{
	{Name: "ResourceName"}, {Name: "Node"}, {Name: "Layers"}, {Name: "Usage"}, {Name: "Conns", Color: ui.DarkGreen},
	{Name: "State", Right: true, Color: ui.DarkGreen}, {Name: "CreatedOn"},
}

type resourceList struct {
	listOptions
	all, faulty, ports bool
}

func newResourceList(a *App) *cobra.Command {
	var o resourceList
	cmd := takes(&cobra.Command{
		Use:     "list",
		Aliases: []string{"l"},
		Short:   "List resources",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd.Context(), a, o.file, func(ctx context.Context, c *client.Client) ([]api.ResourceWithVolumes, error) {
				return c.ResourceView(ctx, o.filter)
			}, func(w io.Writer, rscs []api.ResourceWithVolumes) error {
				if err := o.makeTable(rscs).Write(w, a.styleFor(o.pastable)); err != nil {
					return err
				}
				return a.why(resourceReasons(rscs))
			})
		},
	}, 0, 0)
	o.flags(cmd, listFlags{section: "resource.list", columns: resourceColumns, groupBy: true, rscs: true, nodes: true, props: true,
		show: true, file: true})
	cmd.Flags().BoolVarP(&o.all, "all", "a", false, "all resources (they are all shown anyway)")
	cmd.Flags().BoolVar(&o.faulty, "faulty", false, "only resources that aren't as they should be")
	cmd.Flags().BoolVar(&o.ports, "show-drbd-ports", false, "add a column with DRBD's TCP ports")
	return cmd
}

func (o *resourceList) makeTable(rscs []api.ResourceWithVolumes) *ui.Table {
	cols := resourceColumns
	if o.ports {
		cols = append(append([]ui.Column(nil), cols[:2]...), append([]ui.Column{{Name: "DRBD_Ports"}}, cols[2:]...)...)
	}
	t := o.table(cols)
	primaries := countPrimaries(rscs)
	for _, r := range rscs {
		state, plain := resourceState(r)
		conns := ui.Cell{}
		if state.Text != "Unknown" {
			conns = connections(r.LayerObject)
		}
		if conns.Color == ui.Red {
			state.Color = ui.Red
		}
		if o.faulty && plain && (conns.Text == "Ok" || conns.Text == "") {
			continue
		}
		row := ui.Texts(r.Name, r.NodeName)
		if o.ports {
			row = append(row, ui.Text(drbdPorts(r.LayerObject)))
		}
		row = append(row, ui.Text(strings.Join(layerNames(r.LayerObject, nil), ",")), usage(r, primaries[r.Name]), conns, state,
			ui.Text(localTime(r.CreateTimestamp.Value(0))))
		t.Add(append(row, o.propCells(r.Props)...)...)
	}
	t.SortBy(o.groupBy...)
	return t
}

// resourceState is the state word of a resource; plain tells that all is as it should be.
func resourceState(r api.ResourceWithVolumes) (state ui.Cell, plain bool) {
	switch {
	case api.HasFlag(r.Flags, api.FlagDelete), api.HasFlag(r.Flags, api.FlagDrbdDelete):
		return ui.Cell{Text: "DELETING", Color: ui.Red}, false
	case api.HasFlag(r.Flags, api.FlagInactive):
		return ui.Cell{Text: "INACTIVE", Color: ui.Yellow}, false
	}
	state = ui.Cell{Text: "Unknown", Color: ui.Yellow}
	for _, v := range r.Volumes {
		state = volumeState(v, r.Flags)
		if api.HasFlag(r.Flags, api.FlagEvacuate) {
			state.Text += ", Evacuating"
		}
		if state.Color != ui.NoColor {
			break
		}
	}
	if s := skipDisk(r.EffectiveProps); s != "" {
		state.Text += s
		if state.Color == ui.NoColor {
			state.Color = ui.Yellow
		}
	}
	return state, state.Color == ui.NoColor
}

// skipDisk names the objects that make DRBD run without its disk.
func skipDisk(props map[string]api.EffectiveProp) string {
	p, ok := props["DrbdOptions/SkipDisk"]
	if !ok || p.Value != "True" {
		return ""
	}
	short := map[string]string{"SATELLITE": "C", "NODE": "N", "RESOURCE_DEFINITION": "RD", "RESOURCE": "R", "STORAGEPOOL": "SP"}
	list := []string{short[p.Type]}
	for _, other := range p.Other {
		list = append(list, short[other.Type])
	}
	return ", SkipDisk (" + strings.Join(list, ", ") + ")"
}

func countPrimaries(rscs []api.ResourceWithVolumes) map[string]int {
	n := map[string]int{}
	for _, r := range rscs {
		if r.State != nil && r.State.InUse != nil && *r.State.InUse {
			n[r.Name]++
		}
	}
	return n
}

func usage(r api.ResourceWithVolumes, primaries int) ui.Cell {
	deleting := api.HasFlag(r.Flags, api.FlagDelete) || api.HasFlag(r.Flags, api.FlagDrbdDelete) || api.HasFlag(r.Flags, api.FlagInactive)
	switch {
	case deleting || r.State == nil || r.State.InUse == nil:
		return ui.Cell{}
	case !*r.State.InUse:
		return ui.Text("Unused")
	case primaries > 1:
		return ui.Cell{Text: "InUse", Color: ui.Yellow}
	}
	return ui.Cell{Text: "InUse", Color: ui.Green}
}

// drbdOf is the DRBD layer of a resource, or nil.
func drbdOf(l *api.ResourceLayer) *api.DrbdResource {
	if l == nil {
		return nil
	}
	if l.Drbd != nil {
		return l.Drbd
	}
	for i := range l.Children {
		if d := drbdOf(&l.Children[i]); d != nil {
			return d
		}
	}
	return nil
}

// connections sums up the connections of a resource: Ok, or the broken ones as STATE(node,...).
func connections(l *api.ResourceLayer) ui.Cell {
	d := drbdOf(l)
	if d == nil {
		return ui.Text("Ok")
	}
	broken := map[string][]string{}
	for _, peer := range sortedKeys(d.Connections) {
		if c := d.Connections[peer]; !c.Connected {
			broken[c.Message] = append(broken[c.Message], peer)
		}
	}
	if len(broken) == 0 {
		return ui.Text("Ok")
	}
	var parts []string
	for _, msg := range sortedKeys(broken) {
		parts = append(parts, msg+"("+strings.Join(broken[msg], ",")+")")
	}
	return ui.Cell{Text: strings.Join(parts, ","), Color: ui.Red}
}

func drbdPorts(l *api.ResourceLayer) string {
	var ports []string
	if d := drbdOf(l); d != nil {
		for _, p := range d.TCPPorts {
			ports = append(ports, strconv.Itoa(p))
		}
	}
	return strings.Join(ports, ", ")
}

// layerNames lists the layers of a resource top down, each once.
func layerNames(l *api.ResourceLayer, seen []string) []string {
	if l == nil {
		return seen
	}
	if !slices.Contains(seen, string(l.Type)) {
		seen = append(seen, string(l.Type))
	}
	for i := range l.Children {
		seen = layerNames(&l.Children[i], seen)
	}
	return seen
}
