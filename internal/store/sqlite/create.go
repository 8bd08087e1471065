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

// checkFiles refuses what SQLite would take for an empty database: a file of no length, or none beside a WAL. Both
// mean that something was lost, since a new store appears under its name only when it is complete.
func checkFiles(path string) error {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if w, werr := os.Stat(path + "-wal"); werr == nil && w.Size() > 0 {
			return fmt.Errorf("%w: its file is missing, though %s-wal is there; %s", store.ErrCorrupt, filepath.Base(path), whatToDo)
		}
		return err
	case err != nil:
		return err
	case !st.Mode().IsRegular():
		return fmt.Errorf("%s is not a file", path)
	case st.Size() == 0:
		return fmt.Errorf("%w: its file is empty; %s", store.ErrCorrupt, whatToDo)
	}
	return nil
}

// create makes the store under another name and renames it once it is complete and on disk. It does nothing if there is
// one. The caller holds the lock.
func create(ctx context.Context, opt Options) error {
	if err := checkFiles(opt.Path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	tmp := opt.Path + ".new"
	for _, f := range []string{tmp, tmp + "-wal", tmp + "-shm", tmp + "-journal", opt.Path + "-wal", opt.Path + "-shm"} {
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("make a new store: %w", err)
		}
	}
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("make a new store: %w", err)
	}
	defer f.Close()
	if err := fill(ctx, tmp, opt); err != nil {
		return fmt.Errorf("make a new store: %w", classify(err))
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("make a new store: %w", err)
	}
	if err := os.Rename(tmp, opt.Path); err != nil {
		return fmt.Errorf("make a new store: %w", err)
	}
	return syncDir(filepath.Dir(opt.Path))
}

func fill(ctx context.Context, path string, opt Options) error {
	db, err := sql.Open("sqlite", dsn(path, opt.Synchronous, false))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, schemaSQL); err != nil {
		return err
	}
	for _, m := range []struct {
		key   string
		value any
	}{
		{metaSchema, store.Schema}, {metaCluster, opt.Cluster}, {metaWrittenBy, opt.WrittenBy},
		{metaEpoch, 0}, {metaBase, 0}, {metaNextID, 1}, {metaDigest, 0},
	} {
		if _, err := tx.ExecContext(ctx, setMeta, m.key, m.value); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return db.Close() // moves the WAL into the file
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}
