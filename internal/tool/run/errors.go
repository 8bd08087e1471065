package run

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

var (
	// ErrNotFound: no such program on this machine.
	ErrNotFound = errors.New("no such program")
	// ErrShrink: Truncate was asked to make a file smaller.
	ErrShrink = errors.New("refusing to shrink a file")
	// ErrTooLong: a program printed more than MaxOutput.
	ErrTooLong = errors.New("program printed too much")
	// ErrCrashed: the caller is dead. Only model machines say so, after an
	// injected crash; whoever sees it must stop and do nothing more.
	ErrCrashed = errors.New("crashed")
)

// HungError says that a program didn't end within its deadline. Reaped false
// means that even SIGKILL didn't end it: it's stuck in the kernel, and stays.
type HungError struct {
	Pid    int
	Argv   []string
	After  time.Duration
	Reaped bool
}

func (e *HungError) Error() string {
	s := fmt.Sprintf("%s didn't end within %s", strings.Join(e.Argv, " "), e.After)
	if !e.Reaped {
		s += fmt.Sprintf(" and can't be killed (pid %d)", e.Pid)
	}
	return s
}

// ExitError says that a program ended with a status other than 0. Kind, if
// set, is the sentinel that a tool package read from Stderr.
type ExitError struct {
	Argv   []string
	Exit   int
	Stderr []byte
	Kind   error
}

func (e *ExitError) Error() string {
	s := fmt.Sprintf("%s: exit %d", strings.Join(e.Argv, " "), e.Exit)
	if t := strings.TrimSpace(string(e.Stderr)); t != "" {
		s += ": " + strings.Join(strings.Fields(t), " ")
	}
	return s
}

func (e *ExitError) Unwrap() error { return e.Kind }
