package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

// owner is an object with properties, for the three commands that all of them have.
type owner struct {
	// use names the positional arguments that identify the object, for instance "NODE POOL".
	use  string
	noun string
	// get returns the object's properties; found is false when the controller doesn't list it.
	get func(ctx context.Context, c *client.Client, args []string) (props api.Props, found bool, err error)
	// set changes the object's properties.
	set func(ctx context.Context, c *client.Client, args []string, m api.PropsModify) (api.ApiCallRcList, error)
	// missing is the error for an object that isn't found; nil means to say so and succeed, as LINSTOR's client does.
	missing func(args []string) error
	// sections are the DRBD options that may be set on the object; empty means no command for them.
	sections []string
	// peer: the command for them is drbd-peer-options.
	peer bool
}

func (o owner) args() int { return len(strings.Fields(o.use)) }

// commands makes list-properties, set-property and, where the object takes them, drbd-options.
func (o owner) commands(a *App) []*cobra.Command {
	cmds := []*cobra.Command{o.list(a), o.setProperty(a)}
	if len(o.sections) > 0 {
		cmds = append(cmds, newDrbdOptions(a, o))
	}
	return cmds
}

func (o owner) list(a *App) *cobra.Command {
	pastable := false
	cmd := takes(&cobra.Command{
		Use:     strings.TrimSpace("list-properties " + o.use),
		Aliases: []string{"lp"},
		Short:   "List the properties of a " + o.noun,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			props, found, err := o.get(cmd.Context(), c, args)
			if err != nil {
				return a.failed(err)
			}
			a.sayEndpoint(c)
			if !found && o.missing != nil {
				return o.missing(args)
			}
			return a.printProps(props, found, pastable)
		},
	}, o.args(), o.args())
	cmd.Flags().BoolVarP(&pastable, "pastable", "p", false, "plain characters, no colours")
	return cmd
}

// property is an entry of the machine-readable list of properties.
type property struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func (a *App) printProps(props api.Props, found, pastable bool) error {
	keys := sortedKeys(props)
	if a.opt.machine {
		list := []property{}
		for _, k := range keys {
			list = append(list, property{k, props[k]})
		}
		return ui.JSON(a.out(), [][]property{list})
	}
	if !found {
		return a.println(a.style.Paint("No property map found for this entry.", ui.Yellow))
	}
	t := &ui.Table{Columns: []ui.Column{{Name: "Key"}, {Name: "Value"}}}
	for _, k := range keys {
		t.Add(ui.Texts(k, props[k])...)
	}
	return t.Write(a.out(), a.styleFor(pastable))
}

func (a *App) println(s string) error {
	_, err := a.out().Write([]byte(s + "\n"))
	return err
}

func (o owner) setProperty(a *App) *cobra.Command {
	aux := false
	n := o.args()
	cmd := takes(&cobra.Command{
		Use:     strings.TrimSpace("set-property "+o.use) + " KEY [VALUE]",
		Aliases: []string{"sp"},
		Short:   "Set a property of a " + o.noun + ", or delete it when no value is given",
		RunE: func(cmd *cobra.Command, args []string) error {
			key, value := args[n], ""
			if len(args) > n+1 {
				value = args[n+1]
			}
			if aux {
				key = "Aux/" + key
			}
			m := api.PropsModify{OverrideProps: api.Props{key: value}}
			if value == "" {
				m = api.PropsModify{DeleteProps: []string{key}}
			}
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return o.set(ctx, c, args, m)
			})
		},
	}, n+1, n+2)
	cmd.Flags().BoolVar(&aux, "aux", false, "the key is below Aux/, where users may keep what they like")
	return cmd
}
