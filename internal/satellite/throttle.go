package satellite

import (
	"context"
	"errors"

	"holdfast/internal/model"
	"holdfast/internal/satellite/steps"
	"holdfast/internal/tool/lsblk"
	"holdfast/internal/tool/throttle"
)

// throttled is what this process asked for of a device, and why it isn't so.
type throttled struct {
	want model.Throttle
	path string
	why  string
}

// seenThrottle adds what this process knows of the device's limits.
func seenThrottle(r *replica, v model.VolumeSpec, sv *steps.Volume) {
	t, known := r.throttled[v.ID]
	if !known || sv.Device == nil || sv.Device.Path != t.path {
		return // it may have gone and come back without them
	}
	sv.Throttle = &t.want
	if v.Throttle != nil {
		sv.NotThrottled = t.why
	}
}

// throttle limits a device. It fails at nothing: a volume without its limit is better than none.
func (x *execution) throttle(ctx context.Context, s steps.Step) {
	t := throttle.Tool{Run: x.host}
	n, err := lsblk.Tool{Run: x.host}.Number(ctx, s.Path)
	if err == nil {
		err = t.Set(ctx, n, throttle.Limits(s.Throttle))
	}
	done := throttled{want: s.Throttle, path: s.Path}
	switch {
	case errors.Is(err, throttle.ErrNoHierarchy):
		done.why = "this machine has only cgroup v2, in which a device can't be limited for all its users, only for single groups of programs"
	case err != nil:
		done.why = err.Error()
	}
	if x.result.throttled == nil {
		x.result.throttled = map[model.UUID]throttled{}
	}
	x.result.throttled[s.Label] = done
}
