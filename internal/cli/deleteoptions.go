package cli

import (
	"github.com/spf13/cobra"

	"holdfast/client"
)

// waitOptions are the options of commands that wait for nodes.
type waitOptions struct {
	async bool
}

func (o *waitOptions) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.async, "async", false, "answer once the change is stored, without waiting for nodes")
}

func (o *waitOptions) options() []client.ChangeOption {
	if o.async {
		return []client.ChangeOption{client.Async()}
	}
	return nil
}

// deleteOptions are the options of commands that remove data.
type deleteOptions struct {
	waitOptions
	lose string
	plan bool
}

func (o *deleteOptions) flags(cmd *cobra.Command) {
	o.waitOptions.flags(cmd)
	cmd.Flags().BoolVar(&o.plan, "plan", false, "say what would be done, the bytes to copy and the copies left meanwhile, and do nothing")
	cmd.Flags().StringVar(&o.lose, "lose", "", "really remove the last good copy of this resource definition; its data is gone then")
}

func (o *deleteOptions) options() []client.ChangeOption {
	opts := o.waitOptions.options()
	if o.lose != "" {
		opts = append(opts, client.Lose(o.lose))
	}
	if o.plan {
		opts = append(opts, client.Plan())
	}
	return opts
}
