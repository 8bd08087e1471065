package lsblk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"holdfast/internal/tool/run"
)

// ErrBadPath: not the path of a device, as it may stand on a command line. Nothing was run.
var ErrBadPath = errors.New("not the path of a device")

// ErrNoDevice: there is no such block device.
var ErrNoDevice = errors.New("no such block device")

var pathRE = regexp.MustCompile(`^/dev/[A-Za-z0-9_+:.=@#-]+(/[A-Za-z0-9_+:.=@#-]+)*$`)

// CheckPath gives ErrBadPath for what isn't a plain path below /dev.
func CheckPath(p string) error {
	if !pathRE.MatchString(p) || strings.Contains(p, "/../") || strings.HasSuffix(p, "/..") || len(p) > 250 {
		return fmt.Errorf("%q: %w", p, ErrBadPath)
	}
	return nil
}

// Device is a block device. Children are what stands on it: partitions, LVM, DRBD and the like.
type Device struct {
	Path       string   `json:"path"`
	Kind       string   `json:"type"` // disk, part, lvm, loop, rom ...
	SizeBytes  int64    `json:"size"`
	ReadOnly   bool     `json:"ro"`
	Rotational bool     `json:"rota"`
	Mounted    string   `json:"mountpoint"` // "" where it is not mounted and no swap
	Model      string   `json:"model"`
	Serial     string   `json:"serial"`
	WWN        string   `json:"wwn"`
	Children   []Device `json:"children"`
}

// Tool runs lsblk and wipefs.
type Tool struct{ Run run.Runner }

// fields are what lsblk reads from sysfs and udev: none of them makes it open a device, which could hang.
const fields = "PATH,TYPE,SIZE,RO,ROTA,MOUNTPOINT,MODEL,SERIAL,WWN"

// List gives all root devices with what stands on them.
func (t Tool) List(ctx context.Context) ([]Device, error) { return t.list(ctx) }

// Device gives one, by any of its names. ErrBadPath, ErrNoDevice.
func (t Tool) Device(ctx context.Context, path string) (Device, error) {
	if err := CheckPath(path); err != nil {
		return Device{}, err
	}
	all, err := t.list(ctx, path)
	if err != nil {
		return Device{}, err
	}
	if len(all) != 1 {
		return Device{}, fmt.Errorf("look at %s: %d devices answered", path, len(all))
	}
	return all[0], nil
}

func (t Tool) list(ctx context.Context, devices ...string) ([]Device, error) {
	argv := append([]string{"lsblk", "--json", "--bytes", "--output", fields}, devices...)
	r, err := run.Check(ctx, t.Run, run.Cmd{Argv: argv}, noDevice)
	if err != nil {
		return nil, fmt.Errorf("list block devices: %w", err)
	}
	var doc struct {
		Devices []Device `json:"blockdevices"`
	}
	if err := json.Unmarshal(r.Stdout, &doc); err != nil {
		return nil, fmt.Errorf("list block devices: %w", err)
	}
	return doc.Devices, nil
}

// Number of a device, MAJOR:MINOR. ErrBadPath, ErrNoDevice.
func (t Tool) Number(ctx context.Context, path string) (string, error) {
	if err := CheckPath(path); err != nil {
		return "", err
	}
	r, err := run.Check(ctx, t.Run, run.Cmd{Argv: []string{"lsblk", "--nodeps", "--noheadings", "--output", "MAJ:MIN", path}}, noDevice)
	if err != nil {
		return "", fmt.Errorf("look for the number of %s: %w", path, err)
	}
	return strings.TrimSpace(string(r.Stdout)), nil
}

func noDevice(r run.Result) error {
	if strings.Contains(string(r.Stderr), ": not a block device") { // util-linux 2.38: "lsblk: /dev/x: not a block device"
		return ErrNoDevice
	}
	return nil
}

// Signatures names what is written on a device: file systems, partition tables, members of volume groups. ErrBadPath.
func (t Tool) Signatures(ctx context.Context, path string) ([]string, error) {
	if err := CheckPath(path); err != nil {
		return nil, err
	}
	r, err := run.Check(ctx, t.Run, run.Cmd{Argv: []string{"wipefs", "--no-act", "--json", path}}, func(run.Result) error { return nil })
	if err != nil {
		return nil, fmt.Errorf("look for signatures on %s: %w", path, err)
	}
	var doc struct {
		Signatures []struct {
			Type string `json:"type"`
		} `json:"signatures"`
	}
	if len(strings.TrimSpace(string(r.Stdout))) > 0 {
		if err := json.Unmarshal(r.Stdout, &doc); err != nil {
			return nil, fmt.Errorf("look for signatures on %s: %w", path, err)
		}
	}
	var out []string
	for _, s := range doc.Signatures {
		out = append(out, s.Type)
	}
	return out, nil
}
