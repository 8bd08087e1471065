package lvm

import (
	"context"
	"errors"
	"fmt"
)

// CreateThin makes an active volume of at least sizeKiB in a thin pool, with its tags from the first moment on. It isn't
// wiped: what was never written reads as zeros. LVM activates it at a boot like any other (-kn). ErrExists, ErrNoSpace,
// ErrPoolNotFound, ErrVGNotFound.
func (t Tool) CreateThin(ctx context.Context, vg, pool, name string, sizeKiB int64, tags ...string) error {
	if err := errors.Join(checkName(vg), checkName(pool), checkName(name)); err != nil {
		return err
	}
	if sizeKiB <= 0 {
		return fmt.Errorf("create thin volume %s/%s: size %d KiB", vg, name, sizeKiB)
	}
	args := []string{"-y", "-kn", "-Wn", "-n", name, "-V", fmt.Sprintf("%dk", sizeKiB), "--thinpool", pool}
	args, err := addTags(args, tags)
	if err != nil {
		return err
	}
	if _, err := t.do(ctx, []string{"lvcreate"}, append(args, vg)...); err != nil {
		return fmt.Errorf("create thin volume %s/%s: %w", vg, name, err)
	}
	return nil
}

// SnapshotThin makes a snapshot of a thin volume, which is itself a thin volume. An inactive one stays so until Activate,
// at a boot too; an active one is a volume like any other. ErrExists, ErrNotFound (the origin), ErrNoSpace.
func (t Tool) SnapshotThin(ctx context.Context, vg, origin, name string, active bool, tags ...string) error {
	if err := errors.Join(checkName(vg), checkName(origin), checkName(name)); err != nil {
		return err
	}
	args := []string{"-y"}
	if active {
		args = append(args, "-kn")
	}
	args, err := addTags(append(args, "-s", "-n", name), tags)
	if err != nil {
		return err
	}
	if _, err := t.do(ctx, []string{"lvcreate"}, append(args, vg+"/"+origin)...); err != nil {
		return fmt.Errorf("take snapshot %s/%s: %w", vg, name, err)
	}
	return nil
}

// Rename gives a volume another name. ErrNotFound, ErrExists.
func (t Tool) Rename(ctx context.Context, vg, from, to string) error {
	if err := errors.Join(checkName(vg), checkName(from), checkName(to)); err != nil {
		return err
	}
	if _, err := t.do(ctx, []string{"lvrename"}, vg, from, to); err != nil {
		return fmt.Errorf("rename logical volume %s/%s: %w", vg, from, err)
	}
	return nil
}

func addTags(args, tags []string) ([]string, error) {
	for _, s := range tags {
		if !tagRE.MatchString(s) {
			return nil, fmt.Errorf("tag %q: %w", s, ErrBadName)
		}
		args = append(args, "--addtag", s)
	}
	return args, nil
}
