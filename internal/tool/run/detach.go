package run

import (
	"fmt"
	"os/exec"
	"syscall"
)

// Detach starts a program in a session of its own and doesn't wait for it: it outlives us.
func Detach(argv []string) error {
	path, err := lookup(argv[0])
	if err != nil {
		return err
	}
	cmd := &exec.Cmd{Path: path, Args: argv, Env: environ(), Dir: "/", SysProcAttr: &syscall.SysProcAttr{Setsid: true}}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", argv[0], err)
	}
	return cmd.Process.Release()
}
