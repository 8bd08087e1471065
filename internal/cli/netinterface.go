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

func newNetInterface(a *App) *cobra.Command {
	return group("interface", "i", "Addresses of a node",
		newNetInterfaceCreate(a), newNetInterfaceModify(a), newNetInterfaceDelete(a), newNetInterfaceList(a))
}

// netInterfaceOptions are the options that create and modify share.
type netInterfaceOptions struct {
	port          int
	communication string
	active        bool
}

func (o *netInterfaceOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVarP(&o.port, "port", "p", 0, "port of the satellite")
	f.StringVar(&o.communication, "communication-type", "Plain", "Plain or SSL")
	f.BoolVar(&o.active, "active", false, "the controller connects to this address")
}

func (o *netInterfaceOptions) fill(cmd *cobra.Command, i *api.NetInterface) error {
	enc, err := encryption(o.communication)
	if err != nil {
		return usagef(cmd, "%w", err)
	}
	if o.port != 0 {
		i.SatellitePort = api.NewInt(int64(o.port))
		i.SatelliteEncryptionType = enc
	}
	if o.active {
		i.IsActive = api.NewBool(true)
	}
	return nil
}

func newNetInterfaceCreate(a *App) *cobra.Command {
	var o netInterfaceOptions
	cmd := takes(&cobra.Command{
		Use:     "create NODE NAME IP",
		Aliases: []string{"c"},
		Short:   "Add an address to a node",
	}, 3, 3)
	o.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		i := api.NetInterface{Name: args[1], Address: args[2]}
		if err := o.fill(cmd, &i); err != nil {
			return err
		}
		return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
			return c.CreateNetInterface(ctx, args[0], i)
		})
	}
	return cmd
}

func newNetInterfaceModify(a *App) *cobra.Command {
	var o netInterfaceOptions
	ip := ""
	cmd := takes(&cobra.Command{
		Use:     "modify NODE NAME",
		Aliases: []string{"m"},
		Short:   "Change an address of a node",
	}, 2, 2)
	o.flags(cmd)
	cmd.Flags().StringVar(&ip, "ip", "", "new address")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		i := api.NetInterface{Name: args[1], Address: ip}
		if err := o.fill(cmd, &i); err != nil {
			return err
		}
		return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
			return c.ModifyNetInterface(ctx, args[0], args[1], i)
		})
	}
	return cmd
}

func newNetInterfaceDelete(a *App) *cobra.Command {
	return takes(&cobra.Command{
		Use:     "delete NODE NAME...",
		Aliases: []string{"d"},
		Short:   "Remove addresses from a node",
		RunE: func(cmd *cobra.Command, args []string) error {
			var list []change
			for _, name := range args[1:] {
				list = append(list, func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
					return c.DeleteNetInterface(ctx, args[0], name)
				})
			}
			return a.changes(cmd.Context(), list...)
		},
	}, 2, -1)
}

func newNetInterfaceList(a *App) *cobra.Command {
	var o listOptions
	cmd := takes(&cobra.Command{
		Use:     "list NODE",
		Aliases: []string{"l"},
		Short:   "List the addresses of a node",
		RunE: func(cmd *cobra.Command, args []string) error {
			return list(cmd.Context(), a, "", func(ctx context.Context, c *client.Client) ([]api.Node, error) {
				return c.Nodes(ctx, client.Filter{Nodes: args})
			}, func(w io.Writer, nodes []api.Node) error {
				for _, n := range nodes {
					if strings.EqualFold(n.Name, args[0]) {
						return netInterfaceTable(n).Write(w, a.styleFor(o.pastable))
					}
				}
				return nodeMissing(args[0])
			})
		},
	}, 1, 1)
	o.flags(cmd, listFlags{})
	return cmd
}

func netInterfaceTable(n api.Node) *ui.Table {
	t := &ui.Table{Columns: []ui.Column{{Name: n.Name, Color: ui.Green}, {Name: "NetInterface"}, {Name: "IP"}, {Name: "Port"}, {Name: "EncryptionType"}}}
	for _, i := range n.NetInterfaces {
		mark, port := "+", ""
		if i.IsActive.Value(false) {
			mark = "+ StltCon"
		}
		if p := i.SatellitePort.Value(0); p != 0 {
			port = strconv.FormatInt(p, 10)
		}
		t.Add(ui.Texts(mark, i.Name, i.Address, port, string(i.SatelliteEncryptionType))...)
	}
	return t
}
