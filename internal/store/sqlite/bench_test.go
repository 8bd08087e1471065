package sqlite_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"holdfast/internal/store"
	"holdfast/internal/store/sqlite"
)

// BenchmarkCommit measures commits of one command (a new record of 3 KiB) at 1 client, and of whatever 32 clients have
// waiting at once, as the controller's writer batches them. It prints the disk's fsync latency beside it.
func BenchmarkCommit(b *testing.B) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 3<<10/16)
	for _, clients := range []int{1, 32} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			dir := b.TempDir()
			d, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(dir, "controller.db")})
			if err != nil {
				b.Fatal(err)
			}
			defer d.Close()
			queue := make(chan chan struct{}, clients)
			var left sync.WaitGroup
			todo := make(chan struct{}, b.N)
			for range b.N {
				todo <- struct{}{}
			}
			close(todo)
			b.ResetTimer()
			for range clients {
				left.Go(func() {
					for range todo {
						done := make(chan struct{})
						queue <- done
						<-done
					}
				})
			}
			go func() { left.Wait(); close(queue) }()
			base, id := uint64(0), int64(0)
			for first := range queue {
				waiting := []chan struct{}{first}
				for len(waiting) < clients && len(queue) > 0 {
					waiting = append(waiting, <-queue)
				}
				changes := make([]store.Change, len(waiting))
				for i := range changes {
					id++
					changes[i] = store.Change{ID: id, Kind: store.KindResourceDefinition, Data: data}
				}
				if base, err = d.Commit(ctx, 1, base, changes); err != nil {
					b.Fatal(err)
				}
				for _, w := range waiting {
					close(w)
				}
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commands/s")
			b.ReportMetric(float64(b.N)/float64(base), "commands/commit")
			b.ReportMetric(float64(fsyncMedian(b, dir).Microseconds()), "fsync-µs")
		})
	}
}

// BenchmarkLoad reads 10,000 records of 3 KiB.
func BenchmarkLoad(b *testing.B) {
	const records = 10_000
	path := filepath.Join(b.TempDir(), "controller.db")
	d, err := sqlite.Open(ctx, sqlite.Options{Path: path})
	if err != nil {
		b.Fatal(err)
	}
	data := bytes.Repeat([]byte("0123456789abcdef"), 3<<10/16)
	changes := make([]store.Change, records)
	for i := range changes {
		changes[i] = store.Change{ID: int64(i + 1), Kind: store.KindResourceDefinition, Data: data}
	}
	if _, err := d.Commit(ctx, 1, 0, changes); err != nil {
		b.Fatal(err)
	}
	d.Close()
	for b.Loop() {
		d, err := sqlite.Open(ctx, sqlite.Options{Path: path})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		if _, err := d.LoadEach(ctx, func(r []store.Record) error { n += len(r); return nil }); err != nil || n != records {
			b.Fatal(n, err)
		}
		d.Close()
	}
}

func fsyncMedian(b *testing.B, dir string) time.Duration {
	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	took := make([]time.Duration, 101)
	for i := range took {
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return took[len(took)/2]
}
