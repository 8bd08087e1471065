package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"holdfast/internal/store"
)

// Commit implements store.Backend.
func (d *DB) Commit(ctx context.Context, epoch, base uint64, changes []store.Change) (uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.write(ctx, epoch, base, changes); err != nil {
		return 0, fmt.Errorf("commit to store: %w", err)
	}
	return base + 1, nil
}

func (d *DB) write(ctx context.Context, epoch, base uint64, changes []store.Change) error {
	if d.closed {
		return store.ErrClosed
	}
	if d.readOnly {
		return store.ErrReadOnly
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.needsLoad {
		return store.ErrNeedsLoad
	}
	if err := store.CheckCommit(epoch, base, changes); err != nil {
		return err
	}
	// From here on the context doesn't count: an interrupted statement would only make the outcome harder to tell.
	ctx = context.WithoutCancel(ctx)
	if _, err := d.c.begin.ExecContext(ctx); err != nil {
		return classify(err)
	}
	after, err := d.c.apply(ctx, epoch, base, changes)
	if err != nil {
		d.undo(ctx)
		return classify(err)
	}
	if err := d.c.end(ctx); err != nil {
		return d.failedCommit(ctx, err)
	}
	d.c.last = &after
	return nil
}

// failedCommit says what became of a transaction whose COMMIT failed. While the WAL can't take the last frame, which is
// the one that makes the transaction count, nothing is stored: the disk is full, or somebody else holds the lock. With
// any other error, such as that of the sync, the frames may or may not be found by whoever opens the file next.
func (d *DB) failedCommit(ctx context.Context, err error) error {
	if p, _ := code(err); p == codeFull || p == codeBusy {
		d.undo(ctx)
		return classify(err)
	}
	d.needsLoad = true
	return fmt.Errorf("%w: %w", store.ErrOutcomeUnknown, classify(err))
}

// undo ends the transaction, which some errors have done already. If it can't, the connection isn't used again.
func (d *DB) undo(ctx context.Context) {
	_, err := d.c.rollback.ExecContext(ctx)
	if err != nil && !strings.Contains(err.Error(), "no transaction is active") { // sqlite3: vdbe.c, OP_AutoCommit
		d.needsLoad = true
	}
}

func (c *conn) apply(ctx context.Context, epoch, base uint64, changes []store.Change) (t tail, err error) {
	r, err := c.bump.ExecContext(ctx, int64(base), int64(epoch))
	if err != nil {
		return t, err
	}
	if n, err := r.RowsAffected(); err != nil {
		return t, err
	} else if n == 0 {
		return t, c.whyNot(ctx, epoch, base)
	}
	if t, err = c.tail(ctx, base); err != nil {
		return t, err
	}
	t.base++
	if len(changes) == 0 {
		return t, nil
	}
	nextID := t.nextID
	for _, ch := range changes {
		var old *row
		if ch.ID < t.nextID { // above it there is none
			if old, err = c.row(ctx, ch.ID); err != nil {
				return t, err
			}
		}
		sum, err := c.applyOne(ctx, ch, old, nextID)
		if err != nil {
			return t, err
		}
		if old != nil {
			t.digest ^= old.sum
		}
		t.digest ^= sum
		t.nextID = max(t.nextID, ch.ID+1)
	}
	_, err = c.setTail.ExecContext(ctx, t.nextID, int64(t.digest))
	return t, err
}

// tail is the one at base, which is the store's: that of the last commit, or read.
func (c *conn) tail(ctx context.Context, base uint64) (tail, error) {
	if c.last != nil && c.last.base == base {
		return *c.last, nil
	}
	h, err := c.header(ctx)
	return tail{base, h.NextID, h.digest}, err
}

// row is what a record's row says beside its data.
type row struct {
	kind store.Kind
	sum  uint32
}

// row finds a record; nil if there is none.
func (c *conn) row(ctx context.Context, id int64) (*row, error) {
	var r row
	err := c.find.QueryRowContext(ctx, id).Scan(&r.kind, &r.sum)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &r, nil
}

// applyOne applies a change to the record found, and returns the new one's checksum, 0 if there is none.
func (c *conn) applyOne(ctx context.Context, ch store.Change, old *row, nextID int64) (uint32, error) {
	switch {
	case old == nil && ch.Delete():
		return 0, nil
	case old != nil && old.kind != ch.Kind:
		return 0, store.OtherKind(ch, old.kind)
	case old == nil && ch.ID < nextID:
		return 0, store.Reused(ch, nextID)
	case ch.Delete():
		_, err := c.remove.ExecContext(ctx, ch.ID)
		return 0, err
	}
	s := sum(ch.ID, ch.Kind, ch.Data)
	var err error
	if old == nil {
		_, err = c.insert.ExecContext(ctx, ch.ID, int64(ch.Kind), int64(s), ch.Data)
	} else {
		_, err = c.update.ExecContext(ctx, ch.ID, int64(s), ch.Data)
	}
	return s, err
}

// whyNot tells why bump did nothing.
func (c *conn) whyNot(ctx context.Context, epoch, base uint64) error {
	h, err := c.header(ctx)
	switch {
	case err != nil:
		return err
	case epoch < h.Epoch:
		return store.StaleEpoch(epoch, h.Epoch)
	default:
		return store.Conflict(base, h.Base)
	}
}
