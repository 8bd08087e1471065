package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"holdfast/lab"
	"holdfast/lab/cluster"
)

func up(ctx context.Context, args []string) error {
	if _, err := config("up", args); err != nil {
		return err
	}
	if c, err := dial(ctx); err == nil {
		c.Close()
		return errors.New("a lab is up already; labctl down ends it")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	c := exec.Command(self, append([]string{"serve"}, args...)...)
	c.ExtraFiles = []*os.File{w}
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = c.Start()
	w.Close()
	if err != nil {
		return err
	}
	for s := bufio.NewScanner(r); s.Scan(); {
		l := s.Text()
		if l == upLine {
			return ps(ctx, nil)
		}
		if m, failed := strings.CutPrefix(l, "failed: "); failed {
			rest, _ := io.ReadAll(r)
			c.Wait()
			return errors.New(strings.TrimSpace(m + "\n" + string(rest)))
		}
		fmt.Fprintln(os.Stderr, l)
	}
	return fmt.Errorf("the process that holds the lab ended: %v", c.Wait())
}

// withHoldfast brings up a lab with Holdfast in it and says how to use it.
func withHoldfast(ctx context.Context, args []string) error {
	if err := up(ctx, append([]string{"-holdfast"}, args...)); err != nil {
		return err
	}
	s, err := asked(ctx)
	if err != nil {
		return err
	}
	var nodes strings.Builder
	for i, m := range s.Machines {
		kind := "Satellite"
		if i == 0 {
			kind = "Combined"
		}
		fmt.Fprintf(&nodes, "  build/linstor node create --node-type %s %s %s\n  build/linstor storage-pool create lvm %[2]s swpool %[4]s\n", kind, m.Name, m.Address, cluster.VG)
	}
	first := s.Machines[0].Name
	fmt.Printf(`
Holdfast runs: a satellite on every machine, the controller on %[1]s. Nothing is registered yet.

  export LS_CONTROLLERS=%[2]s
%[3]s  build/linstor resource-definition create backups
  build/linstor volume-definition create backups 512M
  build/linstor resource create backups --auto-place 2
  build/linstor resource list

  go run ./lab/labctl sh %[1]s     a shell on %[1]s, which has linstor too; the daemons' logs are in /var/log
  go run ./lab/labctl kill %[1]s   cut its power; "start %[1]s" brings it back with Holdfast
  go run ./lab/labctl            what else there is
  make lab-down                  end it
`, first, s.URL, nodes.String())
	return nil
}

func down(ctx context.Context, args []string) error {
	if err := want(args, 0); err != nil {
		return err
	}
	_, err := call(ctx, http.MethodPost, "/down", nil)
	return err
}

func ps(ctx context.Context, args []string) error {
	if err := want(args, 0); err != nil {
		return err
	}
	s, err := asked(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("kernel %s, network %s, held by process %d\n", s.Kernel, s.Network, s.Pid)
	t := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "NODE\tADDRESS\tPID\tDISK\tWRITTEN KiB\tUNFLUSHED KiB\tLOST KiB")
	for _, m := range s.Machines {
		pid := "off"
		if m.Pid != 0 {
			pid = fmt.Sprint(m.Pid)
		}
		for i, d := range m.Disks {
			disk := "root"
			if i > 0 {
				disk = "/dev/vd" + string(rune('a'+i-1))
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%d\t%d\n", m.Name, m.Address, pid, disk, d.Written>>10, d.Unflushed>>10, d.DroppedOverall>>10)
			m.Name, m.Address, pid = "", "", ""
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, c := range s.Cuts {
		fmt.Println("cut:", c[0], c[1])
	}
	for _, f := range s.Forwards {
		fmt.Printf("forward: %s to %s:%d\n", f.Listen, f.Node, f.Port)
	}
	if s.URL != "" {
		fmt.Println("Holdfast's API:", s.URL)
	}
	return nil
}

// asked is the state of the lab, from the process that holds it.
func asked(ctx context.Context) (s state, err error) {
	b, err := call(ctx, http.MethodGet, "/ps", nil)
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	return s, err
}

// want checks the number of arguments.
func want(args []string, n ...int) error {
	for _, n := range n {
		if len(args) == n {
			return nil
		}
	}
	return usage()
}

// limited reads -t and returns the rest of the arguments and a context with that limit.
func limited(ctx context.Context, name string, args []string) (context.Context, context.CancelFunc, []string, error) {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	t := fs.Duration("t", lab.DefaultLimit, "time limit")
	if err := fs.Parse(args); err != nil {
		return nil, nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, *t)
	return ctx, cancel, fs.Args(), nil
}

func execute(ctx context.Context, args []string) error {
	ctx, cancel, args, err := limited(ctx, "exec", args)
	if err != nil {
		return err
	}
	defer cancel()
	if len(args) > 1 && args[1] == "--" {
		args = append(args[:1:1], args[2:]...)
	}
	if len(args) < 2 {
		return usage()
	}
	var stdin []byte
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		if stdin, err = io.ReadAll(os.Stdin); err != nil {
			return err
		}
	}
	return report(agent(args[0]).Run(ctx, lab.Command{Argv: args[1:], Stdin: stdin}))
}

func shell(ctx context.Context, args []string) error {
	ctx, cancel, args, err := limited(ctx, "sh", args)
	if err != nil {
		return err
	}
	defer cancel()
	switch {
	case len(args) == 0:
		return usage()
	case len(args) > 1:
		return report(agent(args[0]).Exec(ctx, "/bin/sh", "-c", strings.Join(args[1:], " ")))
	case term.IsTerminal(int(os.Stdin.Fd())):
		return interactive(context.WithoutCancel(ctx), args[0])
	}
	script, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	return report(agent(args[0]).Run(ctx, lab.Command{Argv: []string{"/bin/sh", "-s"}, Stdin: script}))
}

// report prints what a program printed and makes its exit code labctl's.
func report(r *lab.Result, err error) error {
	if r != nil {
		os.Stdout.WriteString(r.Stdout)
		os.Stderr.WriteString(r.Stderr)
	}
	switch {
	case err != nil:
		return err
	case r.Signal != "":
		return errors.New("ended by signal: " + r.Signal)
	case r.Exit != 0:
		return exitCode(r.Exit)
	}
	return nil
}

func put(ctx context.Context, args []string) error {
	if err := want(args, 3); err != nil {
		return err
	}
	return agent(args[0]).Put(ctx, args[1], args[2])
}

func get(ctx context.Context, args []string) error {
	if err := want(args, 2, 3); err != nil {
		return err
	}
	b, err := agent(args[0]).Get(ctx, args[1])
	if err != nil {
		return err
	}
	if len(args) == 3 {
		return os.WriteFile(args[2], b, 0o644)
	}
	_, err = os.Stdout.Write(b)
	return err
}

// onNode is a command that takes one machine.
func onNode(what string) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		if err := want(args, 1); err != nil {
			return err
		}
		start := time.Now()
		_, err := call(ctx, http.MethodPost, "/"+what, url.Values{"node": args})
		if err == nil && what == "start" {
			fmt.Printf("%s is up after %.1fs\n", args[0], time.Since(start).Seconds())
		}
		return err
	}
}

func link(ctx context.Context, args []string) error {
	if len(args) != 2 || args[1] != "up" && args[1] != "down" {
		return usage()
	}
	return onNode("link-"+args[1])(ctx, args[:1])
}

// pair is a command that takes two machines.
func pair(what string) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		if err := want(args, 2); err != nil {
			return err
		}
		_, err := call(ctx, http.MethodPost, "/"+what, url.Values{"a": args[:1], "b": args[1:]})
		return err
	}
}

func heal(ctx context.Context, args []string) error {
	if len(args) == 0 {
		_, err := call(ctx, http.MethodPost, "/heal", nil)
		return err
	}
	return pair("heal")(ctx, args)
}

func forward(ctx context.Context, args []string) error {
	if err := want(args, 2, 3); err != nil {
		return err
	}
	listen := "127.0.0.1:0"
	if len(args) == 3 {
		listen = args[2]
	}
	b, err := call(ctx, http.MethodPost, "/forward", url.Values{"node": args[:1], "port": args[1:2], "listen": {listen}})
	if err == nil {
		os.Stdout.Write(b)
	}
	return err
}
