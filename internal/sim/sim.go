package sim

import (
	"fmt"
	"io"
	"runtime/debug"
	"strings"
)

// Config of a run. The zero value is everything, by the seed.
type Config struct {
	Break  Break     // a mistake to put in
	Calm   bool      // no faults
	Events int       // of users and faults; 0: 20 to 90, by the seed
	Trace  io.Writer // gets a readable trace, if not nil

	scene *scene // plays this instead, if not nil
}

// Failure is a broken invariant.
type Failure struct {
	Seed      uint64
	Event     int // of the scheduler, from 1
	Invariant string
	Text      string
}

func (f *Failure) Error() string {
	return fmt.Sprintf("seed %d, event %d: %s: %s", f.Seed, f.Event, f.Invariant, f.Text)
}

// Run plays one seed, and gives the first broken invariant, or nil.
func Run(seed uint64, cfg Config) *Failure { return Play(seed, cfg).Failure }

// Played is a seed that was played.
type Played struct {
	Failure *Failure
	Hash    uint64         // of all that happened; only with Config.Trace
	Steps   int            // of the scheduler
	Seconds float64        // of model time
	Reasons map[string]int // at the end, of replicas that are not as desired
}

// Play plays one seed.
func Play(seed uint64, cfg Config) Played {
	w := newWorld(seed, cfg)
	w.guarded()
	return Played{Failure: w.failure, Hash: w.hash, Steps: w.step, Seconds: w.now.Sub(w.start).Seconds(), Reasons: w.reasons}
}

// guarded plays, and takes a panic for a broken invariant.
func (w *world) guarded() {
	defer func() {
		if p := recover(); p != nil {
			w.failure = nil
			w.broken("panic", "%v\n%s", p, debug.Stack())
		}
	}()
	if w.cfg.scene != nil {
		w.cfg.scene.play(w)
		return
	}
	w.play()
}

// Explain is the trace of a seed as text, with its failure at the end.
func Explain(seed uint64, cfg Config) string {
	var b strings.Builder
	cfg.Trace = &b
	if f := Run(seed, cfg); f != nil {
		fmt.Fprintln(&b, f)
	}
	return b.String()
}
