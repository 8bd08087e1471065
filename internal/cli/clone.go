package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
)

type definitionClone struct {
	app      *App
	source   string
	request  api.ResourceDefinitionCloneRequest
	layers   string
	zfs      bool
	noWait   bool
	timeoutS int
}

func newDefinitionClone(a *App) *cobra.Command {
	o := definitionClone{app: a}
	cmd := takes(&cobra.Command{
		Use:     "clone RESOURCE [CLONE]",
		Aliases: []string{"cln"},
		Short:   "Make a new resource with the data that another has now, which may be in use",
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.source = args[0]; len(args) > 1 {
				o.request.Name = args[1]
			}
			return o.run(cmd)
		},
	}, 1, 2)
	f := cmd.Flags()
	f.StringVarP(&o.request.ExternalName, "external-name", "e", "", "a name of any characters, in place of CLONE")
	f.StringVarP(&o.layers, "layer-list", "l", "", "comma-separated layers, top first; the source's are the only possible ones")
	f.StringVar(&o.request.ResourceGroup, "resource-group", "", "resource group that the clone belongs to (default: the source's)")
	alias(cmd, "resource-group", "rsc-grp")
	f.BoolVar(&o.zfs, "use-zfs-clone", false, "LINSTOR's option; Holdfast always clones in a zpool")
	manyVar(cmd, &o.request.VolumePassphrases, "volume-passphrase", "", "LINSTOR's option; a clone opens with the source's passphrases")
	f.BoolVar(&o.noWait, "no-wait", false, "don't wait until the clone is complete")
	f.IntVar(&o.timeoutS, "wait-timeout", 0, "give up waiting after so many seconds; the cloning goes on")
	return cmd
}

func (o *definitionClone) run(cmd *cobra.Command) error {
	if o.request.Name == "" && o.request.ExternalName == "" {
		return usagef(cmd, "a name for the clone or --external-name is needed")
	}
	var err error
	if o.request.LayerList, err = layers(o.layers); err != nil {
		return usagef(cmd, "%w", err)
	}
	if o.zfs {
		yes := api.Bool(true)
		o.request.UseZfsClone = &yes
	}
	name := ""
	err = o.app.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
		started, err := c.CloneResourceDefinition(ctx, o.source, o.request)
		name = started.CloneName
		return started.Messages, err
	})
	if err != nil || name == "" || o.noWait || o.app.opt.curl {
		return err
	}
	return o.wait(cmd.Context(), name)
}

// wait until the clone is complete.
func (o *definitionClone) wait(ctx context.Context, name string) error {
	a := o.app
	c, err := a.api()
	if err != nil {
		return err
	}
	say := func(format string, args ...any) {
		if !a.opt.machine {
			fmt.Fprintf(a.out(), format+"\n", args...)
		}
	}
	if o.timeoutS > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(o.timeoutS)*time.Second)
		defer cancel()
	}
	say("Waiting for cloning to complete...")
	tty := a.cfg.Streams.ErrTTY && !a.opt.machine
	line := statusLine{w: a.cfg.Streams.Err, width: a.cfg.Streams.Width}
	defer line.clear()
	for {
		st, err := c.CloneStatus(ctx, o.source, name)
		if h := st.Holdfast; tty && err == nil && h != nil && st.Status == api.CloneRunning && h.Waiting != "" {
			line.set(name + ": " + h.Waiting)
		} else {
			line.clear()
		}
		switch {
		case err != nil && ctx.Err() != nil:
			return &exitError{code: ExitTimeout, err: fmt.Errorf("%s is not cloned yet; the cloning goes on by itself", name)}
		case err != nil:
			return a.failed(err)
		case st.Status == api.CloneComplete:
			say("Completed cloning %s.", name)
			return nil
		case st.Status == api.CloneFailed:
			why := "the controller names no reason"
			if h := st.Holdfast; h != nil && len(h.Reasons) > 0 {
				why = h.Reasons[0].Message + " " + h.Reasons[0].Correction
			}
			return &exitError{code: ExitAPI, err: errors.New("cloning failed: " + why)}
		}
		if err := a.cfg.Sleep(ctx, pollInterval); err != nil {
			return &exitError{code: ExitTimeout, err: fmt.Errorf("%s is not cloned yet; the cloning goes on by itself", name)}
		}
	}
}
