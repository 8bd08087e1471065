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

// peerSections are the DRBD options that connections take.
var peerSections = []string{"Net", "PeerDevice"}

func newNodeConnection(a *App) *cobra.Command {
	o := owner{
		use: "NODE_A NODE_B", noun: "node connection", sections: peerSections, peer: true,
		get: func(ctx context.Context, c *client.Client, args []string) (api.Props, bool, error) {
			list, err := c.NodeConnections(ctx, args[0], args[1])
			if err != nil || len(list) == 0 {
				return nil, false, err
			}
			return list[0].Props, true, nil
		},
		set: func(ctx context.Context, c *client.Client, args []string, m api.PropsModify) (api.ApiCallRcList, error) {
			return c.ModifyNodeConnection(ctx, args[0], args[1], api.NodeConnectionModify{PropsModify: m})
		},
	}
	cmd := group("node-connection", "nc", "What is set between two nodes", newNodeConnectionList(a), newPaths(a, o))
	cmd.AddCommand(o.commands(a)...)
	return cmd
}

func newResourceConnection(a *App) *cobra.Command {
	o := resourceConnectionOwner()
	cmd := group("resource-connection", "rc", "What is set between two replicas of a resource", newResourceConnectionList(a), newPaths(a, o))
	cmd.AddCommand(o.commands(a)...)
	return cmd
}

func resourceConnectionOwner() owner {
	return owner{
		use: "NODE_A NODE_B RESOURCE", noun: "resource connection", sections: peerSections, peer: true,
		get: func(ctx context.Context, c *client.Client, args []string) (api.Props, bool, error) {
			rc, err := c.ResourceConnection(ctx, args[2], args[0], args[1])
			return rc.Props, err == nil, err
		},
		set: func(ctx context.Context, c *client.Client, args []string, m api.PropsModify) (api.ApiCallRcList, error) {
			return c.ModifyResourceConnection(ctx, args[2], args[0], args[1], api.ResourceConnectionModify{PropsModify: m})
		},
	}
}

var nodeConnectionColumns = []ui.Column{{Name: "Node_A"}, {Name: "Node_B"}, {Name: "Properties"}}

func newNodeConnectionList(a *App) *cobra.Command {
	var o listOptions
	cmd := takes(&cobra.Command{
		Use:     "list [NODE_A] [NODE_B]",
		Aliases: []string{"l"},
		Short:   "List what is set between nodes",
		RunE: func(cmd *cobra.Command, args []string) error {
			args = append(args, "", "")
			return list(cmd.Context(), a, "", func(ctx context.Context, c *client.Client) ([]api.NodeConnection, error) {
				return c.NodeConnections(ctx, args[0], args[1])
			}, func(w io.Writer, all []api.NodeConnection) error {
				t := o.table(nodeConnectionColumns)
				for _, n := range all {
					t.Add(append(ui.Texts(n.NodeA, n.NodeB, propLines(n.Props)), o.propCells(n.Props)...)...)
				}
				t.SortBy(o.groupBy...)
				return t.Write(w, a.styleFor(o.pastable))
			})
		},
	}, 0, 2)
	o.flags(cmd, listFlags{columns: nodeConnectionColumns, groupBy: true, show: true})
	return cmd
}

var resourceConnectionColumns = []ui.Column{{Name: "Source"}, {Name: "Target"}, {Name: "Properties"}, {Name: "Port"}}

func newResourceConnectionList(a *App) *cobra.Command {
	var o listOptions
	cmd := takes(&cobra.Command{
		Use:     "list RESOURCE",
		Aliases: []string{"l"},
		Short:   "List the connections of a resource",
		RunE: func(cmd *cobra.Command, args []string) error {
			return list(cmd.Context(), a, "", func(ctx context.Context, c *client.Client) ([]api.ResourceConnection, error) {
				return c.ResourceConnections(ctx, args[0])
			}, func(w io.Writer, all []api.ResourceConnection) error {
				t := o.table(resourceConnectionColumns)
				for _, r := range all {
					port := ""
					if r.Port != nil {
						port = strconv.Itoa(*r.Port)
					}
					t.Add(append(ui.Texts(r.NodeA, r.NodeB, propLines(r.Props), port), o.propCells(r.Props)...)...)
				}
				t.SortBy(o.groupBy...)
				return t.Write(w, a.styleFor(o.pastable))
			})
		},
	}, 1, 1)
	o.flags(cmd, listFlags{columns: resourceConnectionColumns, groupBy: true, show: true})
	return cmd
}

func propLines(p api.Props) string {
	var lines []string
	for _, k := range sortedKeys(p) {
		lines = append(lines, k+"="+p[k])
	}
	return strings.Join(lines, "\n")
}

// newPaths makes the commands for paths: properties Paths/<name>/<node> = <interface>.
func newPaths(a *App, o owner) *cobra.Command {
	n := o.args()
	create := takes(&cobra.Command{
		Use:     "create " + o.use + " PATH INTERFACE_A INTERFACE_B",
		Aliases: []string{"c"},
		Short:   "Let DRBD use these two interfaces; several paths are used together",
		RunE: func(cmd *cobra.Command, args []string) error {
			at := "Paths/" + args[n] + "/"
			m := api.PropsModify{OverrideProps: api.Props{at + args[0]: args[n+1], at + args[1]: args[n+2]}}
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) { return o.set(ctx, c, args, m) })
		},
	}, n+3, n+3)
	remove := takes(&cobra.Command{
		Use:     "delete " + o.use + " PATH",
		Aliases: []string{"d"},
		Short:   "Delete a path",
		RunE: func(cmd *cobra.Command, args []string) error {
			m := api.PropsModify{DeleteNamespaces: []string{"Paths/" + args[n]}}
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) { return o.set(ctx, c, args, m) })
		},
	}, n+1, n+1)
	pastable := false
	show := takes(&cobra.Command{
		Use:     "list " + o.use,
		Aliases: []string{"l"},
		Short:   "List the paths",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			props, found, err := o.get(cmd.Context(), c, args)
			if err != nil {
				return a.failed(err)
			}
			paths := api.Props{}
			for k, v := range props {
				if strings.HasPrefix(k, "Paths/") {
					paths[k] = v
				}
			}
			return a.printProps(paths, found && len(paths) > 0, pastable)
		},
	}, n, n)
	show.Flags().BoolVarP(&pastable, "pastable", "p", false, "plain characters, no colours")
	return group("path", "p", "Paths between the two nodes", create, remove, show)
}
