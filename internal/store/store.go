package store

import (
	"context"
	"fmt"
	"math"
)

// Schema is the number of the layout this program writes. It rises only when an older program could misread the store;
// what older programs can safely ignore doesn't raise it.
const Schema = 1

// Record is one stored object.
type Record struct {
	ID   int64  // > 0, given by the controller, never reused
	Kind Kind   // fixed for the record's life
	Data []byte // never nil; not to be written to
}

// Change puts or deletes one record.
type Change struct {
	ID   int64
	Kind Kind
	Data []byte // the whole new content; nil deletes
}

// Delete reports whether the change removes its record.
func (c Change) Delete() bool { return c.Data == nil }

// State is a store's content at one revision.
type State struct {
	Schema    int
	Cluster   string // identity of the cluster it belongs to; empty if none was given when it was made
	WrittenBy string // version of the program that opened it for writing last
	Epoch     uint64 // highest epoch that has committed
	Base      uint64 // revision: number of commits so far
	NextID    int64  // lowest ID above every ID that any commit has named; 1 in a new store
	Records   []Record
}

// Backend keeps the records. Its methods may be called from any goroutine; calls are done one after the other.
type Backend interface {
	// Load reads the whole store, records ordered by ID. It fails with ErrCorrupt or ErrNewerSchema.
	Load(ctx context.Context) (State, error)

	// Commit applies changes in order, all or none, and returns the new revision, base+1. When it returns nil they
	// are durable. No changes is a valid commit: it stores the epoch.
	//
	// An epoch below the stored one fails with ErrStaleEpoch; a higher one is taken and stored. Then a base that isn't
	// the stored revision fails with ErrConflict. A change that breaks the rules fails with ErrBadChange: an ID or kind
	// of 0, a new record under an ID below NextID, another kind for an ID that exists. To delete what isn't there is
	// no error.
	//
	// With ErrOutcomeUnknown the changes are either all stored or not at all, and only Load can tell; until a Load
	// succeeds, further commits fail with ErrNeedsLoad. After any other error nothing was stored. A context that is done
	// before the commit starts fails it; later it has no effect.
	Commit(ctx context.Context, epoch, base uint64, changes []Change) (newBase uint64, err error)

	// Close releases the store. Calls after it fail with ErrClosed; closing again is no error.
	Close() error
}

// Streamer is implemented by back ends that can hand out their records while they are still reading, so that the caller
// decodes in parallel.
type Streamer interface {
	// LoadEach calls each with batches of records, ordered by ID, one call at a time, and returns the state without
	// its Records. A batch belongs to the callee. The first error of each ends it. If it fails,
	// what was handed out isn't to be used.
	LoadEach(ctx context.Context, each func([]Record) error) (State, error)
}

// Tailer is for back ends whose store other controllers can follow while one writes.
type Tailer interface {
	// Tail calls each with every commit after revision base, in order, until ctx is done or each fails.
	Tail(ctx context.Context, base uint64, each func(base uint64, changes []Change) error) error
}

// Elector is for back ends that can choose which of several controllers writes.
type Elector interface {
	// Campaign blocks until this controller may write, and returns a context that ends when it may no longer.
	Campaign(ctx context.Context, name string) (context.Context, error)
	// Resign gives the right up.
	Resign(ctx context.Context) error
}

// LoadEach streams b's records if b can, and otherwise loads them first; see Streamer.
func LoadEach(ctx context.Context, b Backend, each func([]Record) error) (State, error) {
	if s, ok := b.(Streamer); ok {
		return s.LoadEach(ctx, each)
	}
	st, err := b.Load(ctx)
	if err != nil {
		return State{}, err
	}
	recs := st.Records
	st.Records = nil
	if len(recs) > 0 {
		err = each(recs)
	}
	return st, err
}

// CheckCommit is the part of Commit's rules that needs no look at the store; every back end calls it first.
func CheckCommit(epoch, base uint64, changes []Change) error {
	if epoch > math.MaxInt64 || base >= math.MaxInt64 {
		return fmt.Errorf("%w: epoch %d or base %d is out of range", ErrBadChange, epoch, base)
	}
	for _, c := range changes {
		if c.ID <= 0 || c.ID == math.MaxInt64 {
			return fmt.Errorf("%w: id %d is out of range", ErrBadChange, c.ID)
		}
		if c.Kind == 0 {
			return fmt.Errorf("%w: record %d has no kind", ErrBadChange, c.ID)
		}
	}
	return nil
}
