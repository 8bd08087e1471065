package admin

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"holdfast/internal/store/sqlite"
)

// takeOver raises the stored epoch, so that the next start of the controller is obeyed by satellites that know a later
// one: after a restore from a backup.
func takeOver(f *files) *cobra.Command {
	var above uint64
	cmd := &cobra.Command{Use: "take-over --above EPOCH", Short: "Let this store's controller be obeyed again, after a restore from a backup",
		Long: `Raises the store's epoch above the one given, which the controller's log and its refusals name.
Do this only if no other controller of this cluster runs: satellites will obey this one at its next start.
What exists on nodes but not in this store is then reported as an orphan; nothing is removed.`,
		Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			path, err := f.store()
			if err != nil {
				return err
			}
			db, err := sqlite.Open(cmd.Context(), sqlite.Options{Path: path, WrittenBy: f.version})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, db.Close()) }()
			st, err := db.Load(cmd.Context())
			if err != nil {
				return err
			}
			if st.Epoch > above {
				fmt.Fprintf(cmd.OutOrStdout(), "The store's epoch is %d already; nothing to do.\n", st.Epoch)
				return nil
			}
			if _, err := db.Commit(cmd.Context(), above, st.Base, nil); err != nil {
				return fmt.Errorf("raise the epoch: %w", err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "The controller's next start takes epoch %d.\n", above+1)
			return nil
		}}
	cmd.Flags().Uint64Var(&above, "above", 0, "the highest epoch that satellites have obeyed")
	_ = cmd.MarkFlagRequired("above")
	return cmd
}
