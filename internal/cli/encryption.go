package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
)

func newEncryption(a *App) *cobra.Command {
	return group("encryption", "e", "The master passphrase of encrypted volumes",
		newCreatePassphrase(a), newEnterPassphrase(a), newModifyPassphrase(a), newEncryptionStatus(a))
}

// ask reads a passphrase without showing it; twice if it is a new one.
func (a *App) ask(prompt string, twice bool) (string, error) {
	if a.cfg.Password == nil {
		return "", errors.New("there is no terminal to ask for the passphrase: give it as an option")
	}
	p, err := a.cfg.Password(prompt + ": ")
	if err != nil {
		return "", fmt.Errorf("read the passphrase: %w", err)
	}
	if twice {
		again, err := a.cfg.Password("Reenter " + prompt + ": ")
		if err != nil {
			return "", fmt.Errorf("read the passphrase: %w", err)
		}
		if again != p {
			return "", errors.New("the two passphrases differ: nothing was changed")
		}
	}
	return p, nil
}

// given is the value of an option, or what is typed where it wasn't given.
func (a *App) given(cmd *cobra.Command, option, value, prompt string, twice bool) (string, error) {
	if cmd.Flags().Changed(option) {
		return value, nil
	}
	return a.ask(prompt, twice)
}

func newCreatePassphrase(a *App) *cobra.Command {
	pass := ""
	cmd := takes(&cobra.Command{
		Use:     "create-passphrase",
		Aliases: []string{"cp"},
		Short:   "Create the master passphrase",
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.given(cmd, "passphrase", pass, "passphrase", true)
			if err != nil {
				return err
			}
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.CreatePassphrase(ctx, p)
			})
		},
	}, 0, 0)
	cmd.Flags().StringVarP(&pass, "passphrase", "p", "", "the passphrase (default: asked for)")
	return cmd
}

func newEnterPassphrase(a *App) *cobra.Command {
	pass := ""
	cmd := takes(&cobra.Command{
		Use:     "enter-passphrase",
		Aliases: []string{"ep"},
		Short:   "Enter the master passphrase, so that encrypted volumes can be opened and made",
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.given(cmd, "passphrase", pass, "passphrase", false)
			if err != nil {
				return err
			}
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.EnterPassphrase(ctx, p)
			})
		},
	}, 0, 0)
	cmd.Flags().StringVarP(&pass, "passphrase", "p", "", "the passphrase (default: asked for)")
	return cmd
}

func newModifyPassphrase(a *App) *cobra.Command {
	old, pass := "", ""
	cmd := takes(&cobra.Command{
		Use:     "modify-passphrase",
		Aliases: []string{"mp"},
		Short:   "Change the master passphrase",
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.given(cmd, "old-passphrase", old, "old passphrase", false)
			if err != nil {
				return err
			}
			p, err := a.given(cmd, "new-passphrase", pass, "new passphrase", true)
			if err != nil {
				return err
			}
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.ModifyPassphrase(ctx, o, p)
			})
		},
	}, 0, 0)
	cmd.Flags().StringVar(&old, "old-passphrase", "", "the passphrase as it is (default: asked for)")
	cmd.Flags().StringVar(&pass, "new-passphrase", "", "the passphrase as it is to be (default: asked for)")
	return cmd
}

func newEncryptionStatus(a *App) *cobra.Command {
	return takes(&cobra.Command{
		Use:     "status",
		Aliases: []string{"s"},
		Short:   "Show whether a master passphrase is set, and whether it was entered since the controller started",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			s, err := c.Passphrase(cmd.Context())
			if err != nil {
				return a.failed(err)
			}
			if a.opt.machine {
				return a.jsonLine(s)
			}
			return a.println("Master passphrase: " + s.Status)
		},
	}, 0, 0)
}

func newModifyVolumePassphrase(a *App) *cobra.Command {
	return takes(&cobra.Command{
		Use:     "modify-passphrase RESOURCE VOLUME_NR [NEW_PASSPHRASE]",
		Aliases: []string{"mp"},
		Short:   "Change the passphrase of an encrypted volume (without one it is asked for)",
		RunE: func(cmd *cobra.Command, args []string) error {
			nr, err := volumeNumber(args[1])
			if err != nil {
				return err
			}
			pass := ""
			if len(args) > 2 {
				pass = args[2]
			} else if pass, err = a.ask("new passphrase", true); err != nil {
				return err
			}
			return a.watched(cmd.Context(), watchResources(args[0]), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.ModifyVolumePassphrase(ctx, args[0], nr, pass)
			})
		},
	}, 2, 3)
}
