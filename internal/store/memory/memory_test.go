package memory_test

import (
	"context"
	"errors"
	"testing"

	"holdfast/internal/store"
	"holdfast/internal/store/memory"
	"holdfast/internal/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (store.Backend, func() store.Backend) {
		b := memory.New("c1")
		return b, func() store.Backend { b = b.Reopen(); return b }
	})
}

var ctx = context.Background()

func put(id int64, data string) store.Change {
	return store.Change{ID: id, Kind: store.KindNode, Data: []byte(data)}
}

// mustBase fails the test unless the store is at revision base with n records.
func mustBase(t *testing.T, b *memory.Backend, base uint64, n int) {
	t.Helper()
	st, err := b.Load(ctx)
	if err != nil || st.Base != base || len(st.Records) != n {
		t.Fatalf("revision %d with %d records (%v), want %d with %d", st.Base, len(st.Records), err, base, n)
	}
}

func TestFailNext(t *testing.T) {
	b := memory.New("")
	mine := errors.New("mine")
	b.FailNext(mine)
	if _, err := b.Commit(ctx, 1, 0, []store.Change{put(1, "a")}); !errors.Is(err, mine) {
		t.Fatal(err)
	}
	mustBase(t, b, 0, 0)
	if _, err := b.Commit(ctx, 1, 0, []store.Change{put(1, "a")}); err != nil {
		t.Fatal(err)
	}
}

func TestUnknownNext(t *testing.T) {
	for _, stored := range []bool{false, true} {
		b := memory.New("")
		b.UnknownNext(stored)
		_, err := b.Commit(ctx, 1, 0, []store.Change{put(1, "a")})
		if !errors.Is(err, store.ErrOutcomeUnknown) || !errors.Is(err, memory.ErrFault) {
			t.Fatal(err)
		}
		if _, err := b.Commit(ctx, 1, 0, nil); !errors.Is(err, store.ErrNeedsLoad) {
			t.Fatalf("commit before the load: %v", err)
		}
		n := 0
		if stored {
			n = 1
		}
		mustBase(t, b, uint64(n), n)
		if _, err := b.Commit(ctx, 1, uint64(n), nil); err != nil {
			t.Fatal(err)
		}
		mustBase(t, b.Reopen(), uint64(n)+1, n)
	}
}

func TestLoseNext(t *testing.T) {
	b := memory.New("")
	b.PassNext()
	b.LoseNext()
	for i := range 2 {
		if _, err := b.Commit(ctx, 1, uint64(i), []store.Change{put(int64(i+1), "a")}); err != nil {
			t.Fatal(err)
		}
	}
	mustBase(t, b, 2, 2)
	b = b.Reopen()
	mustBase(t, b, 1, 1)
}

func TestVolatile(t *testing.T) {
	b := memory.New("")
	b.SetVolatile(true)
	for i := range 3 {
		if _, err := b.Commit(ctx, 1, uint64(i), []store.Change{put(int64(i+1), "a")}); err != nil {
			t.Fatal(err)
		}
	}
	mustBase(t, b.Reopen(), 0, 0)

	b = memory.New("")
	b.SetVolatile(true)
	if _, err := b.Commit(ctx, 1, 0, []store.Change{put(1, "a")}); err != nil {
		t.Fatal(err)
	}
	b.SetVolatile(false)
	if _, err := b.Commit(ctx, 1, 1, []store.Change{put(2, "b")}); err != nil {
		t.Fatal(err)
	}
	mustBase(t, b.Reopen(), 2, 2)
}

func TestTearNext(t *testing.T) {
	b := memory.New("")
	b.TearNext(1)
	if _, err := b.Commit(ctx, 1, 0, []store.Change{put(1, "a"), put(2, "b")}); !errors.Is(err, store.ErrOutcomeUnknown) {
		t.Fatal(err)
	}
	mustBase(t, b.Reopen(), 1, 1)
}

func TestFailNextLoad(t *testing.T) {
	b := memory.New("")
	b.FailNextLoad(store.ErrCorrupt)
	if _, err := b.Load(ctx); !errors.Is(err, store.ErrCorrupt) {
		t.Fatal(err)
	}
	mustBase(t, b, 0, 0)
}
