package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

// change is one changing request.
type change func(context.Context, *client.Client) (api.ApiCallRcList, error)

// changes sends requests one after the other and prints their replies together; it goes on after a refusal, and stops when
// the controller can't be reached.
func (a *App) changes(ctx context.Context, list ...change) error {
	c, err := a.api()
	if err != nil {
		return err
	}
	var all api.ApiCallRcList
	for _, f := range list {
		var rcs api.ApiCallRcList
		if rcs, err = client.Replies(f(ctx, c)); errors.Is(err, errCurl) {
			continue // each is printed
		} else if err != nil {
			break
		}
		all = append(all, rcs...)
	}
	if errors.Is(err, errCurl) {
		return nil
	}
	a.sayEndpoint(c)
	if err == nil {
		return a.replies(all)
	}
	if len(all) > 0 { // say what was done before the connection went away
		_ = a.replies(all)
	}
	return a.quiet(err)
}

// quiet turns the end of a --curl run into success.
func (a *App) quiet(err error) error {
	if errors.Is(err, errCurl) {
		return nil
	}
	return err
}

// replies prints entries and returns an error for the exit code: one that is an error, or with --warn-as-error a warning.
// With --machine-readable the exit code is 0, as with LINSTOR's client.
func (a *App) replies(rcs api.ApiCallRcList) error {
	if a.opt.machine {
		if rcs == nil {
			rcs = api.ApiCallRcList{}
		}
		if a.opt.firstFormat() {
			return ui.JSON(a.out(), firstReplies(rcs))
		}
		return ui.JSON(a.out(), rcs)
	}
	for _, rc := range rcs {
		if err := ui.Message(a.out(), a.style, rc); err != nil {
			return err
		}
	}
	if rcs.HasError() || a.opt.warnAsError && rcs.HasWarning() {
		return &exitError{code: ExitAPI}
	}
	return nil
}

// failed reports the error of a read: a refusal as replies, everything else as it is.
func (a *App) failed(err error) error {
	if rcs, other := client.Replies(nil, err); other == nil && err != nil {
		return a.replies(rcs)
	}
	return a.quiet(err)
}

func (a *App) sayEndpoint(c *client.Client) {
	if a.opt.verbose && !a.opt.machine {
		fmt.Fprintf(a.out(), "Connected to %s\n", c.Endpoint())
	}
}

// list reads something and draws it, or with --machine-readable prints it as it came. From a file when one is named.
func list[T any](ctx context.Context, a *App, file string, fetch func(context.Context, *client.Client) (T, error), draw func(io.Writer, T) error) error {
	var v T
	var raw json.RawMessage
	if file != "" {
		b, err := a.readFile(file)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(b, &v); err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
		raw = b
	} else {
		c, err := a.api()
		if err != nil {
			return err
		}
		if v, err = fetch(client.WithRaw(ctx, &raw), c); err != nil {
			return a.failed(err)
		}
		a.sayEndpoint(c)
	}
	if a.opt.machine {
		if a.opt.firstFormat() {
			if old, ok := firstFormat(v, raw); ok {
				return ui.JSON(a.out(), old)
			}
		}
		return ui.RawList(a.out(), raw)
	}
	return draw(a.out(), v)
}
