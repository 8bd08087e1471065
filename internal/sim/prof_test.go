package sim

import "testing"

func BenchmarkSeeds(b *testing.B) {
	for i := range b.N {
		Play(uint64(i+1), Config{})
	}
}
