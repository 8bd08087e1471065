package sim

import (
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// each plays seeds from 1 on every core until f says that it is enough or the last was played.
func each(last uint64, cfg Config, f func(uint64, Played) bool) {
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // little is live at a time
	var next atomic.Uint64
	var enough atomic.Bool
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for !enough.Load() {
				s := next.Add(1)
				if s > last {
					return
				}
				if !f(s, Play(s, cfg)) {
					enough.Store(true)
				}
			}
		})
	}
	wg.Wait()
}

// TestSeeds plays the fixed seeds: 3,000 in `make test` (HOLDFAST_SEEDS), a few else. No invariant may break.
func TestSeeds(t *testing.T) {
	last := uint64(60)
	if v := os.Getenv("HOLDFAST_SEEDS"); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		last = n
	}
	start := time.Now()
	var events atomic.Int64
	var mu sync.Mutex
	var broken []*Failure
	each(last, Config{}, func(_ uint64, p Played) bool {
		events.Add(int64(p.Steps))
		if p.Failure != nil {
			mu.Lock()
			defer mu.Unlock()
			broken = append(broken, p.Failure)
		}
		return true
	})
	for _, f := range broken {
		t.Errorf("%v\nreplay: make sim SEED=%d", f, f.Seed)
	}
	took := time.Since(start).Seconds()
	t.Logf("%d seeds, %d events in %.0f s: %.0f seeds/s", last, events.Load(), took, float64(last)/took)
}

// finds says by which invariants a mistake is to be found, where others are near too; any, for the others.
var finds = map[Break][]string{NodeIDAgain: {"I3"}, LeaseAlone: {"I6"}, LateSkip: {"I1", "I2"}, MetadataAnew: {"I8"}, PlacedOutside: {"I3"}, DropUnguarded: {"I1", "I2"}}

// TestBroken: each mistake that is put in is found within 500 seeds.
func TestBroken(t *testing.T) {
	for _, b := range Breaks {
		t.Run(string(b), func(t *testing.T) {
			var mu sync.Mutex
			var found *Failure
			each(500, Config{Break: b}, func(_ uint64, p Played) bool {
				if p.Failure == nil || finds[b] != nil && !slices.Contains(finds[b], p.Failure.Invariant) || Run(p.Failure.Seed, Config{}) != nil { // nothing, or not because of the mistake
					return true
				}
				mu.Lock()
				defer mu.Unlock()
				if found == nil || p.Failure.Seed < found.Seed {
					found = p.Failure
				}
				return false
			})
			if found == nil {
				t.Fatal("500 seeds didn't find it")
			}
			t.Logf("found: %v", found)
		})
	}
}

// TestReplay: the same seed is the same history, to the last event.
func TestReplay(t *testing.T) {
	for seed := uint64(1); seed <= 5; seed++ {
		a, b := Play(seed, Config{Trace: io.Discard}), Play(seed, Config{Trace: io.Discard})
		if a.Hash != b.Hash || a.Steps != b.Steps || a.Hash == 0 {
			t.Errorf("seed %d: %x after %d events, then %x after %d", seed, a.Hash, a.Steps, b.Hash, b.Steps)
		}
	}
}
