package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// interactive is a shell on a terminal of the machine.
func interactive(ctx context.Context, node string) error {
	in := int(os.Stdin.Fd())
	cols, rows, err := term.GetSize(in)
	if err != nil {
		return err
	}
	c, err := agent(node).Terminal(ctx, rows, cols, os.Getenv("TERM"))
	if err != nil {
		return err
	}
	defer c.Close()
	old, err := term.MakeRaw(in)
	if err != nil {
		return err
	}
	defer term.Restore(in, old)
	go io.Copy(c, os.Stdin)
	if _, err := io.Copy(os.Stdout, c); err != nil {
		return fmt.Errorf("%s went away: %w", node, err)
	}
	return nil
}
