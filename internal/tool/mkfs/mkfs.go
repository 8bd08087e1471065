package mkfs

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"holdfast/internal/tool/run"
)

// ErrBadArg: a type, device or option that may not stand on the command line. Nothing was run.
var ErrBadArg = errors.New("bad argument")

// ErrDamaged: a look at the file system found it not whole.
var ErrDamaged = errors.New("the file system isn't whole")

// timeout of mkfs: on a large volume over a slow network, minutes.
const timeout = 10 * time.Minute

var deviceRE = regexp.MustCompile(`^/dev/[A-Za-z0-9_+:.=@#-]+(/[A-Za-z0-9_+:.=@#-]+)*$`)

// FileSystem to be made.
type FileSystem struct {
	Type    string   // ext4, xfs
	Options []string // words of more options, which the caller has looked at
	// UID and GID of the root folder; -1: as mkfs makes it. Not for xfs.
	UID, GID int
}

// Tool runs the programs.
type Tool struct{ Run run.Runner }

// Argv of the making. Blocks are not discarded, unless the options say so: a new volume has nothing to discard, and with DRBD
// that would be sent to all replicas. No force: mkfs.xfs looks by itself too (mkfs.ext4 doesn't where nobody can answer).
func (f FileSystem) Argv(device string) ([]string, error) {
	if !deviceRE.MatchString(device) || strings.Contains(device, "/..") {
		return nil, fmt.Errorf("device %q: %w", device, ErrBadArg)
	}
	switch f.Type {
	case "ext4":
		ext := []string{"nodiscard"}
		argv := []string{"mkfs.ext4", "-q"}
		for i := 0; i < len(f.Options); i++ {
			if f.Options[i] == "-E" && i+1 < len(f.Options) { // mke2fs takes only one
				i++
				if slices.Contains(strings.Split(f.Options[i], ","), "discard") {
					ext = ext[1:]
				}
				ext = append(ext, f.Options[i])
				continue
			}
			argv = append(argv, f.Options[i])
		}
		if f.UID >= 0 || f.GID >= 0 {
			ext = append(ext, fmt.Sprintf("root_owner=%d:%d", max(f.UID, 0), max(f.GID, 0)))
		}
		if len(ext) > 0 {
			argv = append(argv, "-E", strings.Join(ext, ","))
		}
		return append(argv, device), nil
	case "xfs":
		if f.UID >= 0 || f.GID >= 0 {
			return nil, fmt.Errorf("mkfs.xfs can't set an owner: %w", ErrBadArg)
		}
		argv := append([]string{"mkfs.xfs", "-q"}, f.Options...)
		if !slices.Contains(f.Options, "-K") {
			argv = append(argv, "-K")
		}
		return append(argv, device), nil
	}
	return nil, fmt.Errorf("file system %q: %w", f.Type, ErrBadArg)
}

// Make makes it, over whatever is there: the caller has looked. ErrBadArg.
func (t Tool) Make(ctx context.Context, f FileSystem, device string) error {
	argv, err := f.Argv(device)
	if err != nil {
		return fmt.Errorf("make file system on %s: %w", device, err)
	}
	if _, err := run.Check(ctx, t.Run, run.Cmd{Argv: argv, Timeout: timeout}, nil); err != nil {
		return fmt.Errorf("make file system on %s: %w", device, err)
	}
	return nil
}

// There gives run.ErrNotFound if the program isn't installed that makes this type.
func (t Tool) There(ctx context.Context, typ string) error {
	_, err := run.Check(ctx, t.Run, run.Cmd{Argv: []string{"mkfs." + typ, "-V"}}, nil)
	if err != nil {
		return fmt.Errorf("look for the program mkfs.%s: %w", typ, err)
	}
	return nil
}

// Whole looks, and changes nothing: nil if a file system of that type is on the device and is clean. ErrDamaged, ErrBadArg.
func (t Tool) Whole(ctx context.Context, typ, device string) error {
	if !deviceRE.MatchString(device) || strings.Contains(device, "/..") {
		return fmt.Errorf("look at the file system of %q: %w", device, ErrBadArg)
	}
	argv := map[string][]string{"ext4": {"fsck.ext4", "-n", "-f", device}, "xfs": {"xfs_repair", "-n", device}}[typ]
	if argv == nil {
		return fmt.Errorf("look at the file system of %s: %q: %w", device, typ, ErrBadArg)
	}
	if _, err := run.Check(ctx, t.Run, run.Cmd{Argv: argv, Timeout: timeout}, func(run.Result) error { return ErrDamaged }); err != nil {
		return fmt.Errorf("look at the file system of %s: %w", device, err)
	}
	return nil
}
