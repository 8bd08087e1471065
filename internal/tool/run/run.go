package run

import (
	"context"
	"io"
	"time"
)

// DefaultTimeout bounds a program whose Cmd names no timeout.
const DefaultTimeout = 45 * time.Second

// Cmd is one program to run to its end.
type Cmd struct {
	Argv    []string      // program and arguments; the program is looked up in PATH and the sbin folders
	Stdin   []byte        // nil: empty
	Timeout time.Duration // 0: DefaultTimeout
	// Detach: it is started in a session of its own, without a deadline and without output; nobody waits for it, and it
	// outlives us. The Result says no more than that it was started.
	Detach bool
}

// Result is what a program that ended left behind. Exit is its status, or
// 128 plus the signal's number if a signal ended it.
type Result struct {
	Exit           int
	Stdout, Stderr []byte
}

// Runner runs programs. An exit status other than 0 is no error here. Errors:
// ErrNotFound (no such program), *HungError (deadline passed), the context's
// error, or another reason why it wasn't started.
type Runner interface {
	Run(ctx context.Context, c Cmd) (Result, error)
}

// Streamer starts a program that goes on printing. Read gives its standard
// output; at its end an *ExitError if it failed, else io.EOF. Close ends it.
type Streamer interface {
	Stream(ctx context.Context, argv []string) (io.ReadCloser, error)
}

// Stat is what is known of a path. All zero if it doesn't exist.
type Stat struct {
	Exists    bool
	Dir       bool
	Size      int64 // bytes
	Allocated int64 // bytes really held on disk; less than Size in a sparse file
}

// FS is the part of a file system that Holdfast needs. Missing files give an
// error for which errors.Is(err, fs.ErrNotExist) holds.
type FS interface {
	ReadFile(path string) ([]byte, error)
	// WriteFile replaces a file whole and durably, or leaves the old one.
	WriteFile(path string, data []byte, perm uint32) error
	// Remove deletes a file or an empty folder, durably.
	Remove(path string) error
	// Rename replaces to durably.
	Rename(from, to string) error
	// ReadDir gives the names in a folder, sorted.
	ReadDir(path string) ([]string, error)
	// Stat doesn't fail for a missing path: it says Exists false.
	Stat(path string) (Stat, error)
	MkdirAll(path string, perm uint32) error
	// Truncate makes a sparse file of size bytes, or grows one; to shrink is
	// refused with ErrShrink.
	Truncate(path string, size int64) error
}

// Host is a whole machine.
type Host interface {
	Runner
	Streamer
	FS
}
