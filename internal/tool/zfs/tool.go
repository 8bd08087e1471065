package zfs

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"holdfast/internal/tool/run"
)

// Tool runs zfs(8).
type Tool struct{ Run run.Runner }

var (
	datasetRE = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.:-]*(/[A-Za-z0-9_:][A-Za-z0-9_.:-]*)*$`) // zfs(8); without blanks
	snapRE    = regexp.MustCompile(`^[A-Za-z0-9_:][A-Za-z0-9_.:-]*$`)
	valueRE   = regexp.MustCompile(`^[A-Za-z0-9_.:-]+$`)
)

func checkDataset(s string) error {
	if !datasetRE.MatchString(s) || len(s) > 255 {
		return fmt.Errorf("%q: %w", s, ErrBadName)
	}
	return nil
}

// check takes a dataset or a snapshot.
func check(s string) error {
	ds, snap, ok := strings.Cut(s, "@")
	if ok && !snapRE.MatchString(snap) || len(s) > 255 {
		return fmt.Errorf("%q: %w", s, ErrBadName)
	}
	return checkDataset(ds)
}

func (t Tool) do(ctx context.Context, what string, names []string, args ...string) error {
	for _, n := range names {
		if err := check(n); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	argv := append(append([]string{"zfs"}, args...), names...)
	if _, err := run.Check(ctx, t.Run, run.Cmd{Argv: argv}, classify); err != nil {
		return fmt.Errorf("%s %s: %w", what, strings.Join(names, " "), err)
	}
	return nil
}

func property(key, value string) (string, error) {
	if !valueRE.MatchString(value) {
		return "", fmt.Errorf("property %s %q: %w", key, value, ErrBadName)
	}
	return key + "=" + value, nil
}

// Create makes a volume with a user property. Sparse reserves nothing. ErrExists, ErrNoPool, ErrNoSpace.
func (t Tool) Create(ctx context.Context, name string, bytes int64, sparse bool, key, value string) error {
	p, err := property(key, value)
	if err != nil {
		return err
	}
	args := []string{"create", "-o", p, "-V", strconv.FormatInt(bytes, 10)}
	if sparse {
		args = append(args, "-s")
	}
	return t.do(ctx, "create volume", []string{name}, args...)
}

// Snapshot takes one (name: volume@snapshot) with a user property. ErrExists, ErrNotFound, ErrNoSpace.
func (t Tool) Snapshot(ctx context.Context, name, key, value string) error {
	p, err := property(key, value)
	if err != nil {
		return err
	}
	return t.do(ctx, "take snapshot", []string{name}, "snapshot", "-o", p)
}

// Clone makes a volume of a snapshot, with a user property. It reserves nothing. ErrExists, ErrNotFound.
func (t Tool) Clone(ctx context.Context, snap, name, key, value string) error {
	p, err := property(key, value)
	if err != nil {
		return err
	}
	return t.do(ctx, "clone", []string{snap, name}, "clone", "-o", p)
}

// SetSize grows a volume; what it has reserved grows along. ErrNoSpace, ErrNotFound.
func (t Tool) SetSize(ctx context.Context, name string, bytes int64) error {
	return t.do(ctx, "grow volume", []string{name}, "set", "volsize="+strconv.FormatInt(bytes, 10))
}

// Reserve reserves room for all of a volume. ErrNoSpace, ErrNotFound.
func (t Tool) Reserve(ctx context.Context, name string) error {
	return t.do(ctx, "reserve room for", []string{name}, "set", "refreservation=auto")
}

// Promote lets a clone change places with what it was cloned from: the snapshot between them, and all older ones, become the
// clone's. ErrNotFound, ErrNoSpace.
func (t Tool) Promote(ctx context.Context, name string) error {
	return t.do(ctx, "promote", []string{name}, "promote")
}

// Rename a volume, or a snapshot of the same volume. ErrNotFound, ErrExists.
func (t Tool) Rename(ctx context.Context, from, to string) error {
	return t.do(ctx, "rename", []string{from, to}, "rename")
}

// Rollback takes a volume back to its newest snapshot. ErrNewer if it isn't that, ErrNotFound.
func (t Tool) Rollback(ctx context.Context, snap string) error {
	return t.do(ctx, "roll back to", []string{snap}, "rollback")
}

// Destroy removes a volume or snapshot on which nothing depends. ErrNotFound, ErrInUse, ErrDependent.
func (t Tool) Destroy(ctx context.Context, name string) error {
	return t.do(ctx, "destroy", []string{name}, "destroy")
}

// DestroyLater removes a snapshot as soon as it has no clone any more, now if it has none. ErrNotFound.
func (t Tool) DestroyLater(ctx context.Context, snap string) error {
	return t.do(ctx, "destroy", []string{snap}, "destroy", "-d")
}
