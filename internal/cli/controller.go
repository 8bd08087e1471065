package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
)

func newController(a *App) *cobra.Command {
	cmd := group("controller", "c", "The controller: version and properties", newControllerVersion(a), newControllerWhich(a), newMaxVolume(a))
	cmd.AddCommand(controllerOwner().commands(a)...)
	return cmd
}

func controllerOwner() owner {
	return owner{
		noun: "controller", sections: allDrbdSections,
		get: func(ctx context.Context, c *client.Client, _ []string) (api.Props, bool, error) {
			p, err := c.ControllerProps(ctx)
			return p, err == nil, err
		},
		set: func(ctx context.Context, c *client.Client, _ []string, m api.PropsModify) (api.ApiCallRcList, error) {
			return c.ModifyController(ctx, api.ControllerPropsModify{PropsModify: m})
		},
	}
}

func newControllerVersion(a *App) *cobra.Command {
	return takes(&cobra.Command{
		Use:     "version",
		Aliases: []string{"v"},
		Short:   "Show the controller's version",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			v, err := c.Version(cmd.Context())
			if err != nil {
				return a.failed(err)
			}
			if a.opt.machine {
				return a.jsonLine(v)
			}
			return a.println(fmt.Sprintf("linstor controller %s; GIT-hash: %s", v.Version, v.GitHash))
		},
	}, 0, 0)
}

func newControllerWhich(a *App) *cobra.Command {
	return takes(&cobra.Command{
		Use:   "which",
		Short: "Show which controller answers",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			if _, err := c.Version(cmd.Context()); err != nil {
				return a.failed(err)
			}
			uri := "linstor://" + c.Endpoint().Host
			if c.Endpoint().Scheme == "https" {
				uri = "linstor+ssl://" + c.Endpoint().Host
			}
			if a.opt.machine {
				return a.jsonLine(map[string]string{"controller_uri": uri})
			}
			return a.println(uri)
		},
	}, 0, 0)
}

// jsonLine prints v on one line, with a blank after commas and colons as Python writes it.
func (a *App) jsonLine(v any) error {
	b, err := json.MarshalIndent(v, "", "")
	if err != nil {
		return err
	}
	// Line ends inside strings are escaped, so these are the separators alone.
	return a.println(strings.NewReplacer(",\n", ", ", "\n", "").Replace(string(b)))
}
