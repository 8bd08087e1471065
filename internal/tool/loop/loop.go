package loop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"holdfast/internal/tool/run"
)

var (
	// ErrNotFound: no such loop device, or nothing attached to it.
	ErrNotFound = errors.New("loop device not attached")
	// ErrNoFile: the file to attach isn't there.
	ErrNoFile = errors.New("no such file")
	// ErrInUse: something holds the loop device open.
	ErrInUse = errors.New("loop device in use")
	// ErrBadName: no absolute path, or no /dev/loopN. Nothing was run.
	ErrBadName = errors.New("name not usable for a loop device")
)

// Device is an attached loop device.
type Device struct {
	Path    string // /dev/loopN
	File    string // its file, without a " (deleted)" at the end
	Deleted bool   // the file is gone, and lives only as long as the device
}

// Tool runs losetup.
type Tool struct{ Run run.Runner }

var devRE = regexp.MustCompile(`^/dev/loop[0-9]+$`)

// Source of the texts: util-linux 2.38, exit 1.
func classify(r run.Result) error {
	s := string(r.Stderr)
	switch {
	case strings.Contains(s, ": detach failed: No such device or address"),
		strings.Contains(s, ": failed to use device: No such device"),
		strings.Contains(s, ": set capacity failed: No such device or address"):
		return ErrNotFound
	case strings.Contains(s, ": failed to set up loop device: No such file or directory"):
		return ErrNoFile
	case strings.Contains(s, ": detach failed: Device or resource busy"):
		return ErrInUse
	}
	return nil
}

// List gives all attached loop devices, in losetup's order.
func (t Tool) List(ctx context.Context) ([]Device, error) {
	r, err := run.Check(ctx, t.Run, run.Cmd{Argv: []string{"losetup", "--list", "--json", "-O", "NAME,BACK-FILE"}}, classify)
	if err != nil {
		return nil, fmt.Errorf("list loop devices: %w", err)
	}
	return ParseList(r.Stdout)
}

// ParseList reads `losetup --list --json -O NAME,BACK-FILE`, which prints
// nothing where there's no device.
func ParseList(out []byte) ([]Device, error) {
	if len(strings.TrimSpace(string(out))) == 0 {
		return nil, nil
	}
	var doc struct {
		Loopdevices []struct {
			Name string  `json:"name"`
			File *string `json:"back-file"` // null where nothing is attached
		} `json:"loopdevices"`
	}
	if err := json.Unmarshal(out, &doc); err != nil {
		return nil, fmt.Errorf("parse losetup's list: %w", err)
	}
	var ds []Device
	for _, d := range doc.Loopdevices {
		if d.File == nil || *d.File == "" {
			continue
		}
		f, gone := strings.CutSuffix(*d.File, " (deleted)")
		ds = append(ds, Device{Path: d.Name, File: f, Deleted: gone})
	}
	return ds, nil
}

// Attach gives the loop device of a file, and makes one if there is none.
// The file is named by its absolute path. ErrNoFile.
func (t Tool) Attach(ctx context.Context, file string) (string, error) {
	if !strings.HasPrefix(file, "/") {
		return "", fmt.Errorf("attach %q: %w", file, ErrBadName)
	}
	r, err := run.Check(ctx, t.Run, run.Cmd{Argv: []string{"losetup", "--find", "--show", "--nooverlap", file}}, classify)
	if err != nil {
		return "", fmt.Errorf("attach %s: %w", file, err)
	}
	dev := strings.TrimSpace(string(r.Stdout))
	if !devRE.MatchString(dev) {
		return "", fmt.Errorf("attach %s: losetup answered %q", file, dev)
	}
	return dev, nil
}

func (t Tool) on(ctx context.Context, flag, dev string) error {
	if !devRE.MatchString(dev) {
		return fmt.Errorf("%q: %w", dev, ErrBadName)
	}
	_, err := run.Check(ctx, t.Run, run.Cmd{Argv: []string{"losetup", flag, dev}}, classify)
	return err
}

// Detach frees a device. If it is open, the kernel frees it at the last close
// (lazily) and no error comes. ErrNotFound.
func (t Tool) Detach(ctx context.Context, dev string) error {
	if err := t.on(ctx, "-d", dev); err != nil {
		return fmt.Errorf("detach %s: %w", dev, err)
	}
	return nil
}

// SetCapacity takes over the grown size of the file. ErrNotFound.
func (t Tool) SetCapacity(ctx context.Context, dev string) error {
	if err := t.on(ctx, "-c", dev); err != nil {
		return fmt.Errorf("set capacity of %s: %w", dev, err)
	}
	return nil
}

// SizeKiB is the device's size, which may be less than its file's. An error for which errors.Is(err, fs.ErrNotExist)
// holds if there is no such device.
func (t Tool) SizeKiB(f run.FS, dev string) (int64, error) {
	if !devRE.MatchString(dev) {
		return 0, fmt.Errorf("%q: %w", dev, ErrBadName)
	}
	b, err := f.ReadFile("/sys/block/" + strings.TrimPrefix(dev, "/dev/") + "/size")
	if err != nil {
		return 0, fmt.Errorf("read size of %s: %w", dev, err)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read size of %s: %w", dev, err)
	}
	return n / 2, nil // in sectors of 512 bytes, whatever the device's own are
}
