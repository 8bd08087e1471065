package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"holdfast/client"
	"holdfast/internal/cli/ui"
)

// Streams is what a command line reads and writes.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
	// OutTTY and ErrTTY tell whether Out and Err are terminals.
	OutTTY, ErrTTY bool
	// Width is the terminal's width in characters; 0 means 80.
	Width int
}

// Config is what an App needs from the world around it.
type Config struct {
	// Prog is the name the program was called by: "holdfast" or "linstor".
	Prog    string
	Version string
	Streams Streams
	// Env is the environment, as os.Environ gives it.
	Env []string
	// FS is the file system from its root, for configuration files; nil means none.
	FS fs.FS
	// Now is the clock.
	Now func() time.Time
	// Password asks on the terminal for a text that isn't shown; nil: there is no terminal.
	Password func(prompt string) (string, error)
	// Sleep waits for d or until ctx ends, and returns ctx's error then.
	Sleep func(ctx context.Context, d time.Duration) error
	// Inhibit takes a lock against a shutdown of this machine, in mode block or delay; nil: that can't be had.
	Inhibit func(ctx context.Context, mode, why string) (Lock, error)
}

// App is the command line.
type App struct {
	cfg    Config
	env    map[string]string
	opt    globals
	extra  []*cobra.Command
	client *client.Client
	style  ui.Style
}

// New makes a command line. Commands in extra become top-level commands beside the built-in ones: "controller" is merged,
// see newRoot.
func New(cfg Config, extra ...*cobra.Command) *App {
	if cfg.Prog == "" {
		cfg.Prog = "holdfast"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Sleep == nil {
		cfg.Sleep = sleep
	}
	if cfg.Streams.Width <= 0 {
		cfg.Streams.Width = 80
	}
	a := &App{cfg: cfg, env: environ(cfg.Env), extra: extra}
	return a
}

// Run executes one command line (without the program's name) and returns the exit code.
func (a *App) Run(ctx context.Context, args []string) int {
	root := newRoot(a)
	err := a.execute(ctx, root, args)
	return a.exit(err)
}

func (a *App) execute(ctx context.Context, root *cobra.Command, args []string) error {
	root.SetIn(a.cfg.Streams.In)
	root.SetOut(a.cfg.Streams.Out)
	root.SetErr(a.cfg.Streams.Err)
	if isExtra(root, args) {
		// A daemon must start whatever a client's configuration says.
		root.SetArgs(args)
		return root.ExecuteContext(ctx)
	}
	files, err := readConfig(a.cfg.FS, a.env["HOME"], args)
	if err != nil {
		return err
	}
	lead, err := leadingArgs(root, files, a.env)
	if err != nil {
		return err
	}
	full, err := expand(root, append(lead, args...), files)
	if err != nil {
		return err
	}
	root.SetArgs(full)
	return root.ExecuteContext(ctx)
}

// exit reports err and turns it into an exit code.
func (a *App) exit(err error) int {
	if err == nil {
		return ExitOK
	}
	code := ExitError
	var e *exitError
	var api *client.APIError
	switch {
	case errors.As(err, &e):
		if e.err == nil {
			return e.code
		}
		code = e.code
	case errors.As(err, &api):
		code = ExitAPI
	case errors.Is(err, client.ErrConnect):
		code = ExitConnect
	case isTimeout(err):
		code = ExitTimeout
	case errors.Is(err, context.Canceled):
		err = errors.New("interrupted; what was sent to the controller may still be carried out")
	}
	fmt.Fprintf(a.cfg.Streams.Err, "Error: %v\n", err)
	if code == ExitConnect {
		fmt.Fprintln(a.cfg.Streams.Err, "  Is a controller running? Name it with --controllers HOST[:PORT],... or LS_CONTROLLERS.")
	}
	if e != nil && e.usage != "" {
		fmt.Fprintln(a.cfg.Streams.Err, e.usage)
	}
	return code
}

func (a *App) out() io.Writer { return a.cfg.Streams.Out }

// style for output with or without --pastable.
func (a *App) styleFor(pastable bool) ui.Style {
	if pastable {
		return a.style.Pastable()
	}
	return a.style
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func environ(list []string) map[string]string {
	m := make(map[string]string, len(list))
	for _, kv := range list {
		for i := range kv {
			if kv[i] == '=' {
				m[kv[:i]] = kv[i+1:]
				break
			}
		}
	}
	return m
}
