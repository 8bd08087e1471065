package admin

import (
	"fmt"

	"github.com/spf13/cobra"

	"holdfast/internal/state"
	"holdfast/internal/store/sqlite"
	"holdfast/internal/stored"
)

func check(f *files) *cobra.Command {
	return &cobra.Command{Use: "check", Short: "Read all of the store and say what is wrong with it", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.look(cmd.Context(), func(db *sqlite.DB) error {
				found, err := db.Check(cmd.Context())
				if err != nil {
					return err
				}
				l, err := stored.Load(cmd.Context(), db)
				if err != nil {
					return err
				}
				found = append(found, l.Problems...)
				if l.Objects.Controller == nil && l.NextID > 1 {
					found = append(found, "there is no readable cluster record: a controller doesn't start on it")
				}
				_, problems := state.Build(l.Objects)
				found = append(found, problems...)
				w := cmd.OutOrStdout()
				for _, p := range found {
					fmt.Fprintln(w, p)
				}
				fmt.Fprintf(w, "%s: cluster %s, schema %d, epoch %d, revision %d, written by %s\n", db.Path(), l.Cluster, l.Schema, l.Epoch, l.Base, l.WrittenBy)
				fmt.Fprintf(w, "%d nodes, %d resource groups, %d resource definitions\n", len(l.Objects.Nodes), len(l.Objects.Groups), len(l.Objects.Definitions))
				if len(found) > 0 {
					return fmt.Errorf("check %s: %d problems", db.Path(), len(found))
				}
				fmt.Fprintln(w, "no problems")
				return nil
			})
		}}
}
