package sim

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// TestMatrix is the crash matrix: each operation, on DRBD 8.4 and 9, with the controller, each satellite and each node's power
// dying after every single step. With HOLDFAST_MATRIX=1 all of it; else every so many steps (HOLDFAST_MATRIX=n: every nth),
// which are other ones for each operation.
func TestMatrix(t *testing.T) {
	stride := 23
	if v := os.Getenv("HOLDFAST_MATRIX"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			t.Fatalf("HOLDFAST_MATRIX is %q", v)
		}
		stride = n
	} else if os.Getenv("HOLDFAST_SEEDS") == "" {
		stride = 100 // as quick as the other tests
	}
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	start := time.Now()
	cells := make(chan Scene)
	var mu sync.Mutex
	var broken []string
	played := 0
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for s := range cells {
				p, _ := PlayScene(s, Config{})
				mu.Lock()
				played++
				if p.Failure != nil {
					broken = append(broken, fmt.Sprintf("%s: %v", s, p.Failure))
				}
				mu.Unlock()
			}
		})
	}
	phase := 0
	for _, drbd := range []int{8, 9} {
		for _, op := range Operations(drbd) {
			calm := Scene{Operation: op, DRBD: drbd, Seed: 1}
			p, length := PlayScene(calm, Config{})
			if p.Failure != nil {
				t.Errorf("%s: %v", calm, p.Failure)
				continue
			}
			for _, who := range sortedKeys(length) {
				for _, power := range []bool{false, true} {
					if power && who == ctlDeath {
						continue
					}
					phase++
					for at := 1 + phase%stride; at <= length[who]; at += stride {
						s := calm
						s.Cut = Cut{Who: who, Power: power, At: at}
						cells <- s
					}
				}
			}
		}
	}
	close(cells)
	wg.Wait()
	slices.Sort(broken)
	for i, b := range broken {
		if i == 30 {
			t.Errorf("and %d more", len(broken)-i)
			break
		}
		t.Error(b)
	}
	t.Logf("%d cells in %.0f s", played, time.Since(start).Seconds())
}
