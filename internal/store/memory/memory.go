package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"holdfast/internal/store"
)

// Backend is a store.Backend in memory. Make it with New.
type Backend struct {
	mu        sync.Mutex
	now       image // what Load shows
	disk      image // what a crash leaves
	pending   []commit
	faults    faults
	cluster   string
	needsLoad bool
	closed    bool
}

// image is a store's content.
type image struct {
	epoch, base uint64
	nextID      int64
	records     map[int64]store.Record
}

// commit is one accepted commit that isn't on disk yet.
type commit struct {
	epoch, base uint64
	changes     []store.Change
}

// New is an empty store of the named cluster.
func New(cluster string) *Backend {
	return &Backend{
		cluster: cluster,
		now:     image{nextID: 1, records: map[int64]store.Record{}},
		disk:    image{nextID: 1, records: map[int64]store.Record{}},
	}
}

// Load implements store.Backend.
func (b *Backend) Load(ctx context.Context) (store.State, error) {
	if err := ctx.Err(); err != nil {
		return store.State{}, fmt.Errorf("load store: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return store.State{}, fmt.Errorf("load store: %w", store.ErrClosed)
	}
	if err := b.faults.load; err != nil {
		b.faults.load = nil
		return store.State{}, fmt.Errorf("load store: %w", err)
	}
	b.needsLoad = false
	st := store.State{Schema: store.Schema, Cluster: b.cluster, Epoch: b.now.epoch, Base: b.now.base, NextID: b.now.nextID}
	st.Records = make([]store.Record, 0, len(b.now.records))
	for _, id := range slices.Sorted(maps.Keys(b.now.records)) {
		st.Records = append(st.Records, b.now.records[id])
	}
	return st, nil
}

// Commit implements store.Backend.
func (b *Backend) Commit(ctx context.Context, epoch, base uint64, changes []store.Change) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	newBase, err := b.commit(ctx, epoch, base, changes)
	if err != nil {
		return 0, fmt.Errorf("commit to store: %w", err)
	}
	return newBase, nil
}

func (b *Backend) commit(ctx context.Context, epoch, base uint64, changes []store.Change) (uint64, error) {
	if b.closed {
		return 0, store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if b.needsLoad {
		return 0, store.ErrNeedsLoad
	}
	if err := store.CheckCommit(epoch, base, changes); err != nil {
		return 0, err
	}
	if err := b.now.check(epoch, base, changes); err != nil {
		return 0, err
	}
	f := b.faults.next()
	switch f.kind {
	case fail:
		return 0, f.err
	case unknownLost:
		b.needsLoad = true
		return 0, fmt.Errorf("%w: %w", store.ErrOutcomeUnknown, f.err)
	}

	c := commit{epoch: epoch, base: base + 1, changes: make([]store.Change, len(changes))}
	for i, ch := range changes {
		if !ch.Delete() {
			ch.Data = append(make([]byte, 0, len(ch.Data)), ch.Data...)
		}
		c.changes[i] = ch
	}
	if f.kind == torn {
		c.changes = c.changes[:min(f.keep, len(c.changes))]
	}
	b.now.apply(c)
	b.pending = append(b.pending, c)
	if f.kind != lose && !b.faults.volatile {
		b.flush()
	}
	if f.kind == unknownStored || f.kind == torn {
		b.needsLoad = true
		return 0, fmt.Errorf("%w: %w", store.ErrOutcomeUnknown, f.err)
	}
	return c.base, nil
}

// Close implements store.Backend. What is pending is flushed, as an orderly end does.
func (b *Backend) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.flush()
		b.closed = true
	}
	return nil
}

// Reopen crashes the store and opens what is left: a new back end with the durable commits, no faults set. The old one
// is closed.
func (b *Backend) Reopen() *Backend {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.pending = nil
	n := &Backend{cluster: b.cluster, now: b.disk, disk: b.disk}
	n.now.records = maps.Clone(b.disk.records)
	n.disk.records = maps.Clone(b.disk.records)
	return n
}

func (b *Backend) flush() {
	for _, c := range b.pending {
		b.disk.apply(c)
	}
	b.pending = b.pending[:0]
}

// check applies the rules that need a look at the content.
func (m *image) check(epoch, base uint64, changes []store.Change) error {
	if epoch < m.epoch {
		return store.StaleEpoch(epoch, m.epoch)
	}
	if base != m.base {
		return store.Conflict(base, m.base)
	}
	var fresh map[int64]store.Kind // kinds of the records that this commit makes; 0 once deleted
	for _, c := range changes {
		kind := m.records[c.ID].Kind
		if k, ok := fresh[c.ID]; ok {
			kind = k
		}
		switch {
		case kind == 0 && c.Delete():
			continue
		case kind != 0 && kind != c.Kind:
			return store.OtherKind(c, kind)
		case kind == 0 && c.ID < m.nextID:
			return store.Reused(c, m.nextID)
		}
		if fresh == nil {
			fresh = map[int64]store.Kind{}
		}
		fresh[c.ID] = c.Kind
		if c.Delete() {
			fresh[c.ID] = 0
		}
	}
	return nil
}

func (m *image) apply(c commit) {
	m.epoch, m.base = c.epoch, c.base
	for _, ch := range c.changes {
		m.nextID = max(m.nextID, ch.ID+1)
		if ch.Delete() {
			delete(m.records, ch.ID)
		} else {
			m.records[ch.ID] = store.Record(ch)
		}
	}
}
