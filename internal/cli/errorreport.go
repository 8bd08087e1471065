package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

func newErrorReports(a *App) *cobra.Command {
	return group("error-reports", "err", "Reports of things that went wrong",
		newErrorReportList(a), newErrorReportShow(a), newErrorReportDelete(a))
}

type errorReportList struct {
	app            *App
	since, to      string
	nodes, ids     []string
	full, pastable bool
}

func newErrorReportList(a *App) *cobra.Command {
	o := errorReportList{app: a}
	cmd := takes(&cobra.Command{
		Use:     "list",
		Aliases: []string{"l"},
		Short:   "List error reports",
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}, 0, 0)
	f := cmd.Flags()
	f.StringVarP(&o.since, "since", "s", "", "only reports of the last days and hours: 3d10h, 5h")
	f.StringVarP(&o.to, "to", "t", "", "only reports up to this day: 2026-08-30")
	manyVar(cmd, &o.nodes, "nodes", "n", "only these nodes")
	manyVar(cmd, &o.ids, "report-id", "", "only reports whose id begins so")
	f.BoolVarP(&o.full, "full", "f", false, "add columns with place and version")
	f.BoolVarP(&o.pastable, "pastable", "p", false, "plain characters, no colours")
	return cmd
}

func (o *errorReportList) run(cmd *cobra.Command) error {
	q := url.Values{}
	if o.since != "" {
		t, err := sinceTime(o.since, o.app.cfg.Now())
		if err != nil {
			return usagef(cmd, "--since: %w", err)
		}
		q.Set("since", strconv.FormatInt(t.UnixMilli(), 10))
	}
	if o.to != "" {
		t, err := dayTime(o.to)
		if err != nil {
			return usagef(cmd, "--to: %w", err)
		}
		q.Set("to", strconv.FormatInt(t.UnixMilli(), 10))
	}
	if len(o.nodes) > 0 {
		q["node"] = o.nodes
	}
	c, err := o.app.api()
	if err != nil {
		return err
	}
	var raw json.RawMessage
	reports, err := c.ErrorReports(client.WithRaw(cmd.Context(), &raw), q)
	if err != nil {
		return o.app.failed(err)
	}
	if o.app.opt.machine && len(o.ids) == 0 {
		return ui.JSON(o.app.out(), raw)
	}
	kept := []api.ErrorReport{}
	for _, r := range reports {
		if len(o.ids) == 0 || hasPrefixOf(reportID(r), o.ids) {
			kept = append(kept, r)
		}
	}
	if o.app.opt.machine {
		return ui.JSON(o.app.out(), kept)
	}
	return errorReportTable(kept, o.full).Write(o.app.out(), o.app.styleFor(o.pastable))
}

func hasPrefixOf(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func errorReportTable(list []api.ErrorReport, full bool) *ui.Table {
	t := &ui.Table{Columns: []ui.Column{{Name: "Id"}, {Name: "Datetime"}, {Name: "Node"}, {Name: "Exception"}}}
	if full {
		t.Columns = append(t.Columns, ui.Column{Name: "Location"}, ui.Column{Name: "Version"})
	}
	for _, r := range list {
		node := r.NodeName
		if r.Module != "" {
			node = r.Module[:1] + "|" + node
		}
		what := r.Exception
		if m := []rune(r.ExceptionMessage); len(m) >= 60 {
			what += ": " + string(m[:57]) + "..."
		} else if len(m) > 0 {
			what += ": " + string(m)
		}
		row := ui.Texts(reportID(r), localTime(r.ErrorTime), node, what)
		if full {
			place := ""
			if r.OriginFile != "" {
				place = fmt.Sprintf("%s:%d", r.OriginFile, r.OriginLine)
			}
			row = append(row, ui.Text(place), ui.Text(r.Version))
		}
		t.Add(row...)
	}
	return t
}

func reportID(r api.ErrorReport) string {
	return strings.TrimSuffix(strings.TrimPrefix(r.Filename, "ErrorReport-"), ".log")
}

func newErrorReportShow(a *App) *cobra.Command {
	return takes(&cobra.Command{
		Use:     "show ID...",
		Aliases: []string{"s"},
		Short:   "Show error reports",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			all := []api.ErrorReport{}
			for _, id := range args {
				list, err := c.ErrorReport(cmd.Context(), id)
				if err != nil {
					return a.failed(err)
				}
				if len(list) == 0 {
					return notFoundf("there is no error report %q", id)
				}
				all = append(all, list...)
			}
			if a.opt.machine {
				return ui.JSON(a.out(), all)
			}
			for _, r := range all {
				if err := a.println(r.Text); err != nil {
					return err
				}
			}
			return nil
		},
	}, 1, -1)
}

func newErrorReportDelete(a *App) *cobra.Command {
	var nodes []string
	var since, to, exception string
	cmd := takes(&cobra.Command{
		Use:     "delete [ID...]",
		Aliases: []string{"d"},
		Short:   "Delete error reports",
		RunE: func(cmd *cobra.Command, args []string) error {
			d := api.ErrorReportDelete{Nodes: nodes, Exception: exception, IDs: args}
			for _, t := range []struct {
				flag, text string
				to         **api.Int
			}{{"since", since, &d.Since}, {"to", to, &d.To}} {
				if t.text == "" {
					continue
				}
				at, err := sinceTime(t.text, a.cfg.Now())
				if err != nil {
					if at, err = dayTime(t.text); err != nil {
						return usagef(cmd, "--%s: %w", t.flag, err)
					}
				}
				*t.to = api.NewInt(at.UnixMilli())
			}
			return a.changes(cmd.Context(), func(ctx context.Context, c *client.Client) (api.ApiCallRcList, error) {
				return c.DeleteErrorReports(ctx, d)
			})
		},
	}, 0, -1)
	manyVar(cmd, &nodes, "nodes", "", "only reports of these nodes")
	cmd.Flags().StringVar(&since, "since", "", "only reports since then: '2026-08-30 13:40:00' or 5d6h ago")
	cmd.Flags().StringVar(&to, "to", "", "only reports up to then")
	cmd.Flags().StringVar(&exception, "exception", "", "only reports of this kind")
	return cmd
}

var sinceForm = regexp.MustCompile(`^(?:(\d+)d)?(?:(\d+)h?)?$`)

// sinceTime reads "1d10h", "3h" or "2d" as a time before now.
func sinceTime(s string, now time.Time) (time.Time, error) {
	m := sinceForm.FindStringSubmatch(s)
	if m == nil || s == "" {
		return time.Time{}, fmt.Errorf("%q is not a time such as 1d10h or 3h", s)
	}
	days, _ := strconv.Atoi("0" + m[1])
	hours, _ := strconv.Atoi("0" + m[2])
	return now.AddDate(0, 0, -days).Add(-time.Duration(hours) * time.Hour), nil
}

// dayTime reads a local date, or date and time; a date alone means its last second.
func dayTime(s string) (time.Time, error) {
	if t, err := time.ParseInLocation("2006-01-02 15:04:05", s, time.Local); err == nil {
		return t, nil
	}
	t, err := time.ParseInLocation("2006-01-02", s, time.Local)
	if err != nil {
		return t, fmt.Errorf("%q is not a date such as 2026-08-30", s)
	}
	return t.Add(24*time.Hour - time.Second), nil
}
