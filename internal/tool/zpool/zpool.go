package zpool

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"holdfast/internal/tool/run"
)

// ErrBadName: a name that ZFS wouldn't take. Nothing was run.
var ErrBadName = errors.New("name not usable as a ZFS pool")

// ErrNotFound: there is no such pool.
var ErrNotFound = errors.New("no such ZFS pool")

// nameRE and reserved are zpool-create(8)'s rules.
var (
	nameRE   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.:-]{0,200}$`)
	reserved = []string{"mirror", "raidz", "draid", "spare", "log"}
)

// CheckName gives ErrBadName for what zpool-create(8) rules out.
func CheckName(s string) error {
	bad := !nameRE.MatchString(s)
	for _, r := range reserved {
		bad = bad || s == r || strings.HasPrefix(s, r) && r != "log" && r != "spare"
	}
	if bad {
		return fmt.Errorf("%q: %w", s, ErrBadName)
	}
	return nil
}

// Tool runs zpool and zfs.
type Tool struct{ Run run.Runner }

func classify(r run.Result) error {
	s := string(r.Stderr)
	if strings.Contains(s, "dataset does not exist") || strings.Contains(s, "no such pool") { // zfs 2.1
		return ErrNotFound
	}
	return nil
}

// Create makes a pool that stripes over the devices, with a user property on its root. Without -f: zpool itself refuses
// devices that seem to be in use. ErrBadName.
func (t Tool) Create(ctx context.Context, name, key, value string, devices ...string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	argv := append([]string{"zpool", "create", "-m", "none", "-O", key + "=" + value, name}, devices...)
	if _, err := run.Check(ctx, t.Run, run.Cmd{Argv: argv}, classify); err != nil {
		return fmt.Errorf("create ZFS pool %s: %w", name, err)
	}
	return nil
}

// Property reads a user property of a pool's root; "" where it isn't set. ErrNotFound, ErrBadName.
func (t Tool) Property(ctx context.Context, name, key string) (string, error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	r, err := run.Check(ctx, t.Run, run.Cmd{Argv: []string{"zfs", "get", "-H", "-o", "value", key, name}}, classify)
	if err != nil {
		return "", fmt.Errorf("read %s of ZFS pool %s: %w", key, name, err)
	}
	if v := strings.TrimSpace(string(r.Stdout)); v != "-" {
		return v, nil
	}
	return "", nil
}
