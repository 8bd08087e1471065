// Shim stands before the programs that a satellite runs in a lab machine, and kills the satellite at each of them once.
// It is called by the program's name from the folder /run/shim/bin, which comes first in the satellite's PATH, and looks
// for the program itself in the other folders. Programs are told apart by their words without names and numbers.
//
// The file /run/shim/when says when it kills: before the program does its work, which then isn't done, while it does it,
// or after; or never. /run/shim/resource has the name of the resource at stake, /run/shim/seen an entry for each program at which it did.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

const home = "/run/shim"

func main() {
	name := filepath.Base(os.Args[0])
	when, err := os.ReadFile(home + "/when")
	if err != nil {
		fail(err)
	}
	at := strings.TrimSpace(string(when))
	if at != "never" && !first(name, os.Args[1:]) {
		at = "never"
	}
	if at == "before" || at == "during" {
		kill()
	}
	if at == "before" {
		os.Exit(1)
	}
	path, err := real(name)
	if err != nil {
		fail(err)
	}
	if at != "after" {
		fail(syscall.Exec(path, append([]string{name}, os.Args[1:]...), os.Environ()))
	}
	cmd := exec.Command(path, os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	_ = cmd.Run() //nolint:errcheck // nobody is left to hear it
	kill()
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "shim:", err)
	os.Exit(1)
}

// real finds the program behind this one.
func real(name string) (string, error) {
	for _, d := range filepath.SplitList(os.Getenv("PATH")) {
		p := filepath.Join(d, name)
		if st, err := os.Stat(p); d != home+"/bin" && err == nil && st.Mode()&0o111 != 0 {
			return p, nil
		}
	}
	return "", fmt.Errorf("no %s in %s", name, os.Getenv("PATH"))
}

var (
	filter = regexp.MustCompile(`--config devices \{[^}]*\} ?`)
	id     = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	number = regexp.MustCompile(`[0-9]+`)
	word   = regexp.MustCompile(`[^A-Za-z-]+`)
)

// first tells whether this program, run by a satellite, wasn't run before. The events that are watched for ever don't
// count.
func first(name string, args []string) bool {
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", os.Getppid()))
	line := strings.Join(args, " ")
	if err != nil || strings.TrimSpace(string(comm)) != "holdfast" || line == "events2 --statistics" {
		return false
	}
	what := name + " " + line
	if res, err := os.ReadFile(home + "/resource"); err == nil {
		what = strings.ReplaceAll(what, strings.TrimSpace(string(res)), "R")
	}
	for _, r := range []*regexp.Regexp{filter, id} {
		what = r.ReplaceAllString(what, "")
	}
	what = word.ReplaceAllString(number.ReplaceAllString(what, "N"), "_")
	return os.Mkdir(filepath.Join(home, "seen", what[:min(len(what), 200)]), 0o755) == nil
}

// kill ends the satellite at once.
func kill() { _ = syscall.Kill(os.Getppid(), syscall.SIGKILL) } //nolint:errcheck // it may be dead already
