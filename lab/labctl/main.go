package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// exitLab is labctl's exit code where the lab failed, not the program in the machine.
const exitLab = 125

type command struct {
	name, args, help string
	run              func(ctx context.Context, args []string) error
}

func commands() []command {
	return []command{
		{"up", "[-n 2] [-disks 2] [-size MiB] [-mem MiB] [-cpus 1] [-net tap|dgram] [-cold]", "bring up a lab and leave it running", up},
		{"cluster", "[flags of up]", "the same with Holdfast running in it", withHoldfast},
		{"down", "", "end it", down},
		{"ps", "", "list machines, cuts and forwards", ps},
		{"exec", "[-t 2m] NODE PROGRAM [ARG...]", "run a program; stdin goes along unless it is a terminal", execute},
		{"sh", "[-t 2m] NODE [SCRIPT]", "run a script with sh; without one: an interactive shell, or the script from stdin", shell},
		{"put", "NODE FILE PATH", "copy a file into a machine", put},
		{"get", "NODE PATH [FILE]", "copy a file out of a machine, or print it", get},
		{"kill", "NODE", "cut a machine's power; unflushed writes may be lost", onNode("kill")},
		{"start", "NODE", "power it on and wait for it", onNode("start")},
		{"freeze", "NODE", "stop a machine's processors", onNode("freeze")},
		{"thaw", "NODE", "let them go on", onNode("thaw")},
		{"link", "NODE up|down", "plug or pull the cable of the data network", link},
		{"cut", "NODE NODE", "silently drop all packets between two machines", pair("cut")},
		{"heal", "[NODE NODE]", "end a cut, or all cuts", heal},
		{"forward", "NODE PORT [LISTEN]", "lead an address of this host to a port of a machine; prints the address", forward},
	}
}

func usage() error {
	var s strings.Builder
	s.WriteString("usage:\n")
	for _, c := range commands() {
		fmt.Fprintf(&s, "  labctl %-8s %-40s %s\n", c.name, c.args, c.help)
	}
	return errors.New(strings.TrimRight(s.String(), "\n"))
}

// exitCode ends labctl with a program's code.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit %d", int(e)) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	var code exitCode
	switch {
	case err == nil:
	case errors.As(err, &code):
		os.Exit(int(code))
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "labctl:", err)
		os.Exit(exitLab)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return usage()
	}
	if args[0] == "serve" { // what up starts
		return serve(ctx, args[1:])
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, args[1:])
		}
	}
	return usage()
}
