package sim

import "testing"

// TestTutorial: without faults, and with little more than the start, all becomes as desired.
func TestTutorial(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		if f := Run(seed, Config{Calm: true, Events: 2}); f != nil {
			t.Error(f)
		}
	}
}

// TestCalm: what goes wrong without any fault is the easiest to understand.
func TestCalm(t *testing.T) {
	each(60, Config{Calm: true}, func(_ uint64, p Played) bool {
		if p.Failure != nil {
			t.Error(p.Failure)
		}
		return true
	})
}

// BenchmarkSeed says how long a seed takes on one core.
func BenchmarkSeed(b *testing.B) {
	for i := range b.N {
		Run(uint64(i+1), Config{})
	}
}
