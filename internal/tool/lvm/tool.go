package lvm

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"holdfast/internal/tool/run"
)

// Tool runs LVM's programs. Reject nil means DefaultReject; Allow wins over
// it, for a machine whose physical volumes are themselves such devices. Both
// hold LVM filter patterns without delimiters, such as "^/dev/loop7$".
type Tool struct {
	Run           run.Runner
	Allow, Reject []string
	// PVs, if known, are the physical volumes of the group that the commands name: they open no other disk. Else a disk
	// that hangs holds up the commands for all groups, since LVM reads every disk to find one group. Only VG finds its
	// group without them too, where they aren't right (any more).
	PVs []string
}

var (
	notPlainRE = regexp.MustCompile(`[^A-Za-z0-9/_-]`)

	nameRE = regexp.MustCompile(`^[A-Za-z0-9_+.][A-Za-z0-9_+.-]{0,126}$`)              // lvm(8), VALID NAMES
	tagRE  = regexp.MustCompile(`^[A-Za-z0-9_+./=!:&#][A-Za-z0-9_+.\-/=!:&#]{0,999}$`) // lvm(8), TAGS (LVM takes 1024)
)

func checkName(s string) error {
	if !nameRE.MatchString(s) || s == "." || s == ".." {
		return fmt.Errorf("%q: %w", s, ErrBadName)
	}
	return nil
}

func (t Tool) config() []string {
	if len(t.PVs) > 0 {
		return []string{"--config", filterConfig(exactly(t.PVs), []string{".*"})}
	}
	reject := t.Reject
	if reject == nil {
		reject = DefaultReject
	}
	return []string{"--config", filterConfig(t.Allow, reject)}
}

// exactly gives patterns of these paths. What isn't a plain character may be any.
func exactly(paths []string) (patterns []string) {
	for _, p := range paths {
		patterns = append(patterns, "^"+notPlainRE.ReplaceAllString(p, ".")+"$")
	}
	return patterns
}

func (t Tool) do(ctx context.Context, prog []string, args ...string) (run.Result, error) {
	argv := append(append(append([]string{}, prog...), t.config()...), args...)
	return run.Check(ctx, t.Run, run.Cmd{Argv: argv}, classify)
}

// VG reports a volume group and all in it, by one command. ErrVGNotFound.
func (t Tool) VG(ctx context.Context, name string) (VG, error) {
	if err := checkName(name); err != nil {
		return VG{}, err
	}
	if len(t.PVs) > 0 {
		g, err := t.vg(ctx, name)
		var hung *run.HungError
		if err == nil && g.MissingPVs == 0 || errors.As(err, &hung) || errors.Is(err, run.ErrCrashed) || ctx.Err() != nil {
			return g, err
		}
		t.PVs = nil // it lies on other disks by now
	}
	return t.vg(ctx, name)
}

func (t Tool) vg(ctx context.Context, name string) (VG, error) {
	r, err := t.do(ctx, []string{"lvm", "fullreport"}, append(reportArgs(), name)...)
	if err != nil {
		return VG{}, fmt.Errorf("report volume group %s: %w", name, err)
	}
	vgs, err := ParseReport(r.Stdout)
	if err != nil {
		return VG{}, err
	}
	if len(vgs) != 1 || vgs[0].Name != name {
		return VG{}, fmt.Errorf("report volume group %s: %d groups answered", name, len(vgs))
	}
	return vgs[0], nil
}

// VGs reports every volume group.
func (t Tool) VGs(ctx context.Context) ([]VG, error) {
	r, err := t.do(ctx, []string{"lvm", "fullreport"}, reportArgs()...)
	if err != nil {
		return nil, fmt.Errorf("report volume groups: %w", err)
	}
	return ParseReport(r.Stdout)
}

// Create makes an active linear volume of at least sizeKiB (LVM rounds up to
// the extent), with its tags from the first moment on. Signatures of file
// systems and the like in its first blocks and at its end are wiped (-Wy):
// they're leftovers of volumes removed before, and else udev or a person might
// take them for alive. LVM must activate a volume to wipe it; `-an` with -Wy
// makes no volume and yet exits 0. ErrExists, ErrNoSpace, ErrVGNotFound.
func (t Tool) Create(ctx context.Context, vg, name string, sizeKiB int64, tags ...string) error {
	if err := errors.Join(checkName(vg), checkName(name)); err != nil {
		return err
	}
	if sizeKiB <= 0 {
		return fmt.Errorf("create logical volume %s/%s: size %d KiB", vg, name, sizeKiB)
	}
	args := []string{"-y", "-Wy", "-Zy", "-n", name, "-L", fmt.Sprintf("%dk", sizeKiB)}
	args, err := addTags(args, tags)
	if err != nil {
		return err
	}
	if _, err := t.do(ctx, []string{"lvcreate"}, append(args, vg)...); err != nil {
		return fmt.Errorf("create logical volume %s/%s: %w", vg, name, err)
	}
	return nil
}

func (t Tool) on(ctx context.Context, what, prog, vg, name string, args ...string) error {
	if err := errors.Join(checkName(vg), checkName(name)); err != nil {
		return err
	}
	if _, err := t.do(ctx, []string{prog}, append(args, vg+"/"+name)...); err != nil {
		return fmt.Errorf("%s logical volume %s/%s: %w", what, vg, name, err)
	}
	return nil
}

// Remove deletes a volume for good. ErrNotFound, ErrInUse, ErrVGNotFound.
// Removing a thin pool would remove all in it, so the caller must know what
// it names.
func (t Tool) Remove(ctx context.Context, vg, name string) error {
	return t.on(ctx, "remove", "lvremove", vg, name, "-y")
}

// AddTag adds a tag; adding it again is no error. ErrNotFound.
func (t Tool) AddTag(ctx context.Context, vg, name, tag string) error {
	if !tagRE.MatchString(tag) {
		return fmt.Errorf("tag %q: %w", tag, ErrBadName)
	}
	return t.on(ctx, "tag", "lvchange", vg, name, "--addtag", tag)
}

// DelTag takes a tag away; one that isn't there is no error. ErrNotFound.
func (t Tool) DelTag(ctx context.Context, vg, name, tag string) error {
	if !tagRE.MatchString(tag) {
		return fmt.Errorf("tag %q: %w", tag, ErrBadName)
	}
	return t.on(ctx, "untag", "lvchange", vg, name, "--deltag", tag)
}

// Activate makes the device appear, also for a volume marked to be skipped.
// ErrNotFound.
func (t Tool) Activate(ctx context.Context, vg, name string) error {
	return t.on(ctx, "activate", "lvchange", vg, name, "-ay", "-K")
}

// Deactivate takes the device away. ErrInUse, ErrNotFound.
func (t Tool) Deactivate(ctx context.Context, vg, name string) error {
	return t.on(ctx, "deactivate", "lvchange", vg, name, "-an")
}

// Extend grows a volume to at least sizeKiB; one that's as large already is
// left alone without error. It never shrinks. ErrNoSpace, ErrNotFound.
func (t Tool) Extend(ctx context.Context, vg, name string, sizeKiB int64) error {
	err := t.on(ctx, "extend", "lvextend", vg, name, "-L", fmt.Sprintf("%dk", sizeKiB))
	var x *run.ExitError
	if errors.As(err, &x) && x.Kind == nil {
		// LVM 2.03.16: "New size (3 extents) matches existing size (3 extents)."
		// and "New size given (1 extents) not larger than existing size (3 extents)"
		s := string(x.Stderr)
		if strings.Contains(s, "matches existing size (") || strings.Contains(s, "not larger than existing size (") {
			return nil
		}
	}
	return err
}

// RoundUp gives the size in KiB that LVM will make of sizeKiB.
func RoundUp(sizeKiB, extentBytes int64) int64 {
	e := extentBytes / 1024
	if e <= 0 {
		return sizeKiB
	}
	return (sizeKiB + e - 1) / e * e
}
