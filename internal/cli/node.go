package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

// Default ports of a satellite and a controller, plain and TLS.
const (
	satellitePort     = 3366
	satelliteTLSPort  = 3367
	controllerPort    = 3370
	controllerTLSPort = 3371
)

func newNode(a *App) *cobra.Command {
	cmd := group("node", "n", "Machines of the cluster",
		newNodeCreate(a), newNodeModify(a), newNodeDescribe(a), newNodeDelete(a), newNodeLost(a), newNodeReconnect(a),
		newNodeEvacuate(a), newNodeEvict(a), newNodeRestore(a), newSafeToStop(a),
		newNetInterface(a), newNodeList(a), newNodeInfo(a))
	cmd.AddCommand(nodeOwner().commands(a)...)
	return cmd
}

func nodeOwner() owner {
	return owner{
		use: "NODE", noun: "node",
		get: func(ctx context.Context, c *client.Client, args []string) (api.Props, bool, error) {
			n, err := findNode(ctx, c, args[0])
			if err != nil || n == nil {
				return nil, false, err
			}
			return n.Props, true, nil
		},
		set: func(ctx context.Context, c *client.Client, args []string, m api.PropsModify) (api.ApiCallRcList, error) {
			return c.ModifyNode(ctx, args[0], api.NodeModify{PropsModify: m})
		},
		missing: func(args []string) error { return nodeMissing(args[0]) },
	}
}

func nodeMissing(name string) error { return notFoundf("Node '%s' not found on controller.", name) }

// findNode reads a node by name, in any case of letters; nil when there is none.
func findNode(ctx context.Context, c *client.Client, name string) (*api.Node, error) {
	list, err := c.Nodes(ctx, client.Filter{Nodes: []string{name}})
	if err != nil {
		return nil, err
	}
	for i := range list {
		if strings.EqualFold(list[i].Name, name) {
			return &list[i], nil
		}
	}
	return nil, nil
}

// nodeType reads a node type in any case.
func nodeType(s string) (api.NodeType, error) {
	switch t := api.NodeType(strings.ToUpper(s)); t {
	case api.NodeController, api.NodeSatellite, api.NodeCombined, api.NodeAuxiliary:
		return t, nil
	}
	return "", fmt.Errorf("%q is not a node type; use Controller, Satellite, Combined or Auxiliary", s)
}

// encryption reads a communication type in any case.
func encryption(s string) (api.EncryptionType, error) {
	switch t := api.EncryptionType(strings.ToUpper(s)); t {
	case api.EncryptionPlain, api.EncryptionSSL:
		return t, nil
	}
	return "", fmt.Errorf("%q is not a communication type; use Plain or SSL", s)
}

type nodeCreate struct {
	app                       *App
	name, ip                  string
	typ, communication, iface string
	port                      int
	fingerprint               string
	wait                      waitOptions
}

func newNodeCreate(a *App) *cobra.Command {
	o := nodeCreate{app: a}
	cmd := takes(&cobra.Command{
		Use:     "create NAME [IP]",
		Aliases: []string{"c"},
		Short:   "Add a node; without an address its name is looked up",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			if len(args) > 1 {
				o.ip = args[1]
			}
			return o.run(cmd)
		},
	}, 1, 2)
	f := cmd.Flags()
	f.StringVar(&o.typ, "node-type", "Satellite", "Controller, Satellite, Combined or Auxiliary")
	f.StringVar(&o.communication, "communication-type", "Plain", "Plain or SSL")
	f.String("interface-type", "IP", "always IP")
	f.StringVar(&o.iface, "interface-name", "default", "name of the address")
	f.IntVarP(&o.port, "port", "p", 0, "port of the satellite (default 3366, or 3367 for SSL)")
	f.StringVar(&o.fingerprint, "fingerprint", "", "fingerprint that the satellite must show, as it printed it at its start")
	o.wait.flags(cmd)
	return cmd
}

func (o *nodeCreate) run(cmd *cobra.Command) error {
	typ, err := nodeType(o.typ)
	if err != nil {
		return usagef(cmd, "%w", err)
	}
	enc, err := encryption(o.communication)
	if err != nil {
		return usagef(cmd, "%w", err)
	}
	if o.ip == "" {
		addrs, err := net.DefaultResolver.LookupHost(cmd.Context(), o.name)
		if err != nil {
			return usagef(cmd, "no address is given and the name can't be looked up: %w", err)
		}
		o.ip = addrs[0]
	}
	if o.port == 0 {
		o.port = defaultPort(typ, enc)
	}
	n := api.Node{Name: o.name, Type: typ, NetInterfaces: []api.NetInterface{{
		Name: o.iface, Address: o.ip, SatellitePort: api.NewInt(int64(o.port)), SatelliteEncryptionType: enc,
	}}}
	if o.fingerprint != "" {
		n.Holdfast = &api.NodeStatus{Fingerprint: o.fingerprint}
	}
	return o.app.watched(cmd.Context(), watchNode(o.name), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
		return c.CreateNode(ctx, n, o.wait.options()...)
	})
}

func defaultPort(typ api.NodeType, enc api.EncryptionType) int {
	switch {
	case typ == api.NodeController && enc == api.EncryptionSSL:
		return controllerTLSPort
	case typ == api.NodeController:
		return controllerPort
	case enc == api.EncryptionSSL:
		return satelliteTLSPort
	default:
		return satellitePort
	}
}

func newNodeModify(a *App) *cobra.Command {
	typ := ""
	cmd := takes(&cobra.Command{
		Use:     "modify NODE --node-type TYPE",
		Aliases: []string{"m"},
		Short:   "Change the type of a node",
	}, 1, 1)
	cmd.Flags().StringVarP(&typ, "node-type", "t", "Satellite", "Controller, Satellite, Combined or Auxiliary")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		t, err := nodeType(typ)
		if err != nil {
			return usagef(cmd, "%w", err)
		}
		return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
			return c.ModifyNode(ctx, args[0], api.NodeModify{NodeType: t})
		})
	}
	return cmd
}

func newNodeDelete(a *App) *cobra.Command {
	return nodeGoes(a, "delete", "d", "Remove an empty node", (*client.Client).DeleteNode)
}

func newNodeLost(a *App) *cobra.Command {
	return nodeGoes(a, "lost", "lo", "Remove a node that will never come back, with everything on it", (*client.Client).LostNode)
}

func nodeGoes(a *App, use, alias, short string, remove func(*client.Client, context.Context, string, ...client.ChangeOption) (api.ApiCallRcList, error)) *cobra.Command {
	var o deleteOptions
	cmd := takes(&cobra.Command{
		Use:     use + " NODE",
		Aliases: []string{alias},
		Short:   short,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.watched(cmd.Context(), watchNode(args[0]), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return remove(c, ctx, args[0], o.options()...)
			})
		},
	}, 1, 1)
	o.flags(cmd)
	return cmd
}

func newNodeReconnect(a *App) *cobra.Command {
	return takes(&cobra.Command{
		Use:     "reconnect NODE...",
		Aliases: []string{"rc"},
		Short:   "Connect to nodes anew",
		RunE: func(cmd *cobra.Command, args []string) error {
			var list []change
			for _, n := range args {
				list = append(list, func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
					return c.ReconnectNode(ctx, n)
				})
			}
			return a.changes(cmd.Context(), list...)
		},
	}, 1, -1)
}

var nodeColumns = []ui.Column{{Name: "Node"}, {Name: "NodeType"}, {Name: "Addresses"}, {Name: "State", Color: ui.DarkGreen}}

func newNodeList(a *App) *cobra.Command {
	var o listOptions
	aux := false
	cmd := takes(&cobra.Command{
		Use:     "list",
		Aliases: []string{"l"},
		Short:   "List nodes",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd.Context(), a, o.file, func(ctx context.Context, c *client.Client) ([]api.Node, error) {
				return c.Nodes(ctx, o.filter)
			}, func(w io.Writer, nodes []api.Node) error {
				if err := nodeTable(&o, nodes, aux).Write(w, a.styleFor(o.pastable)); err != nil {
					return err
				}
				return a.why(nodeReasons(nodes))
			})
		},
	}, 0, 0)
	o.flags(cmd, listFlags{section: "node.list", columns: nodeColumns, groupBy: true, nodes: true, props: true, show: true, file: true})
	cmd.Flags().BoolVar(&aux, "show-aux-props", false, "add a column with all auxiliary properties")
	return cmd
}

func nodeTable(o *listOptions, nodes []api.Node, aux bool) *ui.Table {
	cols := nodeColumns
	if aux {
		cols = append(append([]ui.Column(nil), cols[:3]...), ui.Column{Name: "AuxProps"}, cols[3])
	}
	t := o.table(cols)
	for _, n := range nodes {
		address := ""
		for _, i := range n.NetInterfaces {
			if i.IsActive.Value(false) && i.SatellitePort.Value(0) != 0 {
				address = fmt.Sprintf("%s:%d (%s)", i.Address, *i.SatellitePort, i.SatelliteEncryptionType)
			}
		}
		row := ui.Texts(n.Name, string(n.Type), address)
		if aux {
			var lines []string
			for _, k := range sortedKeys(n.Props) {
				if strings.HasPrefix(k, "Aux/") {
					lines = append(lines, k+"="+n.Props[k])
				}
			}
			row = append(row, ui.Text(strings.Join(lines, "\n")))
		}
		row = append(row, nodeState(n))
		t.Add(append(row, o.propCells(n.Props)...)...)
	}
	t.SortBy(o.groupBy...)
	return t
}

// nodeState is the state word of a node.
func nodeState(n api.Node) ui.Cell {
	switch {
	case api.HasFlag(n.Flags, api.FlagEvicted):
		return ui.Cell{Text: "EVICTED", Color: ui.Red}
	case api.HasFlag(n.Flags, api.FlagDelete):
		return ui.Cell{Text: "DELETE", Color: ui.Red}
	case api.HasFlag(n.Flags, api.FlagEvacuate):
		return ui.Cell{Text: "EVACUATE", Color: ui.Yellow}
	}
	offline := func(why string) ui.Cell { return ui.Cell{Text: "OFFLINE(" + why + ")", Color: ui.Red} }
	switch n.ConnectionStatus {
	case api.ConnOnline:
		return ui.Cell{Text: "Online", Color: ui.Green}
	case api.ConnConnected, api.ConnAuthenticated:
		return ui.Cell{Text: "Connected", Color: ui.Yellow}
	case api.ConnOffline:
		c := ui.Cell{Text: "OFFLINE", Color: ui.Red}
		if n.EvictionTimestamp > 0 {
			c.Text += " (Auto-eviction at " + localTime(n.EvictionTimestamp) + ")"
		}
		return c
	case api.ConnVersionMismatch:
		return offline("VERSION MISMATCH")
	case api.ConnFullSyncFailed:
		return offline("FULL SYNC FAILED")
	case api.ConnMissingExtTools:
		return offline("MISSING EXTERNAL TOOLS")
	case api.ConnAuthenticationError:
		return offline("AUTHENTICATION ERROR")
	case api.ConnHostnameMismatch:
		return offline("HOSTNAME MISMATCH")
	case api.ConnOtherController:
		return offline("OTHER_CONTROLLER")
	case api.ConnNoStltConn:
		return offline("NO CONNECTION TO SATELLITE")
	case api.ConnDuplicateUname:
		return offline("DUPLICATE HOSTNAME")
	default:
		return ui.Cell{Text: "Unknown", Color: ui.Yellow}
	}
}

// localTime writes a time in ms as the reader's clock shows it, to the second.
func localTime(ms int64) string {
	if ms <= 0 {
		return ""
	}
	return time.UnixMilli(ms).Format("2006-01-02 15:04:05")
}
