package sim

import "testing"

// TestTutorial: without faults and with few events all becomes as desired.
func TestTutorial(t *testing.T) {
	for seed := uint64(1); seed <= 3; seed++ {
		if f := Run(seed, Config{Calm: true, Events: 2}); f != nil {
			t.Errorf("%v", f)
		}
	}
}
