package throttle

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"holdfast/internal/tool/run"
)

// ErrNoHierarchy: this machine has no blkio hierarchy of cgroup v1.
var ErrNoHierarchy = errors.New("no blkio hierarchy of cgroup v1")

// ErrBadArg: no device number, or a limit below 0. Nothing was done.
var ErrBadArg = errors.New("bad argument")

const dir = "/sys/fs/cgroup/blkio/blkio.throttle."

var numberRE = regexp.MustCompile(`^[0-9]{1,10}:[0-9]{1,10}$`)

// Limits per second; 0: none.
type Limits struct{ ReadBytes, WriteBytes, ReadOps, WriteOps int64 }

// Tool sets limits.
type Tool struct{ Run run.Host }

// There tells whether devices can be limited here.
func (t Tool) There() bool {
	st, err := t.Run.Stat(dir + "read_bps_device")
	return err == nil && st.Exists
}

// Set limits the device with that number (MAJOR:MINOR); a limit of 0 takes one away. ErrNoHierarchy, ErrBadArg.
func (t Tool) Set(ctx context.Context, number string, l Limits) error {
	if !numberRE.MatchString(number) || min(l.ReadBytes, l.WriteBytes, l.ReadOps, l.WriteOps) < 0 {
		return fmt.Errorf("limit device %q: %w", number, ErrBadArg)
	}
	if !t.There() {
		return fmt.Errorf("limit device %s: %w", number, ErrNoHierarchy)
	}
	for _, w := range []struct {
		file string
		n    int64
	}{{"read_bps_device", l.ReadBytes}, {"write_bps_device", l.WriteBytes}, {"read_iops_device", l.ReadOps}, {"write_iops_device", l.WriteOps}} {
		// The file isn't replaced but written to, so no WriteFile.
		c := run.Cmd{Argv: []string{"tee", dir + w.file}, Stdin: fmt.Appendf(nil, "%s %d\n", number, w.n)}
		if _, err := run.Check(ctx, t.Run, c, nil); err != nil {
			return fmt.Errorf("limit device %s, %s: %w", number, w.file, err)
		}
	}
	return nil
}
