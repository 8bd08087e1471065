package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"holdfast/lab"
	"holdfast/lab/cluster"
)

type demo struct {
	*cluster.Cluster
	start  time.Time
	dev    string // the volume's device
	proven []string
}

var colour = term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("NO_COLOR") == ""

func paint(code, s string) string {
	if !colour {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func red(s string) string   { return paint("1;31", s) }
func green(s string) string { return paint("1;32", s) }
func bold(s string) string  { return paint("1", s) }
func dim(s string) string   { return paint("2", s) }

func (d *demo) title(s string) {
	fmt.Printf("\n%s %s\n", bold("== "+s), dim(fmt.Sprintf("(%.0f s)", time.Since(d.start).Seconds())))
}

func (d *demo) say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// shown is a claim that was just checked.
func (d *demo) shown(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	d.proven = append(d.proven, s)
	fmt.Println(green("✓ ") + s)
}

// linstor types a command line and shows what it prints, which also goes to more.
func (d *demo) linstor(ctx context.Context, line string, more ...io.Writer) error {
	fmt.Println(bold("$ linstor " + line))
	cmd := d.Command(ctx, strings.Fields(line)...)
	cmd.Stdout, cmd.Stderr, cmd.Stdin = os.Stdout, os.Stderr, os.Stdin
	if more != nil { // then it doesn't write to a terminal
		out := io.MultiWriter(append(more, os.Stdout)...)
		cmd.Stdout, cmd.Stderr = out, out
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("linstor %s: %w", line, err)
	}
	return nil
}

// on runs a shell line in a machine and shows it.
func (d *demo) on(ctx context.Context, node, line string) (string, error) {
	fmt.Println(bold(node + "# " + line))
	out, err := d.Machine(node).Sh(ctx, line)
	if out != "" {
		fmt.Println(out)
	}
	return out, err
}

func (d *demo) logs() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, m := range d.Machines {
		for _, what := range []string{"controller", "satellite"} {
			if out := d.logOf(ctx, what, m); out != "" {
				fmt.Fprintf(os.Stderr, "--- %s on %s, last lines:\n%s\n", what, m.Name, tail(out, 15))
			}
		}
		if m.Running() {
			out, err := m.Sh(ctx, "drbdsetup status --verbose; dmesg | tail -n 30")
			fmt.Fprintf(os.Stderr, "--- DRBD on %s: %v\n%s\n", m.Name, err, out)
		}
	}
}

// logOf is what a part of Holdfast said on a machine; "" if it isn't there, or the machine is off.
func (d *demo) logOf(ctx context.Context, what string, m *lab.Machine) string {
	if !m.Running() || what == "controller" && m.Name != "alpha" {
		return ""
	}
	return d.Log(ctx, what, m.Name)
}

func tail(s string, n int) string {
	l := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(l[max(0, len(l)-n):], "\n")
}

func (d *demo) summary() {
	d.title("What was shown")
	for _, s := range d.proven {
		fmt.Println(green("✓ ") + s)
	}
	fmt.Printf("%s\n", dim(fmt.Sprintf("all of it in %.0f s", time.Since(d.start).Seconds())))
}
