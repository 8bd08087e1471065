package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// newRoot makes the tree of commands. Commands given to New come last: one with the name of a built-in group (the daemon
// "controller") lends the group its run function and its options, so that "holdfast controller" starts the daemon and
// "holdfast controller version" asks it.
func newRoot(a *App) *cobra.Command {
	root := &cobra.Command{
		Use:               a.cfg.Prog,
		Short:             "Replicated block volumes from the disks you have",
		Version:           a.cfg.Version,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.setUp() },
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate(a.cfg.Prog + " {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usagef(cmd, "%w", err) })
	a.opt.flags(root.PersistentFlags())
	root.PersistentFlags().Bool("version", false, "print the version (short: -v)")
	root.SetUsageTemplate(usageTemplate)
	root.AddCommand(
		newController(a),
		newNode(a),
		newStoragePool(a),
		newResourceDefinition(a),
		newVolumeDefinition(a),
		newResourceGroup(a),
		newVolumeGroup(a),
		newResource(a),
		newVolume(a),
		newSnapshot(a),
		newKeyValueStore(a),
		newErrorReports(a),
		newAdvise(a),
		newSpaceReporting(a),
		newSosReport(a),
		newNodeConnection(a),
		newResourceConnection(a),
		newPhysicalStorage(a),
		newEncryption(a),
		newListCommands(a),
	)
	for _, e := range a.extra {
		merge(root, e)
	}
	return root
}

// merge adds cmd to root, or into the group that already has its name.
func merge(root, cmd *cobra.Command) {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[annExtra] = "all"
	old := child(root, cmd.Name())
	if old == nil {
		root.AddCommand(cmd)
		return
	}
	old.Run, old.RunE, old.Args = cmd.Run, cmd.RunE, cmd.Args
	old.Flags().AddFlagSet(cmd.Flags())
	old.Short, old.Long = cmd.Short+"; or ask it with a sub-command", cmd.Long
	old.Annotations = map[string]string{annExtra: "self"}
	for _, sub := range cmd.Commands() {
		cmd.RemoveCommand(sub)
		old.AddCommand(sub)
		if sub.Annotations == nil {
			sub.Annotations = map[string]string{}
		}
		sub.Annotations[annExtra] = "all"
	}
}

// annExtra marks commands given to New: "all" with their sub-commands, "self" without.
const annExtra = "extra"

// isExtra tells whether args call a command that was given to New.
func isExtra(root *cobra.Command, args []string) bool {
	if len(args) == 0 {
		return false
	}
	cmd := child(root, args[0])
	if cmd == nil || cmd.Annotations[annExtra] != "self" || len(args) == 1 {
		return cmd != nil && cmd.Annotations[annExtra] != ""
	}
	sub := child(cmd, args[1])
	return sub == nil && isOption(args[1]) || sub != nil && sub.Annotations[annExtra] != ""
}

// group makes a command that only has sub-commands.
func group(use, alias, short string, subs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef(cmd, "unknown command %q", args[0])
			}
			return usagef(cmd, "a sub-command is missing")
		},
	}
	if alias != "" {
		cmd.Aliases = []string{alias}
	}
	cmd.AddCommand(subs...)
	return cmd
}

// newListCommands prints all commands with their short names.
func newListCommands(a *App) *cobra.Command {
	tree := false
	cmd := takes(&cobra.Command{
		Use:     "list-commands",
		Aliases: []string{"commands", "list"},
		Short:   "List all commands",
		RunE: func(cmd *cobra.Command, _ []string) error {
			listCommands(a.out(), cmd.Root(), "", tree)
			return nil
		},
	}, 0, 0)
	cmd.Flags().BoolVarP(&tree, "tree", "t", false, "show as a tree")
	return cmd
}

func listCommands(w io.Writer, cmd *cobra.Command, indent string, tree bool) {
	for _, c := range cmd.Commands() {
		if c.Hidden {
			continue
		}
		name := c.Name()
		if len(c.Aliases) > 0 {
			name += " (" + c.Aliases[0] + ")"
		}
		switch {
		case tree:
			fmt.Fprintf(w, "%s- %s\n", indent, name)
			listCommands(w, c, indent+"  ", tree)
		case c.HasSubCommands():
			listCommands(w, c, indent+name+" ", tree)
		default:
			fmt.Fprintf(w, "%s%s\n", indent, name)
		}
	}
}

const usageTemplate = `Usage:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND{{end}}{{if .Aliases}}

Also:
  {{.NameAndAliases}}{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .NameAndAliases 34}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Options:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Options of every command: see '{{.Root.Name}} --help'.{{end}}
`
