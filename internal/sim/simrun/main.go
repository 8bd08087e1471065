// Command simrun plays seeds of the simulator: many, with one line as the result, or one with its trace.
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"holdfast/internal/sim"
)

func main() {
	seeds := flag.String("seeds", "", "play the seeds `A..B`")
	seed := flag.Uint64("seed", 0, "play this one and print its trace")
	brk := flag.String("break", "", "put a mistake in: "+names())
	calm := flag.Bool("calm", false, "without faults")
	why := flag.Bool("reasons", false, "print why replicas are not as desired at the end, with counts")
	op := flag.String("op", "", "play this `operation` of the crash matrix and print its trace; \"list\" lists them")
	gen := flag.Int("drbd", 9, "with -op: DRBD's generation, 8 or 9")
	cut := flag.String("cut", "", "with -op: who dies after which step: controller:7, alpha:7 (its satellite), alpha!7 (its power)")
	flag.Parse()
	cfg := sim.Config{Break: sim.Break(*brk), Calm: *calm}
	switch {
	case *op != "":
		os.Exit(scene(*op, *gen, *cut, max(*seed, 1), cfg))
	case *seed != 0:
		os.Exit(one(*seed, cfg))
	case *seeds != "":
		a, b, err := span(*seeds)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		os.Exit(many(a, b, cfg, *why))
	}
	flag.Usage()
	os.Exit(2)
}

func span(s string) (a, b uint64, err error) {
	from, to, ok := strings.Cut(s, "..")
	if !ok {
		to = from
	}
	if a, err = strconv.ParseUint(from, 10, 64); err == nil {
		b, err = strconv.ParseUint(to, 10, 64)
	}
	if err != nil || b < a {
		return 0, 0, fmt.Errorf("seeds are given as 1..3000, not %q", s)
	}
	return a, b, nil
}

func one(seed uint64, cfg sim.Config) int {
	cfg.Trace = os.Stdout
	p := sim.Play(seed, cfg)
	if p.Failure != nil {
		fmt.Println(p.Failure)
		return 1
	}
	fmt.Printf("seed %d: nothing broken in %d events, %.0f s of model time\n", seed, p.Steps, p.Seconds)
	return 0
}

// scene plays a cell of the crash matrix.
func scene(op string, gen int, cut string, seed uint64, cfg sim.Config) int {
	if op == "list" {
		fmt.Println(strings.Join(sim.Operations(gen), "\n"))
		return 0
	}
	s := sim.Scene{Operation: op, DRBD: gen, Seed: seed}
	if i := strings.IndexAny(cut, ":!"); i > 0 {
		at, err := strconv.Atoi(cut[i+1:])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
		s.Cut = sim.Cut{Who: cut[:i], Power: cut[i] == '!', At: at}
	}
	cfg.Trace = os.Stdout
	p, length := sim.PlayScene(s, cfg)
	fmt.Printf("%s: steps and effects %v\n", s, length)
	if p.Failure != nil {
		fmt.Println(p.Failure)
		return 1
	}
	return 0
}

func many(a, b uint64, cfg sim.Config, why bool) int {
	debug.SetGCPercent(800) // little is live at a time
	start := time.Now()
	var next atomic.Uint64
	next.Store(a)
	var mu sync.Mutex
	var failures []*sim.Failure
	steps, reasons := 0, map[string]int{}
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				s := next.Add(1) - 1
				if s > b {
					return
				}
				p := sim.Play(s, cfg)
				mu.Lock()
				steps += p.Steps
				for r, n := range p.Reasons {
					reasons[r] += n
				}
				if p.Failure != nil {
					failures = append(failures, p.Failure)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	slices.SortFunc(failures, func(x, y *sim.Failure) int {
		if x.Seed < y.Seed {
			return -1
		}
		return 1
	})
	for _, f := range failures {
		fmt.Println(f)
	}
	if why {
		for _, r := range slices.SortedFunc(maps.Keys(reasons), func(x, y string) int { return reasons[y] - reasons[x] }) {
			fmt.Printf("%6d  %s\n", reasons[r], r)
		}
	}
	n := b - a + 1
	took := time.Since(start)
	fmt.Printf("%d seeds, %d failed, %d events, %.1f s, %.1f seeds/s\n", n, len(failures), steps, took.Seconds(), float64(n)/took.Seconds())
	if len(failures) > 0 {
		return 1
	}
	return 0
}

func names() string {
	var all []string
	for _, b := range sim.Breaks {
		all = append(all, string(b))
	}
	return strings.Join(all, ", ")
}
