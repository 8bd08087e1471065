package file

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"holdfast/internal/pool"
	"holdfast/internal/tool/run"
)

// allocate makes or grows a file to that size, durably. What is new in it reads as zeros.
func (d Driver) allocate(ctx context.Context, file string, sizeKiB int64) error {
	if !d.Thick {
		return full(d.Host.Truncate(file, sizeKiB<<10))
	}
	st, err := d.Host.Stat(file)
	if err != nil {
		return err
	}
	if !st.Exists {
		if err := d.Host.Truncate(file, 0); err != nil { // it makes the file ours alone to read
			return full(err)
		}
	}
	if _, err := run.Check(ctx, d.Host, run.Cmd{Argv: []string{"fallocate", "-l", strconv.FormatInt(sizeKiB<<10, 10), file}}, classify); err != nil {
		return fmt.Errorf("allocate %s: %w", file, full(err))
	}
	return d.sync(ctx, file)
}

func (d Driver) sync(ctx context.Context, file string) error {
	if _, err := run.Check(ctx, d.Host, run.Cmd{Argv: []string{"sync", file}}, classify); err != nil {
		return fmt.Errorf("sync %s: %w", file, full(err))
	}
	return nil
}

// full adds the pool's word to a system call's, or a program's.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, pool.ErrNoSpace) {
		return fmt.Errorf("%w: %w", pool.ErrNoSpace, err)
	}
	return err
}

// classify knows strerror(3)'s texts as fallocate (util-linux 2.38), cp and sync (coreutils 9.1) print them. What `cp
// --reflink=always` says where blocks can't be shared: ioctl_ficlone(2), ERRORS.
func classify(r run.Result) error {
	s := string(r.Stderr)
	switch {
	case strings.Contains(s, ": No space left on device"), strings.Contains(s, ": Disk quota exceeded"):
		return pool.ErrNoSpace
	case strings.Contains(s, "cp: failed to clone ") && (strings.Contains(s, ": Operation not supported") ||
		strings.Contains(s, ": Inappropriate ioctl for device") || strings.Contains(s, ": Invalid argument")):
		return pool.ErrUnsupported
	case strings.Contains(s, "fallocate: ") && strings.Contains(s, ": Operation not supported"):
		return pool.ErrUnsupported
	}
	return nil
}
