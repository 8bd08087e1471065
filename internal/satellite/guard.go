package satellite

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holdfast/internal/model"
	"holdfast/internal/tool/drbd"
	"holdfast/internal/tool/run"
)

// guardCommand is `holdfast satellite resume-guard`, for the satellite itself.
func guardCommand() *cobra.Command {
	var record, lease, config string
	var after time.Duration
	cmd := &cobra.Command{Use: "resume-guard MINOR...", Short: "Let I/O go on that a satellite suspended and that nobody resumed", Hidden: true,
		Args: cobra.MinimumNArgs(1), SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			var minors []int
			for _, a := range args {
				n, err := strconv.Atoi(a)
				if err != nil {
					return fmt.Errorf("read minor %q: %w", a, err)
				}
				minors = append(minors, n)
			}
			of := suspendedResource(run.OS{}, record)
			t := time.NewTimer(after - processAge(run.OS{}))
			defer t.Stop()
			select {
			case <-t.C:
			case <-cmd.Context().Done(): // told to stop: then now
			}
			return guard(context.WithoutCancel(cmd.Context()), run.OS{}, record, of, config, model.UUID(lease), minors)
		}}
	f := cmd.Flags()
	f.StringVar(&record, "record", "", "the replica's record")
	f.StringVar(&lease, "lease", "", "under which I/O was suspended")
	f.StringVar(&config, "config", "", "the resource's config file, where DRBD 8.4 must connect anew for what was under way to be answered")
	f.DurationVar(&after, "after", guardAfter, "when to resume, from this process's start on")
	return cmd
}

// processAge is how long ago the kernel made this process: where a machine is busy, some time is over when main begins. 0
// where /proc doesn't say. proc_pid_stat(5): the 22nd field, in ticks of 10 ms since boot; proc_uptime(5): seconds since boot.
func processAge(host run.FS) time.Duration {
	stat, err1 := host.ReadFile("/proc/self/stat")
	up, err2 := host.ReadFile("/proc/uptime")
	rest := stat[bytes.LastIndexByte(stat, 0x29)+1:] // behind the program's name
	fields, now := strings.Fields(string(rest)), strings.Fields(string(up))
	if err1 != nil || err2 != nil || len(fields) < 20 || len(now) == 0 {
		return 0
	}
	ticks, err1 := strconv.ParseInt(fields[19], 10, 64)
	secs, err2 := strconv.ParseFloat(now[0], 64)
	if err1 != nil || err2 != nil {
		return 0
	}
	return max(0, time.Duration(secs*float64(time.Second))-time.Duration(ticks)*10*time.Millisecond)
}

// suspendedResource is the one that the record names while the suspension begins; "" if it can't be read. By the end the
// replica may be gone, with its record, and its minors another's, whose I/O is held for another reason.
func suspendedResource(host run.FS, file string) string {
	var r record
	if b, err := host.ReadFile(file); err != nil || json.Unmarshal(b, &r) != nil {
		return ""
	}
	return r.Resource
}

// guard lets I/O go on of a resource, whichever if it isn't known, unless the record says that this suspension is over. A record
// that can't be read says nothing.
func guard(ctx context.Context, host run.Host, file, resource, config string, lease model.UUID, minors []int) error {
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
		if (resource == "" || name == resource) && frozen(r) && slices.ContainsFunc(minors, func(m int) bool { return hasMinor(r, m) }) {
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
