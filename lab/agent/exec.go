package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"

	"holdfast/lab/agentapi"
)

// grace is how long a killed program may take to die before it is reported stuck.
const grace = 3 * time.Second

func command(q agentapi.Command) *exec.Cmd {
	c := exec.Command(q.Argv[0], q.Argv[1:]...)
	c.Env = append(os.Environ(), q.Env...)
	c.Dir = q.Dir
	if c.Dir == "" {
		c.Dir = "/root"
	}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return c
}

// outcome tells exit code and signal of a program that was waited for.
func outcome(s *os.ProcessState) (exit int, signal string) {
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return -1, ws.Signal().String()
	}
	return s.ExitCode(), ""
}

func serveExec(w http.ResponseWriter, r *http.Request) {
	q, ok := decode[agentapi.Command](w, r)
	if !ok {
		return
	}
	if len(q.Argv) == 0 {
		http.Error(w, "no argv", http.StatusBadRequest)
		return
	}
	ctx := r.Context()
	if q.LimitMS > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(q.LimitMS)*time.Millisecond)
		defer cancel()
	}
	reply(w, run(ctx, q))
}

func run(ctx context.Context, q agentapi.Command) agentapi.Outcome {
	var stdout, stderr bytes.Buffer
	c := command(q)
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(q.Stdin), &stdout, &stderr
	c.WaitDelay = time.Second // a grandchild that keeps the pipes open does not hold the answer
	start := time.Now()
	res := agentapi.Outcome{}
	if err := c.Start(); err != nil {
		res.Exit, res.Failure = 127, err.Error()
		return res
	}
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		res.TimedOut = true
		syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		select {
		case err = <-done:
		case <-time.After(grace):
			res.Exit, res.Stuck, res.DurationMS = -1, true, time.Since(start).Milliseconds()
			return res // its buffers are still being written: leave them
		}
	}
	res.DurationMS = time.Since(start).Milliseconds()
	res.Stdout, res.Stderr = stdout.Bytes(), stderr.Bytes()
	if c.ProcessState != nil {
		res.Exit, res.Signal = outcome(c.ProcessState)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		res.Failure = err.Error()
	}
	return res
}
