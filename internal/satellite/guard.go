package satellite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"holdfast/internal/model"
	"holdfast/internal/tool/drbd"
	"holdfast/internal/tool/run"
)

// guardStart bounds the start of a guard: what is left of its lease is the snapshot's.
const guardStart = 3 * time.Second

// guardCommand is `holdfast satellite resume-guard`, for the satellite itself.
func guardCommand() *cobra.Command {
	var record, lease, config string
	var after time.Duration
	var detach bool
	cmd := &cobra.Command{Use: "resume-guard MINOR...", Short: "Let I/O go on that a satellite suspended and that nobody resumed", Hidden: true,
		Args: cobra.MinimumNArgs(1), SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if detach {
				program, err := os.Executable()
				if err != nil {
					return fmt.Errorf("find this program: %w", err)
				}
				argv := []string{program, "satellite", "resume-guard", "--record", record, "--lease", lease, "--after", after.String()}
				if config != "" {
					argv = append(argv, "--config", config)
				}
				return run.Detach(append(argv, args...))
			}
			var minors []int
			for _, a := range args {
				n, err := strconv.Atoi(a)
				if err != nil {
					return fmt.Errorf("read minor %q: %w", a, err)
				}
				minors = append(minors, n)
			}
			t := time.NewTimer(after)
			defer t.Stop()
			select {
			case <-t.C:
			case <-cmd.Context().Done(): // told to stop: then now
			}
			return guard(context.WithoutCancel(cmd.Context()), run.OS{}, record, config, model.UUID(lease), minors)
		}}
	f := cmd.Flags()
	f.StringVar(&record, "record", "", "the replica's record")
	f.StringVar(&lease, "lease", "", "under which I/O was suspended")
	f.StringVar(&config, "config", "", "the resource's config file, where DRBD 8.4 must connect anew for what was under way to be answered")
	f.DurationVar(&after, "after", guardAfter, "when to resume")
	f.BoolVar(&detach, "detach", false, "go on in the background")
	return cmd
}

// guard lets I/O go on unless the record says that this suspension is over. A record that can't be read says nothing.
func guard(ctx context.Context, host run.Host, file, config string, lease model.UUID, minors []int) error {
	if b, err := host.ReadFile(file); err == nil {
		var r record
		if err := json.Unmarshal(b, &r); err == nil && r.Quiet != lease {
			return nil
		}
	}
	tool := drbd.Tool{Run: host}
	st, err := tool.Snapshot(ctx)
	var errs []error
	if err != nil { // what can't be seen is resumed all the same
		for _, m := range minors {
			errs = append(errs, tool.ResumeIO(ctx, m))
		}
		return errors.Join(errs...)
	}
	for _, name := range slices.Sorted(maps.Keys(st.Resources)) {
		r := st.Resources[name]
		if frozen(r) && slices.ContainsFunc(minors, func(m int) bool { return hasMinor(r, m) }) {
			errs = append(errs, resume(ctx, tool, r, config, minors, true))
		}
	}
	return errors.Join(errs...)
}

func hasMinor(r *drbd.ResourceState, minor int) bool {
	for _, d := range r.Devices {
		if d.Minor == minor {
			return true
		}
	}
	return false
}
