package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

// look asks the controller what is being waited for; an empty answer means that nothing is known.
type look func(context.Context, *client.Client) string

// How long a request may take before a status line appears, and how often the line is renewed.
const (
	statusDelay  = 700 * time.Millisecond
	pollInterval = time.Second
)

// watched sends requests as changes does and, on a terminal, shows meanwhile what they wait for.
func (a *App) watched(ctx context.Context, what look, list ...change) error {
	if !a.cfg.Streams.ErrTTY || a.opt.machine || a.opt.curl {
		return a.changes(ctx, list...)
	}
	c, err := a.api()
	if err != nil {
		return err
	}
	for i, f := range list {
		list[i] = func(ctx context.Context, _ *client.Client) (api.ApiCallRcList, error) {
			stop := a.startStatus(ctx, c, what)
			defer stop()
			return f(ctx, c)
		}
	}
	return a.changes(ctx, list...)
}

// startStatus shows a status line on standard error until the returned function is called, which waits for its end.
func (a *App) startStatus(ctx context.Context, c *client.Client, what look) func() {
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Add(1)
	go func() {
		defer done.Done()
		line := statusLine{w: a.cfg.Streams.Err, width: a.cfg.Streams.Width}
		defer line.clear()
		begin := a.cfg.Now()
		for wait := statusDelay; a.cfg.Sleep(ctx, wait) == nil; wait = pollInterval {
			text := what(ctx, c)
			if ctx.Err() != nil {
				return
			}
			if text == "" {
				text = "waiting for the nodes to report"
			}
			line.set(text + " (" + ui.FormatDuration(a.cfg.Now().Sub(begin)) + ")")
		}
	}()
	return func() { cancel(); done.Wait() }
}

// statusLine is one line of a terminal that is written over and over.
type statusLine struct {
	w     io.Writer
	width int
	shown bool
}

func (l *statusLine) set(text string) {
	fmt.Fprintf(l.w, "\r\x1b[K%s", ui.Fit(text, l.width-1))
	l.shown = true
}

// raw shows text that fits already.
func (l *statusLine) raw(text string) {
	fmt.Fprintf(l.w, "\r\x1b[K%s", text)
	l.shown = true
}

func (l *statusLine) clear() {
	if l.shown {
		fmt.Fprint(l.w, "\r\x1b[K")
		l.shown = false
	}
}

// watchNode says what a node waits for.
func watchNode(name string) look {
	return func(ctx context.Context, c *client.Client) string {
		n, err := findNode(ctx, c, name)
		if err != nil || n == nil {
			return ""
		}
		if n.Holdfast != nil {
			if s := statusText(&n.Holdfast.Status); s != "" {
				return n.Name + ": " + s
			}
		}
		if n.ConnectionStatus != api.ConnOnline && n.ConnectionStatus != "" {
			return n.Name + ": " + strings.ToLower(string(n.ConnectionStatus))
		}
		return ""
	}
}

// watchResources says what the resources of definitions wait for.
func watchResources(names ...string) look {
	return func(ctx context.Context, c *client.Client) string {
		rscs, err := c.ResourceView(ctx, client.Filter{Resources: names})
		if err != nil {
			return ""
		}
		return resourcesText(rscs)
	}
}

func resourcesText(rscs []api.ResourceWithVolumes) string {
	var parts []string
	for _, r := range rscs {
		s := statusText(r.Holdfast)
		for _, v := range r.Volumes {
			if s == "" {
				s = statusText(v.Holdfast)
			}
		}
		if s == "" && api.HasFlag(r.Flags, api.FlagDelete) {
			s = "deleting"
		}
		if s != "" {
			parts = append(parts, r.NodeName+": "+s)
		}
	}
	return strings.Join(parts, "; ")
}

// statusText is a status in a few words; empty when there is nothing to say.
func statusText(s *api.Status) string {
	switch {
	case s == nil:
		return ""
	case s.Waiting != "":
		return s.Waiting
	case len(s.Reasons) > 0:
		return s.Reasons[0].Message
	case s.Condition == "ok" || s.Condition == "":
		return ""
	}
	return s.Condition
}

func msDuration(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }
