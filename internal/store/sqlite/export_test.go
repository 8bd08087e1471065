package sqlite

import (
	"context"
	"fmt"
)

// SetBusyTimeout sets how long a commit waits for somebody else's lock, in ms.
func (d *DB) SetBusyTimeout(ms int) {
	if err := d.c.exec(context.Background(), fmt.Sprintf("PRAGMA busy_timeout = %d", ms)); err != nil {
		panic(err)
	}
}

// BreakCommit makes the next COMMIT end with err, after having done its work if done is set.
func (d *DB) BreakCommit(done bool, err error) {
	real := d.c.end
	d.c.end = func(ctx context.Context) error {
		d.c.end = real
		if done {
			if err := real(ctx); err != nil {
				return err
			}
		}
		return err
	}
}
