package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

// listOptions are the options that lists share.
type listOptions struct {
	pastable  bool
	groupBy   []string
	showProps []string
	file      string
	filter    client.Filter
}

// listFlags names the options of one list besides --pastable.
type listFlags struct {
	section  string
	columns  []ui.Column
	groupBy  bool
	nodes    bool
	rscs     bool
	pools    bool
	dfns     bool
	groups   bool
	props    bool
	show     bool
	showLong bool // --show-props without its letter
	file     bool
}

func (o *listOptions) flags(cmd *cobra.Command, f listFlags) {
	if f.section != "" {
		if cmd.Annotations == nil {
			cmd.Annotations = map[string]string{}
		}
		cmd.Annotations[annSection] = f.section
	}
	fs := cmd.Flags()
	fs.BoolVarP(&o.pastable, "pastable", "p", false, "plain characters, no colours")
	if f.groupBy {
		var names []string
		for _, c := range f.columns {
			names = append(names, strings.ToLower(c.Name))
		}
		manyVar(cmd, &o.groupBy, "groupby", "g", "sort by columns: "+strings.Join(names, ", "))
		cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
			for _, g := range o.groupBy {
				if !contains(names, strings.ToLower(g)) {
					return usagef(cmd, "--groupby: %q is not one of %s", g, strings.Join(names, ", "))
				}
			}
			return nil
		}
	}
	if f.nodes {
		manyVar(cmd, &o.filter.Nodes, "nodes", "n", "only these nodes")
	}
	if f.rscs {
		manyVar(cmd, &o.filter.Resources, "resources", "r", "only these resources")
	}
	if f.pools {
		manyVar(cmd, &o.filter.StoragePools, "storage-pools", "s", "only these storage pools")
	}
	if f.dfns {
		manyVar(cmd, &o.filter.ResourceDefinitions, "resource-definitions", "r", "only these resource definitions")
	}
	if f.groups {
		manyVar(cmd, &o.filter.ResourceGroups, "resource-groups", "r", "only these resource groups")
	}
	if f.props {
		manyVar(cmd, &o.filter.Props, "props", "", "only objects with these properties: KEY or KEY=VALUE")
	}
	if f.show {
		short := "s"
		if f.showLong {
			short = ""
		}
		manyVar(cmd, &o.showProps, "show-props", short, "add a column for a property: KEY or KEY=HEADING")
	}
	if f.file {
		fs.StringVar(&o.file, "from-file", "", "read the list from a JSON file")
	}
}

// table makes a table with columns for the properties to show.
func (o *listOptions) table(cols []ui.Column) *ui.Table {
	t := &ui.Table{Columns: append([]ui.Column(nil), cols...)}
	for _, p := range o.showProps {
		key, head, _ := strings.Cut(p, "=")
		if head == "" {
			head = key
		}
		t.Columns = append(t.Columns, ui.Column{Name: head})
	}
	return t
}

// propCells are the cells of the properties to show.
func (o *listOptions) propCells(props api.Props) []ui.Cell {
	var cells []ui.Cell
	for _, p := range o.showProps {
		key, _, _ := strings.Cut(p, "=")
		cells = append(cells, ui.Text(props[key]))
	}
	return cells
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
