package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast/internal/store"
	"holdfast/internal/store/sqlite"
	"holdfast/internal/store/storetest"
)

var ctx = context.Background()

func open(t *testing.T, path string) *sqlite.DB {
	t.Helper()
	d, err := sqlite.Open(ctx, sqlite.Options{Path: path, Cluster: "c1", WrittenBy: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func put(id int64, data string) store.Change {
	return store.Change{ID: id, Kind: store.KindNode, Data: []byte(data)}
}

func commit(t *testing.T, d *sqlite.DB, base uint64, changes ...store.Change) {
	t.Helper()
	if _, err := d.Commit(ctx, 1, base, changes); err != nil {
		t.Fatal(err)
	}
}

// TestConformance takes a copy of the files for a crash: what a process that dies leaves to the next one.
func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (store.Backend, func() store.Backend) {
		dir := t.TempDir()
		d := open(t, filepath.Join(dir, "controller.db"))
		return d, func() store.Backend {
			next := t.TempDir()
			copyFiles(t, dir, next)
			dir = next
			return open(t, filepath.Join(dir, "controller.db"))
		}
	})
}

func copyFiles(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(filepath.Join(to, "controller.db-shm")) // memory, not disk: a reboot has none
}

func TestFilesAreOurs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lib", "holdfast", "a b?c#%.db")
	d := open(t, path)
	commit(t, d, 0, put(1, "a"))
	st, err := os.Stat(filepath.Dir(path))
	if err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", st.Mode(), err)
	}
	files, _ := os.ReadDir(filepath.Dir(path))
	for _, f := range files {
		if i, err := f.Info(); err != nil || i.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), i.Mode(), err)
		}
		if !strings.HasPrefix(f.Name(), "a b?c#%.db") {
			t.Errorf("stray file %s", f.Name())
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("WAL after an orderly end: %v", err)
	}
}

func TestOneProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "controller.db")
	d := open(t, path)
	_, err := sqlite.Open(ctx, sqlite.Options{Path: path})
	if !errors.Is(err, store.ErrInUse) || !strings.Contains(err.Error(), "pid ") {
		t.Fatalf("second opener: %v", err)
	}
	d.Close()
	open(t, path)
}

func TestReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "controller.db")
	if _, err := sqlite.OpenReadOnly(ctx, path); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("no store: %v", err)
	}
	d := open(t, path)
	commit(t, d, 0, put(1, "a"))
	r, err := sqlite.OpenReadOnly(ctx, path) // beside the writer
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for base := range uint64(3) {
		st, err := r.Load(ctx)
		if err != nil || st.Base != base+1 || st.Cluster != "c1" || st.WrittenBy != "v1" {
			t.Fatalf("%+v, %v", st, err)
		}
		commit(t, d, base+1, put(1, "b"))
	}
	if _, err := r.Commit(ctx, 1, 4, nil); !errors.Is(err, store.ErrReadOnly) {
		t.Fatalf("commit: %v", err)
	}
	d.Close()
	if st, err := r.Load(ctx); err != nil || st.Base != 4 {
		t.Fatalf("%+v, %v", st, err)
	}
}

func TestOtherCluster(t *testing.T) {
	path := filepath.Join(t.TempDir(), "controller.db")
	open(t, path).Close()
	_, err := sqlite.Open(ctx, sqlite.Options{Path: path, Cluster: "c2"})
	if !errors.Is(err, store.ErrOtherCluster) || !strings.Contains(err.Error(), "c1") {
		t.Fatalf("got %v", err)
	}
}

func TestVersionIsNoted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "controller.db")
	open(t, path).Close()
	d, err := sqlite.Open(ctx, sqlite.Options{Path: path, WrittenBy: "v2"})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if st, err := d.Load(ctx); err != nil || st.WrittenBy != "v2" {
		t.Fatalf("%+v, %v", st, err)
	}
}

// tamper runs statements on a closed store.
func tamper(t *testing.T, path string, stmts ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range stmts {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNewerSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "controller.db")
	open(t, path).Close()
	tamper(t, path, `UPDATE meta SET value = 99 WHERE key = 'schema'`, `UPDATE meta SET value = 'v42' WHERE key = 'written_by'`)
	before, _ := os.ReadFile(path)
	_, err := sqlite.Open(ctx, sqlite.Options{Path: path, WrittenBy: "v1"})
	if !errors.Is(err, store.ErrNewerSchema) || !strings.Contains(err.Error(), "v42") {
		t.Fatalf("got %v", err)
	}
	if _, err := sqlite.OpenReadOnly(ctx, path); !errors.Is(err, store.ErrNewerSchema) {
		t.Fatalf("read-only: %v", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
}

// TestDamage damages a closed store in many ways; opening or loading it must say so, and never give something else.
func TestDamage(t *testing.T) {
	master := filepath.Join(t.TempDir(), "controller.db")
	d := open(t, master)
	var changes []store.Change
	for i := range int64(200) {
		changes = append(changes, put(i+1, strings.Repeat("needle", 400)))
	}
	commit(t, d, 0, changes...)
	d.Close()
	whole, err := os.ReadFile(master)
	if err != nil {
		t.Fatal(err)
	}

	write := func(b []byte) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	flipped := bytes.Clone(whole)
	flipped[bytes.LastIndex(flipped, []byte("needle"))] ^= 1
	holed := bytes.Clone(whole)
	clear(holed[len(holed)/2:][:8192])
	sqlOn := func(stmts ...string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			write(whole)(t, path)
			tamper(t, path, stmts...)
		}
	}
	for name, damage := range map[string]func(t *testing.T, path string){
		"empty":              write(nil),
		"not a database":     write(bytes.Repeat([]byte("x"), 9000)),
		"zeros":              write(make([]byte, len(whole))),
		"half a page":        write(whole[:2000]),
		"one page":           write(whole[:4096]),
		"truncated":          write(whole[:len(whole)/2]),
		"last page missing":  write(whole[:len(whole)-4096]),
		"one bit flipped":    write(flipped),
		"two pages of zeros": write(holed),
		"another database":   sqlOn(`PRAGMA application_id = 1`),
		"no tables":          sqlOn(`DROP TABLE records`),
		"no epoch":           sqlOn(`DELETE FROM meta WHERE key = 'epoch'`),
		"odd base":           sqlOn(`UPDATE meta SET value = 'x' WHERE key = 'base'`),
		"id beyond next":     sqlOn(`UPDATE meta SET value = 7 WHERE key = 'next_id'`),
		"kind changed":       sqlOn(`UPDATE records SET kind = 7 WHERE id = 5`),
		"odd kind":           sqlOn(`UPDATE records SET kind = 70000 WHERE id = 5`),
		"a record missing":   sqlOn(`DELETE FROM records WHERE id = 5`),
		"only a WAL": func(t *testing.T, path string) {
			write([]byte("something"))(t, path+"-wal")
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "controller.db")
			damage(t, path)
			for range 2 { // trying doesn't make it look whole
				d, err := sqlite.Open(ctx, sqlite.Options{Path: path})
				if err == nil {
					_, err = d.Load(ctx)
					d.Close()
				}
				if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), "holdfast store check") {
					t.Fatalf("got %v", err)
				}
			}
		})
	}
}

// TestForeignWAL restores an older copy of the file, but leaves the newer one's WAL beside it.
func TestForeignWAL(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "controller.db")
	d := open(t, path)
	old := filepath.Join(dir, "old.db")
	commit(t, d, 0, put(1, "a"))
	if err := d.Backup(ctx, old); err != nil {
		t.Fatal(err)
	}
	base := uint64(1)
	for range 60 { // enough that pages split, and that the WAL was written back now and then
		var changes []store.Change
		for i := range int64(20) {
			changes = append(changes, put(int64(base)*20+i, strings.Repeat("x", 3000)))
		}
		commit(t, d, base, changes...)
		base++
	}
	commit(t, d, base, put(1, "small"))
	next := t.TempDir()
	copyFiles(t, dir, next)
	if err := os.Rename(filepath.Join(next, "old.db"), filepath.Join(next, "controller.db")); err != nil {
		t.Fatal(err)
	}
	if w, err := os.Stat(filepath.Join(next, "controller.db-wal")); err != nil || w.Size() == 0 {
		t.Fatalf("no WAL to test with: %v", err)
	}
	b, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(next, "controller.db")})
	if err == nil {
		_, err = b.Load(ctx)
		b.Close()
	}
	if !errors.Is(err, store.ErrCorrupt) {
		t.Fatalf("got %v", err)
	}
}

func TestCheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "controller.db")
	d := open(t, path)
	commit(t, d, 0, put(1, "a"), put(2, "b"), put(3, "c"))
	d.Close()
	check := func() []string {
		t.Helper()
		r, err := sqlite.OpenReadOnly(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		found, err := r.Check(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := check(); len(found) != 0 {
		t.Fatalf("a whole store: %q", found)
	}
	tamper(t, path, `UPDATE records SET data = x'00' WHERE id = 2`, `UPDATE records SET kind = 9 WHERE id = 3`)
	found := check()
	if len(found) != 2 || !strings.Contains(found[0], "node 2") || !strings.Contains(found[1], "kind-9 3") {
		t.Fatalf("found %q", found)
	}
}

func TestBackup(t *testing.T) {
	dir := t.TempDir()
	d := open(t, filepath.Join(dir, "controller.db"))
	commit(t, d, 0, put(1, "a"))
	to := filepath.Join(dir, "backup.db")
	if err := d.Backup(ctx, to); err != nil {
		t.Fatal(err)
	}
	commit(t, d, 1, put(2, "later"))
	if err := d.Backup(ctx, to); !errors.Is(err, os.ErrExist) {
		t.Fatalf("onto a file: %v", err)
	}
	if st, err := os.Stat(to); err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", st, err)
	}
	b := open(t, to)
	st, err := b.Load(ctx)
	if err != nil || st.Base != 1 || len(st.Records) != 1 || st.Cluster != "c1" {
		t.Fatalf("%+v, %v", st, err)
	}
	commit(t, b, 1, put(2, "other"))
}

// TestHeldByOthers: another program that holds the write lock makes a commit fail whole, and only that one.
func TestHeldByOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "controller.db")
	d := open(t, path)
	d.SetBusyTimeout(1)
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	if _, err := other.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Commit(ctx, 1, 0, []store.Change{put(1, "a")}); !errors.Is(err, store.ErrInUse) {
		t.Fatalf("got %v", err)
	}
	if _, err := other.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	commit(t, d, 0, put(1, "a"))
}
