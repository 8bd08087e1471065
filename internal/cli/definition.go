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

// allDrbdSections are the DRBD options that controllers, groups and definitions take.
var allDrbdSections = []string{"Disk", "Net", "PeerDevice", "Resource", "Handlers"}

func newResourceDefinition(a *App) *cobra.Command {
	cmd := group("resource-definition", "rd", "What the replicas of a resource share",
		newDefinitionCreate(a), newAutoPlace(a), newDefinitionModify(a), newDefinitionClone(a), newDefinitionDelete(a), newWaitSync(a), newDefinitionList(a))
	cmd.AddCommand(definitionOwner().commands(a)...)
	return cmd
}

func definitionOwner() owner {
	return owner{
		use: "RESOURCE", noun: "resource definition", sections: allDrbdSections,
		get: func(ctx context.Context, c *client.Client, args []string) (api.Props, bool, error) {
			list, err := c.ResourceDefinitions(ctx, client.Filter{ResourceDefinitions: args})
			for _, d := range list {
				if strings.EqualFold(d.Name, args[0]) {
					return d.Props, true, err
				}
			}
			return nil, false, err
		},
		set: func(ctx context.Context, c *client.Client, args []string, m api.PropsModify) (api.ApiCallRcList, error) {
			return c.ModifyResourceDefinition(ctx, args[0], api.ResourceDefinitionModify{PropsModify: m})
		},
	}
}

// layers reads a comma-separated list of layers, top first.
func layers(s string) ([]api.LayerType, error) {
	if s == "" {
		return nil, nil
	}
	var out []api.LayerType
	for _, w := range strings.Split(s, ",") {
		switch l := api.LayerType(strings.ToUpper(strings.TrimSpace(w))); l {
		case api.LayerDRBD, api.LayerLUKS, api.LayerStorage, api.LayerNVMe, api.LayerWritecache, api.LayerCache, api.LayerBCache:
			out = append(out, l)
		default:
			return nil, fmt.Errorf("%q is not a layer; use drbd, luks, nvme, writecache, cache, bcache or storage", w)
		}
	}
	return out, nil
}

// optInt is nil when n is negative, which stands for "not given".
func optInt(n int) *api.Int {
	if n < 0 {
		return nil
	}
	return api.NewInt(int64(n))
}

type definitionCreate struct {
	app            *App
	name, external string
	port           int
	layers         string
	peerSlots      int
	group          string
}

func newDefinitionCreate(a *App) *cobra.Command {
	o := definitionCreate{app: a}
	cmd := takes(&cobra.Command{
		Use:     "create [RESOURCE]",
		Aliases: []string{"c"},
		Short:   "Define a resource",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.name = args[0]
			}
			return o.run(cmd)
		},
	}, 0, 1)
	f := cmd.Flags()
	f.IntVarP(&o.port, "port", "p", -1, "TCP port for DRBD")
	f.StringVarP(&o.external, "external-name", "e", "", "a name of any characters, in place of RESOURCE")
	f.StringVarP(&o.layers, "layer-list", "l", "", "comma-separated layers, top first (default drbd,storage)")
	f.IntVar(&o.peerSlots, "peer-slots", -1, "how many peers DRBD's metadata has room for, 1-31")
	f.StringVar(&o.group, "resource-group", "", "resource group that the definition belongs to")
	return cmd
}

func (o *definitionCreate) run(cmd *cobra.Command) error {
	if o.name == "" && o.external == "" {
		return usagef(cmd, "a name or --external-name is needed")
	}
	list, err := layers(o.layers)
	if err != nil {
		return usagef(cmd, "%w", err)
	}
	d := api.ResourceDefinitionCreate{
		DrbdPort: optInt(o.port), DrbdPeerSlots: optInt(o.peerSlots),
		ResourceDefinition: api.ResourceDefinition{Name: o.name, ExternalName: o.external, ResourceGroupName: o.group},
	}
	for _, l := range list {
		d.ResourceDefinition.LayerData = append(d.ResourceDefinition.LayerData, api.ResourceDefinitionLayer{Type: l})
	}
	return o.app.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
		return c.CreateResourceDefinition(ctx, d)
	})
}

func newDefinitionModify(a *App) *cobra.Command {
	var peerSlots, port int
	var group string
	cmd := takes(&cobra.Command{
		Use:     "modify RESOURCE",
		Aliases: []string{"m"},
		Short:   "Change a resource definition",
		RunE: func(cmd *cobra.Command, args []string) error {
			m := api.ResourceDefinitionModify{DrbdPort: optInt(port), DrbdPeerSlots: optInt(peerSlots), ResourceGroup: group}
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.ModifyResourceDefinition(ctx, args[0], m)
			})
		},
	}, 1, 1)
	cmd.Flags().IntVar(&peerSlots, "peer-slots", -1, "how many peers DRBD's metadata has room for, 1-31")
	cmd.Flags().IntVarP(&port, "port", "p", -1, "TCP port for DRBD")
	cmd.Flags().StringVar(&group, "resource-group", "", "resource group that the definition belongs to")
	return cmd
}

func newDefinitionDelete(a *App) *cobra.Command {
	var o deleteOptions
	cmd := takes(&cobra.Command{
		Use:     "delete RESOURCE...",
		Aliases: []string{"d"},
		Short:   "Delete resource definitions with all their replicas and data",
		RunE: func(cmd *cobra.Command, args []string) error {
			var list []change
			for _, name := range args {
				list = append(list, func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
					return c.DeleteResourceDefinition(ctx, name, o.options()...)
				})
			}
			return a.watched(cmd.Context(), watchResources(args...), list...)
		},
	}, 1, -1)
	o.flags(cmd)
	return cmd
}

type autoPlace struct {
	app   *App
	name  string
	place placeOptions
	wait  waitOptions
}

func newAutoPlace(a *App) *cobra.Command {
	o := autoPlace{app: a}
	cmd := takes(&cobra.Command{
		Use:     "auto-place RESOURCE",
		Aliases: []string{"ap"},
		Short:   "Place replicas on nodes chosen by the controller",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			return o.run(cmd)
		},
	}, 1, 1)
	o.place.flags(cmd, "place-count", "p")
	o.place.disklessFlags(cmd)
	o.wait.flags(cmd)
	return cmd
}

func (o *autoPlace) run(cmd *cobra.Command) error {
	r, err := o.place.request(cmd)
	if err != nil {
		return err
	}
	err = o.app.watched(cmd.Context(), watchResources(o.name), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
		return c.AutoPlace(ctx, o.name, r, o.wait.options()...)
	})
	if err != nil || o.wait.async {
		return err
	}
	return o.app.followSync(cmd.Context(), o.name, false)
}

var definitionColumns = []ui.Column{{Name: "ResourceName"}, {Name: "ResourceGroup"}, {Name: "Layers"}, {Name: "State"}}

type definitionList struct {
	listOptions
	external, ports bool
}

func newDefinitionList(a *App) *cobra.Command {
	var o definitionList
	cmd := takes(&cobra.Command{
		Use:     "list",
		Aliases: []string{"l"},
		Short:   "List resource definitions",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd.Context(), a, o.file, func(ctx context.Context, c *client.Client) ([]api.ResourceDefinition, error) {
				return c.ResourceDefinitions(ctx, o.filter)
			}, func(w io.Writer, dfns []api.ResourceDefinition) error {
				if err := o.makeTable(dfns).Write(w, a.styleFor(o.pastable)); err != nil {
					return err
				}
				return a.why(definitionReasons(dfns))
			})
		},
	}, 0, 0)
	o.flags(cmd, listFlags{section: "resource-definition.list", columns: definitionColumns, groupBy: true, dfns: true, props: true,
		show: true, file: true})
	cmd.Flags().BoolVarP(&o.external, "external-name", "e", false, "add a column with the external name")
	cmd.Flags().BoolVar(&o.ports, "show-preferred-drbd-ports", false, "add a column with the TCP port")
	alias(cmd, "show-preferred-drbd-ports", "ports")
	return cmd
}

func (o *definitionList) makeTable(dfns []api.ResourceDefinition) *ui.Table {
	cols := []ui.Column{definitionColumns[0]}
	if o.external {
		cols = append(cols, ui.Column{Name: "External"})
	}
	if o.ports {
		cols = append(cols, ui.Column{Name: "Port"})
	}
	t := o.table(append(cols, definitionColumns[1:]...))
	for _, d := range dfns {
		row := ui.Texts(d.Name)
		if o.external {
			row = append(row, ui.Text(d.ExternalName))
		}
		var stack []string
		port := ""
		for _, l := range d.LayerData {
			stack = append(stack, string(l.Type))
			if drbd, ok := l.Data.(*api.DrbdResourceDefinition); ok && drbd.Port != 0 {
				port = strconv.Itoa(drbd.Port)
			}
		}
		if o.ports {
			row = append(row, ui.Text(orDash(port)))
		}
		state := ui.Cell{Text: "ok", Color: ui.DarkGreen}
		switch {
		case api.HasFlag(d.Flags, api.FlagDelete):
			state = ui.Cell{Text: "DELETE", Color: ui.Red}
		case api.HasFlag(d.Flags, api.FlagFailed):
			state = ui.Cell{Text: "FAILED", Color: ui.Red}
		case api.HasFlag(d.Flags, api.FlagCloning):
			state = ui.Cell{Text: "CLONING", Color: ui.Yellow}
		}
		row = append(row, ui.Text(d.ResourceGroupName), ui.Text(strings.Join(stack, ",")), state)
		t.Add(append(row, o.propCells(d.Props)...)...)
	}
	t.SortBy(o.groupBy...)
	return t
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
