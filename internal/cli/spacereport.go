package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"holdfast/internal/cli/ui"
)

func newSpaceReporting(a *App) *cobra.Command {
	return group("space-reporting", "spr", "Space used", takes(&cobra.Command{
		Use:     "query",
		Aliases: []string{"qry"},
		Short:   "Show what the storage pools have and what volumes take of it",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			r, err := c.SpaceReport(cmd.Context())
			if err != nil {
				return a.failed(err)
			}
			if a.opt.machine {
				return ui.JSON(a.out(), []any{r})
			}
			return a.println(strings.TrimRight(r.Text, "\n"))
		},
	}, 0, 0))
}
