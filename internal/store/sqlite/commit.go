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
	if err := d.c.apply(ctx, epoch, base, changes); err != nil {
		d.undo(ctx)
		return classify(err)
	}
	if err := d.c.end(ctx); err != nil {
		return d.failedCommit(ctx, err)
	}
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

func (c *conn) apply(ctx context.Context, epoch, base uint64, changes []store.Change) error {
	if n, err := affected(c.bump.ExecContext(ctx, int64(base), int64(epoch))); err != nil {
		return err
	} else if n != 1 {
		return c.whyNot(ctx, epoch, base)
	}
	if _, err := c.raise.ExecContext(ctx, int64(epoch)); err != nil {
		return err
	}
	if len(changes) == 0 {
		return nil
	}
	nextID, err := c.next(ctx, changes)
	if err != nil {
		return err
	}
	for _, ch := range changes {
		var n int64
		var err error
		data := ch.Data
		switch {
		case ch.Delete():
			n, err = affected(c.remove.ExecContext(ctx, ch.ID, int64(ch.Kind)))
		case ch.ID < nextID:
			n, err = affected(c.update.ExecContext(ctx, ch.ID, int64(ch.Kind), int64(sum(ch.ID, ch.Kind, data)), data))
		default:
			n, err = affected(c.insert.ExecContext(ctx, ch.ID, int64(ch.Kind), int64(sum(ch.ID, ch.Kind, data)), data))
		}
		if err != nil {
			return err
		}
		if n == 0 {
			if err := c.missed(ctx, ch, nextID); err != nil {
				return err
			}
		}
	}
	return nil
}

// next reads the next ID and raises it above those of the changes.
func (c *conn) next(ctx context.Context, changes []store.Change) (int64, error) {
	var nextID int64
	if err := c.getNext.QueryRowContext(ctx).Scan(&nextID); err != nil {
		return 0, err
	}
	after := nextID
	for _, ch := range changes {
		after = max(after, ch.ID+1)
	}
	if after > nextID {
		if _, err := c.nextID.ExecContext(ctx, after); err != nil {
			return 0, err
		}
	}
	return nextID, nil
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

// missed tells why a change touched no record; to delete what isn't there is no error.
func (c *conn) missed(ctx context.Context, ch store.Change, nextID int64) error {
	var kind store.Kind
	err := c.kind.QueryRowContext(ctx, ch.ID).Scan(&kind)
	switch {
	case errors.Is(err, sql.ErrNoRows) && ch.Delete():
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return store.Reused(ch, nextID)
	case err != nil:
		return err
	default:
		return store.OtherKind(ch, kind)
	}
}

func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}
