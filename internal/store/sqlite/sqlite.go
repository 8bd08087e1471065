package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"holdfast/internal/store"
)

// Synchronous is SQLite's setting of that name.
type Synchronous string

const (
	SyncFull Synchronous = "FULL" // every commit reaches the disk before it is reported
	SyncOff  Synchronous = "OFF"  // nothing is synced: a power cut loses commits or the file; for tests only
)

// Options of Open.
type Options struct {
	Path        string      // the database file; its folder is made when missing
	Cluster     string      // the cluster's identity: written to a new store, compared with an old one's; empty: neither
	WrittenBy   string      // version of this program, for people
	Synchronous Synchronous // empty: SyncFull
}

// DB is a store.Backend and store.Streamer in an SQLite file.
type DB struct {
	opt      Options
	readOnly bool
	lock     *os.File // held while open, nil when read-only

	mu        sync.Mutex
	c         *conn // nil when closed, or when reopening failed
	needsLoad bool
	closed    bool
}

// Open opens the store for writing, and makes it if there is none. One process at a time can: others get store.ErrInUse.
// It fails with store.ErrCorrupt, ErrNewerSchema or ErrOtherCluster where they apply. The records are read by Load.
func Open(ctx context.Context, opt Options) (*DB, error) {
	if opt.Synchronous == "" {
		opt.Synchronous = SyncFull
	}
	path, err := filepath.Abs(opt.Path)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	opt.Path = path
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open store: make its folder: %w", err)
	}
	lock, err := takeLock(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	d := &DB{opt: opt, lock: lock}
	if err := d.open(ctx); err != nil {
		lock.Close()
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	return d, nil
}

func (d *DB) open(ctx context.Context) error {
	if err := create(ctx, d.opt); err != nil {
		return err
	}
	c, err := connect(ctx, d.opt.Path, d.opt.Synchronous, false)
	if err != nil {
		return err
	}
	if err := d.adopt(ctx, c); err != nil {
		c.close()
		return err
	}
	d.c = c
	return nil
}

// adopt checks that the store is one this program may write to, and signs it.
func (d *DB) adopt(ctx context.Context, c *conn) error {
	h, err := c.header(ctx)
	if err != nil {
		return err
	}
	if d.opt.Cluster != "" && h.Cluster != "" && d.opt.Cluster != h.Cluster {
		return fmt.Errorf("%w: its cluster is %s, this controller's keys are of %s; give it the keys or the store that belong to the other",
			store.ErrOtherCluster, h.Cluster, d.opt.Cluster)
	}
	if h.WrittenBy != d.opt.WrittenBy && d.opt.WrittenBy != "" {
		if err := c.exec(ctx, setMeta, metaWrittenBy, d.opt.WrittenBy); err != nil {
			return fmt.Errorf("note the version: %w", classify(err))
		}
	}
	return nil
}

// OpenReadOnly opens an existing store for looking at it, also while a controller has it open.
func OpenReadOnly(ctx context.Context, path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := checkFiles(path); err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	c, err := connect(ctx, path, SyncFull, true)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	if _, err := c.header(ctx); err != nil {
		c.close()
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	return &DB{opt: Options{Path: path, Synchronous: SyncFull}, readOnly: true, c: c}, nil
}

// Path is the database file's absolute path.
func (d *DB) Path() string { return d.opt.Path }

// Close implements store.Backend. It moves what is in the WAL into the database file.
func (d *DB) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	var err error
	if d.c != nil {
		err = d.c.close()
		d.c = nil
	}
	if d.lock != nil {
		d.lock.Close()
	}
	if err != nil {
		return fmt.Errorf("close store %s: %w", d.opt.Path, err)
	}
	return nil
}

// usable gives the connection, opening a new one after an unknown outcome. The caller holds mu.
func (d *DB) usable(ctx context.Context) (*conn, error) {
	if d.closed {
		return nil, store.ErrClosed
	}
	if d.needsLoad && d.c != nil {
		d.c.close() // its error is the one that made us distrust it
		d.c = nil
	}
	if d.c == nil {
		c, err := connect(ctx, d.opt.Path, d.opt.Synchronous, d.readOnly)
		if err != nil {
			return nil, err
		}
		d.c = c
	}
	return d.c, nil
}

// conn is one connection with its statements.
type conn struct {
	db   *sql.DB
	conn *sql.Conn

	begin, rollback              *sql.Stmt
	bump, setTail                *sql.Stmt
	find, insert, update, remove *sql.Stmt
	getHeader, getRecord         *sql.Stmt

	stmts []*sql.Stmt // all of them

	end func(context.Context) error // COMMIT; tests replace it

	last *tail // that this connection's last commit left; nil before it
}

// tail is the part of the header that a commit's changes move.
type tail struct {
	base   uint64
	nextID int64
	digest uint32
}
