// Holdfast is one program: the controller, the satellite and the command line. Called by the name "linstor" it is the same
// command line.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"holdfast/internal/cli"
	"holdfast/internal/tool/inhibit"
	"holdfast/internal/tool/run"
)

// version is set at build time: -ldflags "-X main.version=...".
var version = "dev"

func main() {
	if v, ok := linstorVersion(os.Args); ok {
		fmt.Print(v)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	width, _, _ := term.GetSize(int(os.Stderr.Fd()))
	app := cli.New(cli.Config{
		Prog:     prog(os.Args[0]),
		Password: password(),
		Version:  version,
		Streams: cli.Streams{
			In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
			OutTTY: term.IsTerminal(int(os.Stdout.Fd())), ErrTTY: term.IsTerminal(int(os.Stderr.Fd())),
			Width: width,
		},
		Env: os.Environ(),
		FS:  os.DirFS("/"),
		Inhibit: func(ctx context.Context, mode, why string) (cli.Lock, error) {
			return inhibit.Shutdown(ctx, run.OS{}, mode, why)
		},
	}, commands()...)
	code := app.Run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// password asks on the terminal; nil without one.
func password() func(string) (string, error) {
	in := int(os.Stdin.Fd())
	if !term.IsTerminal(in) {
		return nil
	}
	return func(prompt string) (string, error) {
		fmt.Fprint(os.Stderr, prompt)
		b, err := term.ReadPassword(in)
		fmt.Fprintln(os.Stderr)
		return string(b), err
	}
}
