// Writer appends to a file, a block and an fdatasync at a time, until SIGTERM, and tells the longest pause between two
// writes: what a user of a volume would feel. SIGUSR1 begins another phase, which is told apart. It runs in a lab machine.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Result is printed as JSON when it ends.
type Result struct {
	Phases []Phase `json:"phases"`
	Error  string  `json:"error,omitempty"`
}

// Phase is what was written until the next one began.
type Phase struct {
	Writes  int     `json:"writes"`
	Seconds float64 `json:"seconds"`
	Longest float64 `json:"longest_ms"` // pause between two writes, the last of the phase before included
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: writer FILE")
		os.Exit(2)
	}
	told := make(chan os.Signal, 8)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGUSR1)
	r := write(os.Args[1], told)
	_ = json.NewEncoder(os.Stdout).Encode(r)
	if r.Error != "" {
		os.Exit(1)
	}
}

func write(path string, told <-chan os.Signal) (r Result) {
	fail := func(err error) Result {
		r.Error = err.Error()
		return r
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fail(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	begin := time.Now()
	last := begin
	r.Phases = []Phase{{}}
	for n := 0; ; n++ {
		select {
		case s := <-told:
			if s == syscall.SIGTERM {
				return r
			}
			r.Phases = append(r.Phases, Phase{})
			begin = last
		default:
		}
		p := &r.Phases[len(r.Phases)-1]
		copy(block, fmt.Sprintf("%d %s\n", n, time.Now().Format(time.RFC3339Nano)))
		if _, err = f.WriteAt(block, int64(n%1024)*4096); err == nil {
			err = syscall.Fdatasync(int(f.Fd()))
		}
		if err != nil {
			return fail(err)
		}
		now := time.Now()
		p.Longest = max(p.Longest, float64(now.Sub(last).Microseconds())/1000)
		p.Writes++
		p.Seconds = now.Sub(begin).Seconds()
		last = now
	}
}
