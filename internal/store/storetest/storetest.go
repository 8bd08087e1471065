package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"holdfast/internal/store"
)

// Open gives a new, empty store, and a function that ends it as a crash would and opens what is left.
type Open func(t *testing.T) (b store.Backend, reopen func() store.Backend)

// Run runs the suite.
func Run(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, store.Backend, func() store.Backend)
	}{
		{"a new store is empty", testEmpty},
		{"what is committed is loaded, before and after a crash", testReload},
		{"a commit is all or nothing", testAtomic},
		{"an older epoch is refused, a newer one kept", testEpoch},
		{"another revision is refused", testConflict},
		{"deleted is gone, and its id isn't given again", testDelete},
		{"changes of one commit apply in order", testOrder},
		{"a record keeps its kind", testKind},
		{"unknown kinds are kept", testUnknownKind},
		{"large commits and large records", testLarge},
		{"records come ordered by id, in batches too", testSorted},
		{"what the caller does with its bytes later doesn't matter", testAlias},
		{"a cancelled context stores nothing", testCancelled},
		{"a closed store refuses", testClosed},
		{"racing writers: one wins each revision", testRace},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, reopen := open(t)
			c.run(t, b, reopen)
		})
	}
}

var ctx = context.Background()

func put(id int64, data string) store.Change {
	return store.Change{ID: id, Kind: store.KindNode, Data: []byte(data)}
}

func del(id int64) store.Change { return store.Change{ID: id, Kind: store.KindNode} }

func rec(id int64, data string) store.Record {
	return store.Record{ID: id, Kind: store.KindNode, Data: []byte(data)}
}

func commit(t *testing.T, b store.Backend, epoch, base uint64, changes ...store.Change) {
	t.Helper()
	n, err := b.Commit(ctx, epoch, base, changes)
	if err != nil {
		t.Fatalf("commit at epoch %d base %d: %v", epoch, base, err)
	}
	if n != base+1 {
		t.Fatalf("commit at base %d returned revision %d", base, n)
	}
}

func refused(t *testing.T, b store.Backend, want error, epoch, base uint64, changes ...store.Change) {
	t.Helper()
	if _, err := b.Commit(ctx, epoch, base, changes); !errors.Is(err, want) {
		t.Fatalf("commit at epoch %d base %d: got %v, want %v", epoch, base, err, want)
	}
}

func load(t *testing.T, b store.Backend) store.State {
	t.Helper()
	st, err := b.Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// holds compares the store's content, as Load and as LoadEach give it.
func holds(t *testing.T, b store.Backend, epoch, base uint64, nextID int64, want ...store.Record) {
	t.Helper()
	st := load(t, b)
	w := store.State{Schema: store.Schema, Epoch: epoch, Base: base, NextID: nextID, Records: want}
	opts := cmp.Options{cmpopts.EquateEmpty(), cmpopts.IgnoreFields(store.State{}, "Cluster", "WrittenBy")}
	if d := cmp.Diff(w, st, opts); d != "" {
		t.Fatalf("loaded (-want +got):\n%s", d)
	}
	for _, r := range st.Records {
		if r.Data == nil {
			t.Fatalf("record %d has nil data", r.ID)
		}
	}
	each, err := store.LoadEach(ctx, b, func(r []store.Record) error {
		w.Records = w.Records[len(r):]
		return nil
	})
	if err != nil || len(w.Records) != 0 {
		t.Fatalf("streamed: %v, %d records missing", err, len(w.Records))
	}
	st.Records = nil
	if d := cmp.Diff(st, each); d != "" {
		t.Fatalf("streamed (-loaded +streamed):\n%s", d)
	}
}

func testEmpty(t *testing.T, b store.Backend, reopen func() store.Backend) {
	holds(t, b, 0, 0, 1)
	holds(t, reopen(), 0, 0, 1)
}

func testReload(t *testing.T, b store.Backend, reopen func() store.Backend) {
	commit(t, b, 1, 0, put(1, "one"), put(2, ""), put(3, "\x00\xff"))
	commit(t, b, 1, 1, put(1, "uno"), put(7, "seven"))
	want := []store.Record{rec(1, "uno"), rec(2, ""), rec(3, "\x00\xff"), rec(7, "seven")}
	holds(t, b, 1, 2, 8, want...)
	b = reopen()
	holds(t, b, 1, 2, 8, want...)
	commit(t, b, 2, 2, put(8, "eight"))
	holds(t, reopen(), 2, 3, 9, append(want, rec(8, "eight"))...)
}

func testAtomic(t *testing.T, b store.Backend, reopen func() store.Backend) {
	commit(t, b, 1, 0, put(1, "one"), put(2, "two"))
	refused(t, b, store.ErrBadChange, 9, 1, put(1, "changed"), del(2), put(3, "new"), store.Change{ID: 0, Kind: store.KindNode})
	refused(t, b, store.ErrBadChange, 9, 1, put(1, "changed"), del(2), put(3, "new"), store.Change{ID: 4})
	refused(t, b, store.ErrBadChange, 9, 1, put(1, "changed"), del(2), put(3, "new"),
		store.Change{ID: 1, Kind: store.KindSecret, Data: []byte("x")})
	refused(t, b, store.ErrBadChange, 9, 1, put(math.MaxInt64, "too large"))
	holds(t, b, 1, 1, 3, rec(1, "one"), rec(2, "two"))
	b = reopen()
	holds(t, b, 1, 1, 3, rec(1, "one"), rec(2, "two"))
	commit(t, b, 1, 1, put(3, "three"))
}

func testEpoch(t *testing.T, b store.Backend, reopen func() store.Backend) {
	commit(t, b, 5, 0)
	holds(t, b, 5, 1, 1)
	refused(t, b, store.ErrStaleEpoch, 4, 1, put(1, "late"))
	refused(t, b, store.ErrStaleEpoch, 4, 77, put(1, "late")) // the epoch is what it has to hear first
	commit(t, b, 5, 1, put(1, "same"))
	commit(t, b, 9, 2, put(2, "newer"))
	refused(t, b, store.ErrStaleEpoch, 5, 3, put(3, "late"))
	b = reopen()
	refused(t, b, store.ErrStaleEpoch, 8, 3, put(3, "late"))
	holds(t, b, 9, 3, 3, rec(1, "same"), rec(2, "newer"))
}

func testConflict(t *testing.T, b store.Backend, reopen func() store.Backend) {
	commit(t, b, 1, 0, put(1, "one"))
	for _, base := range []uint64{0, 2, 100} {
		refused(t, b, store.ErrConflict, 1, base, put(2, "two"))
		refused(t, b, store.ErrConflict, 2, base, put(2, "two")) // a newer epoch doesn't help, and isn't kept
	}
	holds(t, reopen(), 1, 1, 2, rec(1, "one"))
}

func testDelete(t *testing.T, b store.Backend, reopen func() store.Backend) {
	commit(t, b, 1, 0, put(1, "one"), put(2, "two"), put(3, "three"))
	commit(t, b, 1, 1, del(1), del(3), del(3), del(4))
	holds(t, b, 1, 2, 5, rec(2, "two"))
	refused(t, b, store.ErrBadChange, 1, 2, put(1, "again"))
	refused(t, b, store.ErrBadChange, 1, 2, put(3, "again"))
	b = reopen()
	refused(t, b, store.ErrBadChange, 1, 2, put(3, "again"))
	refused(t, b, store.ErrBadChange, 1, 2, put(4, "never stored, but named"))
	commit(t, b, 1, 2, del(2))
	holds(t, reopen(), 1, 3, 5)
}

func testOrder(t *testing.T, b store.Backend, reopen func() store.Backend) {
	commit(t, b, 1, 0, put(2, "b"), put(1, "a"), put(2, "bb"), put(3, "c"), del(3), put(4, "d"), del(4), put(4, "dd"))
	holds(t, b, 1, 1, 5, rec(1, "a"), rec(2, "bb"), rec(4, "dd"))
	commit(t, b, 1, 1, del(4), put(1, "aa"), put(1, "aaa"))
	holds(t, reopen(), 1, 2, 5, rec(1, "aaa"), rec(2, "bb"))
}

func testKind(t *testing.T, b store.Backend, reopen func() store.Backend) {
	commit(t, b, 1, 0, put(1, "one"))
	refused(t, b, store.ErrBadChange, 1, 1, store.Change{ID: 1, Kind: store.KindSecret, Data: []byte("x")})
	refused(t, b, store.ErrBadChange, 1, 1, store.Change{ID: 1, Kind: store.KindSecret})
	refused(t, b, store.ErrBadChange, 1, 1, put(2, "two"), store.Change{ID: 2, Kind: store.KindSecret, Data: []byte("x")})
	holds(t, reopen(), 1, 1, 2, rec(1, "one"))
}

func testUnknownKind(t *testing.T, b store.Backend, reopen func() store.Backend) {
	commit(t, b, 1, 0, store.Change{ID: 1, Kind: 255, Data: []byte("newer")})
	holds(t, reopen(), 1, 1, 2, store.Record{ID: 1, Kind: 255, Data: []byte("newer")})
}

func testLarge(t *testing.T, b store.Backend, reopen func() store.Backend) {
	const n = 3000
	changes := make([]store.Change, 0, n+1)
	for i := range n {
		changes = append(changes, store.Change{ID: int64(i + 1), Kind: store.KindResourceDefinition,
			Data: bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 512)})
	}
	changes = append(changes, store.Change{ID: n + 1, Kind: store.KindCluster, Data: make([]byte, 5<<20)})
	commit(t, b, 1, 0, changes...)
	st := load(t, reopen())
	if len(st.Records) != len(changes) {
		t.Fatalf("%d records, want %d", len(st.Records), len(changes))
	}
	for i, r := range st.Records {
		if r.ID != changes[i].ID || r.Kind != changes[i].Kind || !bytes.Equal(r.Data, changes[i].Data) {
			t.Fatalf("record %d differs", r.ID)
		}
	}
}

func testSorted(t *testing.T, b store.Backend, _ func() store.Backend) {
	var changes []store.Change
	for i := int64(2000); i > 0; i-- {
		changes = append(changes, put(i, fmt.Sprint(i)))
	}
	commit(t, b, 1, 0, changes...)
	last, n := int64(0), 0
	st, err := store.LoadEach(ctx, b, func(batch []store.Record) error {
		for _, r := range batch {
			if r.ID <= last || string(r.Data) != fmt.Sprint(r.ID) {
				return fmt.Errorf("record %d (%q) after %d", r.ID, r.Data, last)
			}
			last = r.ID
			n++
		}
		return nil
	})
	if err != nil || n != len(changes) || st.Base != 1 || st.Records != nil {
		t.Fatalf("%d records, base %d, %v", n, st.Base, err)
	}
	stop := errors.New("stop")
	if _, err := store.LoadEach(ctx, b, func([]store.Record) error { return stop }); !errors.Is(err, stop) {
		t.Fatalf("the callee's error: %v", err)
	}
	commit(t, b, 1, 1, put(2001, "usable afterwards"))
}

func testAlias(t *testing.T, b store.Backend, reopen func() store.Backend) {
	c := put(1, "mine")
	commit(t, b, 1, 0, c)
	copy(c.Data, "XXXX")
	holds(t, b, 1, 1, 2, rec(1, "mine"))
	holds(t, reopen(), 1, 1, 2, rec(1, "mine"))
}

func testCancelled(t *testing.T, b store.Backend, reopen func() store.Backend) {
	commit(t, b, 1, 0, put(1, "one"))
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := b.Commit(done, 2, 1, []store.Change{put(2, "two")}); !errors.Is(err, context.Canceled) {
		t.Fatalf("commit: %v", err)
	} else if errors.Is(err, store.ErrOutcomeUnknown) {
		t.Fatalf("commit: %v, though nothing began", err)
	}
	if _, err := b.Load(done); !errors.Is(err, context.Canceled) {
		t.Fatalf("load: %v", err)
	}
	holds(t, b, 1, 1, 2, rec(1, "one"))
	b = reopen()
	holds(t, b, 1, 1, 2, rec(1, "one"))
	commit(t, b, 1, 1, put(2, "two"))
}

func testClosed(t *testing.T, b store.Backend, reopen func() store.Backend) {
	commit(t, b, 1, 0, put(1, "one"))
	for range 2 {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, b, store.ErrClosed, 1, 1, put(2, "two"))
	if _, err := b.Load(ctx); !errors.Is(err, store.ErrClosed) {
		t.Fatalf("load: %v", err)
	}
	holds(t, reopen(), 1, 1, 2, rec(1, "one"))
}

func testRace(t *testing.T, b store.Backend, reopen func() store.Backend) {
	const writers, rounds = 4, 25
	won := make([]int, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for base := uint64(0); base < rounds; base++ {
				_, err := b.Commit(ctx, 1, base, []store.Change{put(int64(base)+1, fmt.Sprint(w))})
				if err == nil {
					won[w]++
				} else if !errors.Is(err, store.ErrConflict) {
					t.Errorf("writer %d: %v", w, err)
				}
				for { // wait for the round to be won by anybody
					st, err := b.Load(ctx)
					if err != nil {
						t.Errorf("writer %d: %v", w, err)
						return
					}
					if st.Base > base {
						break
					}
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range won {
		total += n
	}
	st := load(t, reopen())
	if total != rounds || st.Base != rounds || len(st.Records) != rounds {
		t.Fatalf("%d commits won, revision %d, %d records, want %d", total, st.Base, len(st.Records), rounds)
	}
}
