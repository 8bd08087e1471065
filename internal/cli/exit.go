package cli

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"
)

// Exit codes, as LINSTOR's client has them.
const (
	ExitOK       = 0
	ExitError    = 1
	ExitUsage    = 2
	ExitNotFound = 3
	ExitAPI      = 10
	ExitConnect  = 20
	ExitTimeout  = 21
)

// exitError ends the program with a code. Without err everything has been said already.
type exitError struct {
	code  int
	err   error
	usage string
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usagef is a mistake in the command line.
func usagef(cmd *cobra.Command, format string, args ...any) error {
	e := &exitError{code: ExitUsage, err: fmt.Errorf(format, args...)}
	if cmd != nil {
		e.usage = "Usage: " + cmd.UseLine() + "\nTry '" + cmd.CommandPath() + " --help'."
	}
	return e
}

// notFoundf is an object that the controller's list doesn't have.
func notFoundf(format string, args ...any) error {
	return &exitError{code: ExitNotFound, err: fmt.Errorf(format, args...)}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &ne) && ne.Timeout()
}
