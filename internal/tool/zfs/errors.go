package zfs

import (
	"errors"
	"strings"

	"holdfast/internal/tool/run"
)

// What zfs(8)'s error texts mean.
var (
	ErrNotFound  = errors.New("dataset not found")
	ErrNoPool    = errors.New("zpool or parent dataset not found")
	ErrExists    = errors.New("dataset exists")
	ErrNoSpace   = errors.New("not enough space in the zpool")
	ErrInUse     = errors.New("dataset in use")
	ErrDependent = errors.New("other datasets depend on it")
	ErrNewer     = errors.New("there are newer snapshots")
	// ErrBadName: a name or value that zfs wouldn't take. Nothing was run.
	ErrBadName = errors.New("name not usable in ZFS")
)

// patterns, each a part of standard error, which says "cannot VERB 'NAME': " before them. Source: OpenZFS,
// lib/libzfs/libzfs_util.c, lib/libzfs/libzfs_dataset.c and cmd/zfs/zfs_main.c.
var patterns = []struct {
	text string
	kind error
}{
	{"more recent snapshots or bookmarks exist", ErrNewer},
	{"there is a snapshot or bookmark more recent", ErrNewer},
	{"has children", ErrDependent},
	{"has dependent clones", ErrDependent},
	{"dataset is busy", ErrInUse},
	{"dataset already exists", ErrExists},
	{"no such pool", ErrNoPool},
	{"parent does not exist", ErrNoPool},
	{"out of space", ErrNoSpace},
	{"size is greater than available space", ErrNoSpace},
	{"dataset does not exist", ErrNotFound},
	{"could not find any snapshots to destroy", ErrNotFound},
}

func classify(r run.Result) error {
	s := string(r.Stderr)
	for _, p := range patterns {
		if strings.Contains(s, p.text) {
			return p.kind
		}
	}
	return nil
}
