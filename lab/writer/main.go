// Writer appends to a file, a block and an fdatasync at a time, until SIGTERM, and tells the longest pause between two
// writes: what a user of a volume would feel. It runs in a lab machine.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Result is printed as JSON when it ends. Times are milliseconds.
type Result struct {
	Writes   int     `json:"writes"`
	Seconds  float64 `json:"seconds"`
	Longest  float64 `json:"longest_ms"`
	LongestA float64 `json:"longest_at_s"` // seconds after the start
	Error    string  `json:"error,omitempty"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: writer FILE")
		os.Exit(2)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	r := write(os.Args[1], stop)
	_ = json.NewEncoder(os.Stdout).Encode(r)
	if r.Error != "" {
		os.Exit(1)
	}
}

func write(path string, stop <-chan os.Signal) (r Result) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		r.Error = err.Error()
		return r
	}
	defer f.Close()
	block := make([]byte, 4096)
	start := time.Now()
	last := start
	for {
		select {
		case <-stop:
			return r
		default:
		}
		copy(block, fmt.Sprintf("%d %s\n", r.Writes, time.Now().Format(time.RFC3339Nano)))
		if _, err = f.WriteAt(block, int64(r.Writes%1024)*4096); err == nil {
			err = syscall.Fdatasync(int(f.Fd()))
		}
		if err != nil {
			r.Error = err.Error()
			return r
		}
		now := time.Now()
		if ms := float64(now.Sub(last).Microseconds()) / 1000; ms > r.Longest {
			r.Longest, r.LongestA = ms, now.Sub(start).Seconds()
		}
		last = now
		r.Writes++
		r.Seconds = now.Sub(start).Seconds()
	}
}
