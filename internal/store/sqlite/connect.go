package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	driver "modernc.org/sqlite" // also registers the driver "sqlite"

	"holdfast/internal/store"
)

// dsn names the file and the settings of each connection.
//   - busy_timeout, in ms: how long to wait for somebody looking at the file with another program
//   - wal_autocheckpoint, in pages of 4 KiB: 0 would let the WAL grow without end, more makes longer pauses
//   - journal_size_limit, in bytes: what the WAL file is cut back to after a large commit
//   - cache_size, negative in KiB
func dsn(path string, sync Synchronous, readOnly bool) string {
	q := url.Values{}
	pragma := func(p string) { q.Add("_pragma", p) }
	pragma("busy_timeout(5000)")
	if readOnly {
		q.Set("mode", "ro")
		pragma("query_only(1)")
	} else {
		q.Set("mode", "rw")
		pragma("journal_mode(WAL)")
		pragma("synchronous(" + string(sync) + ")")
		pragma("wal_autocheckpoint(1000)")
		pragma("journal_size_limit(16777216)")
	}
	pragma("cache_size(-8192)")
	pragma("trusted_schema(0)")
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}).String()
}

func connect(ctx context.Context, path string, sync Synchronous, readOnly bool) (*conn, error) {
	db, err := sql.Open("sqlite", dsn(path, sync, readOnly))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	cn, err := db.Conn(ctx)
	if err != nil {
		db.Close()
		return nil, classify(err)
	}
	c := &conn{db: db, conn: cn}
	if err := c.prepare(ctx); err != nil {
		c.close()
		return nil, classify(err)
	}
	return c, nil
}

func (c *conn) prepare(ctx context.Context) error {
	var id, tables int
	if err := c.conn.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&id); err != nil {
		return err
	}
	err := c.conn.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name IN ('meta', 'records')`).Scan(&tables)
	if err != nil {
		return err
	}
	if id != applicationID || tables != 2 {
		return fmt.Errorf("%w: it is an SQLite file, but not a Holdfast store; %s", store.ErrCorrupt, whatToDo)
	}
	var commit *sql.Stmt
	for _, s := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&c.begin, "BEGIN IMMEDIATE"}, {&commit, "COMMIT"}, {&c.rollback, "ROLLBACK"},
		{&c.bump, bumpSQL}, {&c.setTail, setTailSQL},
		{&c.find, findSQL}, {&c.insert, insertSQL}, {&c.update, updateSQL}, {&c.remove, removeSQL},
		{&c.getHeader, getHeaderSQL}, {&c.getRecord, getRecordSQL},
	} {
		var err error
		if *s.stmt, err = c.conn.PrepareContext(ctx, s.text); err != nil {
			return err
		}
		c.stmts = append(c.stmts, *s.stmt)
	}
	c.end = func(ctx context.Context) error {
		_, err := commit.ExecContext(ctx)
		return err
	}
	return nil
}

func (c *conn) exec(ctx context.Context, query string, args ...any) error {
	_, err := c.conn.ExecContext(ctx, query, args...)
	return err
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		s.Close() // an open one would keep SQLite from closing the file
	}
	c.conn.Close() // to the pool, which closes it
	return c.db.Close()
}

const whatToDo = "keep a copy of its folder, look at it with `holdfast store check`, and restore the last good backup"

// SQLite's primary result codes that matter here (https://sqlite.org/rescode.html), and one extended.
const (
	codeBusy      = 5
	codeCorrupt   = 11
	codeFull      = 13
	codeNotADB    = 26
	codeShortRead = 10 | 2<<8
)

// code is the error's primary and extended SQLite result code, 0 if it isn't SQLite's.
func code(err error) (primary, extended int) {
	var e *driver.Error
	if !errors.As(err, &e) {
		return 0, 0
	}
	return e.Code() & 0xff, e.Code()
}

// classify wraps what SQLite said in the store's errors.
func classify(err error) error {
	p, x := code(err)
	switch {
	case err == nil:
		return nil
	case p == codeCorrupt, p == codeNotADB, x == codeShortRead:
		return fmt.Errorf("%w: %w; %s", store.ErrCorrupt, err, whatToDo)
	case p == codeFull:
		return fmt.Errorf("%w: %w; free some space, nothing else is needed", store.ErrFull, err)
	case p == codeBusy:
		return fmt.Errorf("%w: %w; end the program that holds it", store.ErrInUse, err)
	}
	return err
}
