package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"holdfast/internal/store"
)

// maxFindings is how many findings Check lists at most.
const maxFindings = 100

// Check examines the whole file, a page and a record at a time, and lists what is wrong with it; nothing, if it is
// whole. What the records mean isn't looked at.
func (d *DB) Check(ctx context.Context) (found []string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c, err := d.usable(ctx)
	if err == nil {
		found, err = c.check(ctx)
	}
	if err != nil {
		return found, fmt.Errorf("check store %s: %w", d.opt.Path, classify(err))
	}
	return found, nil
}

func (c *conn) check(ctx context.Context) ([]string, error) {
	var found []string
	rows, err := c.conn.QueryContext(ctx, fmt.Sprintf("PRAGMA integrity_check(%d)", maxFindings))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return found, err
		}
		if s != "ok" {
			found = append(found, s)
		}
	}
	if err := rows.Err(); err != nil {
		return found, err
	}
	h, err := c.header(ctx)
	if err != nil {
		return found, err
	}
	recs, err := c.getRecord.QueryContext(ctx)
	if err != nil {
		return found, err
	}
	defer recs.Close()
	digest := uint32(0)
	for recs.Next() && len(found) < maxFindings {
		var id, kind, stored int64
		var data sql.RawBytes
		if err := recs.Scan(&id, &kind, &stored, &data); err != nil {
			return found, err
		}
		digest ^= uint32(stored)
		k := store.Kind(kind)
		switch {
		case kind <= 0 || kind > 255:
			found = append(found, fmt.Sprintf("record %d has kind %d, which can't be", id, kind))
		case int64(sum(id, k, data)) != stored:
			found = append(found, fmt.Sprintf("%s %d: its checksum is wrong", k, id))
		case id <= 0 || id >= h.NextID:
			found = append(found, fmt.Sprintf("%s %d can't be there, the next id is %d", k, id, h.NextID))
		}
	}
	if err := recs.Err(); err != nil {
		return found, err
	}
	if digest != h.digest && len(found) == 0 {
		found = append(found, oddDigest)
	}
	return found, nil
}

// Backup writes a consistent copy of the store to a new file, which can be opened like the original. The store can be in
// use. It fails with fs.ErrExist rather than overwrite a file.
func (d *DB) Backup(ctx context.Context, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.backup(ctx, to); err != nil {
		return fmt.Errorf("back up store %s: %w", d.opt.Path, classify(err))
	}
	return nil
}

func (d *DB) backup(ctx context.Context, to string) error {
	c, err := d.usable(ctx)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", to, fs.ErrExist)
	}
	tmp := to + ".new"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	defer os.Remove(tmp)
	if err := c.exec(ctx, "VACUUM INTO ?", tmp); err != nil { // takes an empty file as it takes none
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Link(tmp, to); err != nil { // unlike rename, replaces nothing
		return err
	}
	return syncDir(filepath.Dir(to))
}
