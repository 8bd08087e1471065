package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

func newDiagnose(a *App) *cobra.Command {
	return &cobra.Command{
		Use:     "diagnose [RESOURCE]...",
		Aliases: []string{"diag"},
		Short:   "What is wrong with resources, the evidence, and the commands that would mend it",
		RunE: func(cmd *cobra.Command, args []string) error {
			return list(cmd.Context(), a, "", func(ctx context.Context, c *client.Client) ([]api.Condition, error) {
				return c.Conditions(ctx, client.Filter{Resources: args})
			}, a.drawConditions)
		},
	}
}

func (a *App) drawConditions(w io.Writer, list []api.Condition) error {
	var b strings.Builder
	if len(list) == 0 {
		fmt.Fprintln(&b, "Nothing is wrong.")
	}
	for i, c := range list {
		if i > 0 {
			b.WriteByte('\n')
		}
		a.condition(&b, c)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (a *App) condition(b *strings.Builder, c api.Condition) {
	where := c.ResourceName
	if c.VolumeNumber != nil {
		where += fmt.Sprintf(" volume %d", *c.VolumeNumber)
	}
	if c.NodeName != "" {
		where += " on " + c.NodeName
	}
	if c.PeerName != "" {
		where += " and " + c.PeerName
	}
	if d := a.cfg.Now().UnixMilli() - c.Since; c.Since > 0 && d > 0 {
		where += ", for " + ui.FormatDuration(msDuration(d))
	}
	fmt.Fprintf(b, "%s %s\n    %s\n", a.style.Paint(strings.ToUpper(c.Kind)+":", ui.Red), where, oneLine(c.Message))
	for _, e := range c.Evidence {
		fmt.Fprintf(b, "    seen: %s\n", oneLine(e))
	}
	for _, m := range c.Mends {
		cost := a.style.Paint("loses nothing", ui.Green)
		if !m.LosesNothing {
			cost = a.style.Paint("loses "+oneLine(m.Loses), ui.Yellow)
		}
		fmt.Fprintf(b, "    mend: %s (%s)\n", oneLine(m.Message), cost)
		for _, x := range m.Commands {
			fmt.Fprintf(b, "        %s# %s\n", x.NodeName, oneLine(x.Command))
		}
	}
}
