package drbd

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"holdfast/internal/tool/run"
)

// Generation is a family of kernel modules. Its numbers are final: they're
// stored.
type Generation int

const (
	Absent Generation = 0 // no module
	Gen8   Generation = 8 // 8.4: two nodes, v08 metadata, no quorum
	Gen9   Generation = 9 // 9.x: v09 metadata
)

// Info is what a node has of DRBD.
type Info struct {
	Generation Generation
	Module     string // version, such as 8.4.11; empty if absent
	Loaded     bool   // false: the module is on disk, and comes with the first use
	Utils      string // version of drbd-utils; empty if absent
}

// Prober is what Detect needs.
type Prober interface {
	run.Runner
	ReadFile(path string) ([]byte, error)
}

var (
	procVersionRE = regexp.MustCompile(`(?m)^version: ([0-9][^ \n]*)`)
	utilsRE       = regexp.MustCompile(`(?m)^DRBDADM_VERSION=(\S+)`)
)

// Detect tells what the node has. The loaded module wins over the one on disk,
// which may be another already; drbd-utils chooses its dialect the same way.
// A missing program or module is an answer, no error.
func Detect(ctx context.Context, h Prober) (Info, error) {
	var in Info
	if b, err := h.ReadFile("/proc/drbd"); err == nil {
		if m := procVersionRE.FindSubmatch(b); m != nil {
			in.Module, in.Loaded = string(m[1]), true
		}
	}
	if !in.Loaded {
		r, err := h.Run(ctx, run.Cmd{Argv: []string{"modinfo", "-F", "version", "drbd"}})
		switch {
		case isMissing(err):
		case err != nil:
			return Info{}, fmt.Errorf("look for the DRBD module: %w", err)
		case r.Exit == 0: // else: "modinfo: ERROR: Module drbd not found."
			in.Module = strings.TrimSpace(string(r.Stdout))
		}
	}
	in.Generation = generationOf(in.Module)
	r, err := h.Run(ctx, run.Cmd{Argv: []string{"drbdadm", "--version"}})
	switch {
	case isMissing(err):
	case err != nil:
		return Info{}, fmt.Errorf("ask drbd-utils for their version: %w", err)
	default:
		if m := utilsRE.FindSubmatch(r.Stdout); m != nil {
			in.Utils = string(m[1])
		}
	}
	return in, nil
}

func generationOf(version string) Generation {
	switch {
	case strings.HasPrefix(version, "8.4."):
		return Gen8
	case strings.HasPrefix(version, "9."):
		return Gen9
	}
	return Absent
}

// Load loads the module. ErrNoModule.
func Load(ctx context.Context, r run.Runner) error {
	_, err := run.Check(ctx, r, run.Cmd{Argv: []string{"modprobe", "drbd"}}, classify)
	if err != nil {
		return fmt.Errorf("load the DRBD module: %w", err)
	}
	return nil
}
