package lab

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"holdfast/lab/agentapi"
)

// DefaultLimit is how long a program may run where the context has no deadline.
const DefaultLimit = 2 * time.Minute

// Agent talks to the agent in one machine.
type Agent struct {
	name string
	dial func(context.Context) (net.Conn, error)
	http *http.Client
}

// NewAgent talks to an agent that dial reaches; name is for error messages.
func NewAgent(name string, dial func(context.Context) (net.Conn, error)) *Agent {
	return &Agent{name: name, dial: dial, http: &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, // a connection does not outlive its machine
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}}}
}

// Command is a program to run in a machine.
type Command struct {
	Argv  []string
	Env   []string // NAME=VALUE, added to the machine's own
	Dir   string   // default /root
	Stdin []byte
}

// Result is how a program ended.
type Result struct {
	Exit     int    // -1 if a signal ended it
	Signal   string // that signal
	Stdout   string
	Stderr   string
	Duration time.Duration // measured in the machine
}

// ExitError is the error of a program that Sh expected to exit with 0.
type ExitError struct {
	Machine string
	Argv    []string
	Result
}

func (e *ExitError) Error() string {
	how := fmt.Sprintf("exit %d", e.Exit)
	if e.Signal != "" {
		how = e.Signal
	}
	return fmt.Sprintf("%s: %s: %s: %s", e.Machine, strings.Join(e.Argv, " "), how, strings.TrimSpace(e.Stderr))
}

// Run runs a program and waits for it. Its time limit is the context's deadline, else DefaultLimit; when it passes, the
// program's process group is killed, and the error is context.DeadlineExceeded, with what was printed till then in the
// result. An exit code other than 0 is no error.
func (a *Agent) Run(ctx context.Context, c Command) (*Result, error) {
	limit := DefaultLimit
	if t, ok := ctx.Deadline(); ok {
		limit = time.Until(t)
	} else {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	// the machine ends it at the limit and still tells; only then do we hang up
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit+10*time.Second)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		if ctx.Err() == context.Canceled {
			cancel()
		}
	})
	defer stop()
	var o agentapi.Outcome
	err := a.call(wait, http.MethodPost, agentapi.PathExec, nil, agentapi.Command{Argv: c.Argv, Env: c.Env, Dir: c.Dir, Stdin: c.Stdin, LimitMS: max(1, limit.Milliseconds())}, &o)
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("%s: run %s: %w", a.name, strings.Join(c.Argv, " "), err)
	}
	r := &Result{Exit: o.Exit, Signal: o.Signal, Stdout: string(o.Stdout), Stderr: string(o.Stderr), Duration: time.Duration(o.DurationMS) * time.Millisecond}
	switch {
	case o.Stuck:
		return r, fmt.Errorf("%s: run %s: %w after %v; it does not die", a.name, strings.Join(c.Argv, " "), context.DeadlineExceeded, limit)
	case o.TimedOut:
		return r, fmt.Errorf("%s: run %s: %w after %v", a.name, strings.Join(c.Argv, " "), context.DeadlineExceeded, limit)
	case o.Failure != "":
		return r, fmt.Errorf("%s: run %s: %s", a.name, strings.Join(c.Argv, " "), o.Failure)
	}
	return r, nil
}

// Exec runs a program, see Run.
func (a *Agent) Exec(ctx context.Context, argv ...string) (*Result, error) {
	return a.Run(ctx, Command{Argv: argv})
}

// Sh runs a script with sh and returns its stdout without the last newline; an exit code other than 0 is an *ExitError.
func (a *Agent) Sh(ctx context.Context, script string) (string, error) {
	argv := []string{"/bin/sh", "-c", script}
	r, err := a.Run(ctx, Command{Argv: argv})
	if err != nil {
		return "", err
	}
	if r.Exit != 0 {
		return r.Stdout, &ExitError{Machine: a.name, Argv: argv[2:], Result: *r}
	}
	return strings.TrimSuffix(r.Stdout, "\n"), nil
}

// Process is a program running in the background of a machine.
type Process struct {
	Pid   int
	agent *Agent
}

// Spawn starts a program in the background; its stdout and stderr are appended to the file log in the machine, if any.
func (a *Agent) Spawn(ctx context.Context, log string, c Command) (*Process, error) {
	var p agentapi.Process
	if err := a.call(ctx, http.MethodPost, agentapi.PathSpawn, nil, agentapi.Command{Argv: c.Argv, Env: c.Env, Dir: c.Dir, Log: log}, &p); err != nil {
		return nil, fmt.Errorf("%s: start %s: %w", a.name, strings.Join(c.Argv, " "), err)
	}
	return &Process{Pid: p.Pid, agent: a}, nil
}

// State tells whether it still runs, else how it ended. After a reboot of the machine it is an error.
func (p *Process) State(ctx context.Context) (agentapi.Process, error) {
	var s agentapi.Process
	err := p.agent.call(ctx, http.MethodGet, agentapi.PathProcess, url.Values{"pid": {strconv.Itoa(p.Pid)}}, nil, &s)
	if err != nil {
		err = fmt.Errorf("%s: look at process %d: %w", p.agent.name, p.Pid, err)
	}
	return s, err
}

// Running tells whether it still runs.
func (p *Process) Running(ctx context.Context) (bool, error) {
	s, err := p.State(ctx)
	return s.Running, err
}

// Signal sends a signal to the process alone.
func (p *Process) Signal(ctx context.Context, s syscall.Signal) error { return p.signal(ctx, s, "0") }

// SignalGroup sends a signal to the process and its children that stayed in its process group.
func (p *Process) SignalGroup(ctx context.Context, s syscall.Signal) error {
	return p.signal(ctx, s, "1")
}

func (p *Process) signal(ctx context.Context, s syscall.Signal, group string) error {
	q := url.Values{"pid": {strconv.Itoa(p.Pid)}, "signal": {strconv.Itoa(int(s))}, "group": {group}}
	if err := p.agent.call(ctx, http.MethodPost, agentapi.PathSignal, q, nil, nil); err != nil {
		return fmt.Errorf("%s: signal process %d: %w", p.agent.name, p.Pid, err)
	}
	return nil
}

// Wait waits until it has ended and tells how.
func (p *Process) Wait(ctx context.Context) (agentapi.Process, error) {
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	for {
		s, err := p.State(ctx)
		if err != nil || !s.Running {
			return s, err
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return s, ctx.Err()
		}
	}
}

// Put copies a file of the host into the machine, with its mode.
func (a *Agent) Put(ctx context.Context, local, remote string) error {
	f, err := os.Open(local)
	if err != nil {
		return err
	}
	defer f.Close()
	i, err := f.Stat()
	if err != nil {
		return err
	}
	return a.PutFrom(ctx, f, remote, i.Mode().Perm())
}

// PutBytes writes a file in the machine.
func (a *Agent) PutBytes(ctx context.Context, b []byte, remote string, mode os.FileMode) error {
	return a.PutFrom(ctx, bytes.NewReader(b), remote, mode)
}

// PutFrom writes a file in the machine: whole under another name, then renamed. It makes the folders above.
func (a *Agent) PutFrom(ctx context.Context, r io.Reader, remote string, mode os.FileMode) error {
	q := url.Values{"path": {remote}, "mode": {strconv.FormatUint(uint64(mode.Perm()), 8)}}
	if err := a.call(ctx, http.MethodPut, agentapi.PathFile, q, r, nil); err != nil {
		return fmt.Errorf("%s: put %s: %w", a.name, remote, err)
	}
	return nil
}

// Get reads a file of the machine. A missing one is os.ErrNotExist.
func (a *Agent) Get(ctx context.Context, remote string) ([]byte, error) {
	var b bytes.Buffer
	if err := a.call(ctx, http.MethodGet, agentapi.PathFile, url.Values{"path": {remote}}, nil, &b); err != nil {
		return nil, fmt.Errorf("%s: get %s: %w", a.name, remote, err)
	}
	return b.Bytes(), nil
}

// call sends in (a reader as it is, anything else as JSON) and decodes the reply into out (a writer: as it is).
func (a *Agent) call(ctx context.Context, method, path string, q url.Values, in, out any) error {
	var body io.Reader
	switch v := in.(type) {
	case nil:
	case io.Reader:
		body = v
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+a.name+path+"?"+q.Encode(), body)
	if err != nil {
		return err
	}
	resp, err := a.http.Do(req)
	if err != nil {
		var u *url.Error // says method and address, which mean nothing here
		if errors.As(err, &u) {
			err = u.Err
		}
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		m, _ := io.ReadAll(resp.Body)
		err := errors.New(strings.TrimSpace(string(m)))
		if resp.StatusCode == http.StatusNotFound {
			err = fmt.Errorf("%w: %w", os.ErrNotExist, err)
		}
		return err
	}
	switch v := out.(type) {
	case nil:
		return nil
	case io.Writer:
		_, err = io.Copy(v, resp.Body)
		return err
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

// Dial connects to a TCP address ("10.77.0.1:3370", "localhost:3370") as seen from inside the machine.
func (a *Agent) Dial(ctx context.Context, address string) (net.Conn, error) {
	c, err := a.dial(ctx)
	if err == nil {
		c, err = Connect(ctx, c, address)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: connect to %s: %w", a.name, address, err)
	}
	return c, nil
}

// Connect asks an HTTP proxy at the other end of c for a way to address (CONNECT). On error c is closed.
func Connect(ctx context.Context, c net.Conn, address string) (net.Conn, error) {
	return upgrade(ctx, c, http.MethodConnect, address)
}

// Terminal opens an interactive shell; rows and cols are the terminal's size, term its type. The connection ends with
// the shell.
func (a *Agent) Terminal(ctx context.Context, rows, cols int, term string) (net.Conn, error) {
	c, err := a.dial(ctx)
	if err == nil {
		q := url.Values{"rows": {strconv.Itoa(rows)}, "cols": {strconv.Itoa(cols)}, "term": {term}}
		c, err = upgrade(ctx, c, http.MethodPost, agentapi.PathTerminal+"?"+q.Encode())
	}
	if err != nil {
		return nil, fmt.Errorf("%s: open terminal: %w", a.name, err)
	}
	return c, nil
}

// upgrade sends a request after whose good answer the connection carries something else.
func upgrade(ctx context.Context, c net.Conn, method, target string) (net.Conn, error) {
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	r := bufio.NewReader(c)
	_, err := fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: lab\r\n\r\n", method, target)
	if err != nil {
		c.Close()
		return nil, err
	}
	resp, err := http.ReadResponse(r, &http.Request{Method: http.MethodConnect}) // nothing after the header is a body
	if err == nil && resp.StatusCode != http.StatusOK {
		m, _ := io.ReadAll(io.LimitReader(r, max(0, resp.ContentLength)))
		err = errors.New(strings.TrimSpace(string(m)))
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return &tunnel{Conn: c, r: r}, nil
}

// tunnel is a connection of which the first bytes may have been read already.
type tunnel struct {
	net.Conn
	r *bufio.Reader
}

func (t *tunnel) Read(p []byte) (int, error) { return t.r.Read(p) }

// CloseWrite tells the far end that nothing more comes.
func (t *tunnel) CloseWrite() error {
	if c, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}
