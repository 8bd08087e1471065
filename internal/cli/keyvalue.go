package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

func newKeyValueStore(a *App) *cobra.Command {
	return group("key-value-store", "kv", "Notes that programs keep in the controller",
		newKeyValueList(a), newKeyValueShow(a), newKeyValueModify(a))
}

func newKeyValueList(a *App) *cobra.Command {
	var o listOptions
	cmd := takes(&cobra.Command{
		Use:     "list",
		Aliases: []string{"l"},
		Short:   "List key-value stores",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd.Context(), a, "", func(ctx context.Context, c *client.Client) ([]api.KeyValueStore, error) {
				return c.KeyValueStores(ctx)
			}, func(w io.Writer, stores []api.KeyValueStore) error {
				t := o.table([]ui.Column{{Name: "Name"}})
				for _, s := range stores {
					t.Add(ui.Text(s.Name))
				}
				return t.Write(w, a.styleFor(o.pastable))
			})
		},
	}, 0, 0)
	o.flags(cmd, listFlags{})
	return cmd
}

func newKeyValueShow(a *App) *cobra.Command {
	pastable := false
	cmd := takes(&cobra.Command{
		Use:     "show NAME",
		Aliases: []string{"s"},
		Short:   "Show the entries of a key-value store",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			s, err := c.KeyValueStore(cmd.Context(), args[0])
			if client.IsNotFound(err) { // LINSTOR's client shows an empty one
				if a.opt.machine {
					return ui.JSON(a.out(), []any{})
				}
				fmt.Fprintf(a.cfg.Streams.Err, "There is no key-value store '%s'; it comes with its first key.\n", args[0])
				return a.printProps(nil, true, pastable)
			}
			if err != nil {
				return a.failed(err)
			}
			return a.printProps(s.Props, true, pastable)
		},
	}, 1, 1)
	cmd.Flags().BoolVarP(&pastable, "pastable", "p", false, "plain characters, no colours")
	return cmd
}

func newKeyValueModify(a *App) *cobra.Command {
	return takes(&cobra.Command{
		Use:     "modify NAME KEY [VALUE]",
		Aliases: []string{"m"},
		Short:   "Set an entry of a key-value store, or delete it when no value is given",
		RunE: func(cmd *cobra.Command, args []string) error {
			m := api.PropsModify{DeleteProps: []string{args[1]}}
			if len(args) == 3 && args[2] != "" {
				m = api.PropsModify{OverrideProps: api.Props{args[1]: args[2]}}
			}
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.ModifyKeyValueStore(ctx, args[0], api.KeyValueStoreModify{PropsModify: m})
			})
		},
	}, 2, 3)
}
