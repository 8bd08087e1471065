package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

// drbdKind is the type of a DRBD option.
type drbdKind int

const (
	drbdString drbdKind = iota
	drbdBool
	drbdNumber
	drbdWord
	drbdNumberOrWord
)

// drbdOption is one row of DRBD's option table.
type drbdOption struct {
	section, name string
	kind          drbdKind
	min, max      int64
	words         []string
	def           string
	// bytes is the unit that a number is stored in, for options that take sizes.
	bytes string
	unit  string
}

// flag is the option's name on the command line.
func (o drbdOption) flag() string {
	switch {
	case o.section == "Handlers":
		return "handler-" + o.name
	case o.name == "timeout": // a global option has this name
		return "drbd-timeout"
	}
	return o.name
}

// key is the property that holds the option.
func (o drbdOption) key() string { return "DrbdOptions/" + o.section + "/" + o.name }

// value checks what was typed and returns what is stored.
func (o drbdOption) value(s string) (string, error) {
	switch o.kind {
	case drbdBool:
		if v := strings.ToLower(s); v == "yes" || v == "no" {
			return v, nil
		}
		return "", fmt.Errorf("%q is not yes or no", s)
	case drbdWord:
		if slices.Contains(o.words, s) {
			return s, nil
		}
		return "", fmt.Errorf("%q is not one of %s", s, strings.Join(o.words, ", "))
	case drbdNumberOrWord:
		if slices.Contains(o.words, s) {
			return s, nil
		}
		return o.number(s)
	case drbdNumber:
		return o.number(s)
	default:
		return s, nil
	}
}

func (o drbdOption) number(s string) (string, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if o.bytes != "" && (err != nil || o.bytes == "B") {
		n, err = ui.ParseBytes(s, o.bytes)
	} else if o.bytes != "" {
		// Without a unit LINSTOR's client takes bytes.
		n, err = ui.ParseBytes(s+"B", o.bytes)
	}
	if err != nil {
		return "", fmt.Errorf("%q is not a number", s)
	}
	if n < o.min || n > o.max {
		return "", fmt.Errorf("%s is %d, outside %d-%d", s, n, o.min, o.max)
	}
	return strconv.FormatInt(n, 10), nil
}

func (o drbdOption) help() string {
	var parts []string
	switch o.kind {
	case drbdBool:
		parts = append(parts, "yes or no")
	case drbdWord:
		parts = append(parts, strings.Join(o.words, ", "))
	case drbdNumberOrWord:
		parts = append(parts, fmt.Sprintf("%d-%d, %s", o.min, o.max, strings.Join(o.words, ", ")))
	case drbdNumber:
		p := fmt.Sprintf("%d-%d", o.min, o.max)
		if o.bytes != "" {
			p += fmt.Sprintf(" (in %s; give bytes, or a size with its unit)", o.bytes)
		} else if o.unit != "" {
			p += " (" + strings.TrimPrefix(o.unit, "1 ") + ")"
		}
		parts = append(parts, p)
	default:
		parts = append(parts, "text")
	}
	if o.def != "" {
		parts = append(parts, "default "+o.def)
	}
	return strings.Join(parts, "; ")
}

// newDrbdOptions makes the drbd-options command of an object, with --OPTION and --unset-OPTION for each DRBD option that may
// be set on it.
func newDrbdOptions(a *App, o owner) *cobra.Command {
	n := o.args()
	type choice struct {
		opt   drbdOption
		value string
		unset bool
	}
	var all []*choice
	cmd := takes(&cobra.Command{
		Use:     strings.TrimSpace("drbd-options "+o.use) + " [--OPTION VALUE | --unset-OPTION]...",
		Aliases: []string{"opt"},
		Short:   "Set DRBD options of a " + o.noun,
	}, n, n)
	if o.peer {
		cmd.Use, cmd.Aliases = strings.Replace(cmd.Use, "drbd-options", "drbd-peer-options", 1), []string{"popt"}
	}
	for _, opt := range drbdOptions {
		if !slices.Contains(o.sections, opt.section) {
			continue
		}
		ch := &choice{opt: opt}
		all = append(all, ch)
		cmd.Flags().StringVar(&ch.value, opt.flag(), "", opt.help())
		cmd.Flags().BoolVar(&ch.unset, "unset-"+opt.flag(), false, "")
		cmd.Flags().Lookup("unset-" + opt.flag()).Hidden = true
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		m := api.PropsModify{}
		for _, ch := range all {
			set := cmd.Flags().Changed(ch.opt.flag())
			switch {
			case set && ch.unset:
				return usagef(cmd, "--%s and --unset-%s exclude each other", ch.opt.flag(), ch.opt.flag())
			case set:
				v, err := ch.opt.value(ch.value)
				if err != nil {
					return usagef(cmd, "--%s: %w", ch.opt.flag(), err)
				}
				if m.OverrideProps == nil {
					m.OverrideProps = api.Props{}
				}
				m.OverrideProps[ch.opt.key()] = v
			case ch.unset:
				m.DeleteProps = append(m.DeleteProps, ch.opt.key())
			}
		}
		if m.OverrideProps == nil && m.DeleteProps == nil {
			return usagef(cmd, "no option is given")
		}
		return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
			return o.set(ctx, c, args, m)
		})
	}
	return cmd
}
