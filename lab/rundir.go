package lab

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// runDir holds what one lab needs while it is up. A lock tells others that it is in use.
type runDir struct {
	path string
	lock *os.File
}

// longestRun is the longest path of a run folder that leaves room for a socket's name (108 bytes in all).
const longestRun = 80

// newRunDir makes one below home, or in the temporary folder where that path is too long for sockets, and removes those
// that dead processes left.
func newRunDir(home string) (*runDir, error) {
	all := filepath.Join(home, "run")
	if len(all)+12 > longestRun {
		all = filepath.Join(os.TempDir(), "holdfast-lab")
	}
	if err := os.MkdirAll(all, 0o755); err != nil {
		return nil, fmt.Errorf("make run folder: %w", err)
	}
	sweep(all)
	path, err := os.MkdirTemp(all, "r")
	if err != nil {
		return nil, fmt.Errorf("make run folder: %w", err)
	}
	lock, err := os.Create(filepath.Join(path, "lock"))
	if err == nil {
		if err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			lock.Close()
		}
	}
	if err != nil {
		os.RemoveAll(path)
		return nil, fmt.Errorf("lock run folder: %w", err)
	}
	return &runDir{path, lock}, nil
}

func (r *runDir) remove() error {
	err := os.RemoveAll(r.path)
	r.lock.Close()
	return err
}

// sweep removes folders whose lock nobody holds. One without a lock is just being made.
func sweep(all string) {
	locks, err := filepath.Glob(filepath.Join(all, "r*", "lock"))
	if err != nil {
		return
	}
	for _, l := range locks {
		f, err := os.Open(l)
		if err != nil {
			continue
		}
		if i, err := f.Stat(); err == nil && i.Size() == 0 && unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			os.RemoveAll(filepath.Dir(l))
		}
		f.Close()
	}
}

func fileSize(path string) (int64, error) {
	i, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return i.Size(), nil
}
