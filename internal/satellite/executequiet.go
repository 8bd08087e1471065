package satellite

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/pool"
	"holdfast/internal/satellite/steps"
	"holdfast/internal/tool/drbd"
	"holdfast/internal/tool/run"
)

// frozen tells whether a command suspended the resource's I/O.
func frozen(r *drbd.ResourceState) bool {
	return slices.Contains(strings.Split(r.Suspended, ","), "user")
}

// holdIO starts the guard, and only then holds I/O.
func (x *execution) holdIO(ctx context.Context, s steps.Step) error {
	if len(s.Minors) == 0 {
		return nil
	}
	k, err := x.now(ctx, s)
	if err != nil {
		return err
	}
	if k == nil {
		return &WaitError{Reason: s.Resource + " isn't up any more"}
	}
	if why := steps.CantHold(s.DRBD, k); why != "" {
		return &WaitError{Reason: why}
	}
	if err := x.startGuard(ctx, s); err != nil {
		return err
	}
	for _, m := range s.Minors {
		if err := x.drbd.SuspendIO(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// resumeIO lets I/O go on where we hold it. Where it goes on already it is left alone: on 8.4 the command would also end
// what DRBD suspended by itself.
func (x *execution) resumeIO(ctx context.Context, s steps.Step) error {
	st, err := x.drbd.Snapshot(ctx)
	if err != nil {
		return err
	}
	r := st.Resources[s.Resource]
	if r == nil || !frozen(r) {
		x.result.lapsed = true
		return nil
	}
	return resume(ctx, x.drbd, r, x.unanswered(s), s.Minors, false)
}

// unanswered is the config by which resume mends what DRBD 8.4 does to requests that were under way; "" for 9.
func (x *execution) unanswered(s steps.Step) string {
	if s.DRBD != model.DRBD8 {
		return ""
	}
	return x.cfg.configFile(s.Resource)
}

// resume lets the I/O of those minors of a resource go on that are up.
//
// DRBD 8.4 never answers a request that was under way when I/O was suspended, a read or a write, not even after resume-io:
// only where there is no connection does that complete them (8.4.11, seen in the lab). So with its config file given, and
// requests pending, the peer is disconnected before and connected again afterwards; what was written between is resynced.
// Who dies between leaves the I/O suspended, for the guard or the next process, or the connection StandAlone, which is
// mended as any other. If it can't be disconnected the I/O stays suspended for another try, but not with last.
func resume(ctx context.Context, tool drbd.Tool, r *drbd.ResourceState, config string, minors []int, last bool) error {
	at := drbd.Target{File: config, Resource: r.Name}
	again := config != "" && pending(r) && connected(r)
	var errs []error
	if again {
		err := tool.Disconnect(ctx, at, "")
		if err != nil && !last {
			return err
		}
		errs = append(errs, err)
	}
	for _, n := range slices.Sorted(maps.Keys(r.Devices)) {
		if d := r.Devices[n]; slices.Contains(minors, d.Minor) {
			errs = append(errs, tool.ResumeIO(ctx, d.Minor))
		}
	}
	if again {
		errs = append(errs, tool.Adjust(ctx, at))
	}
	return errors.Join(errs...)
}

func pending(r *drbd.ResourceState) bool {
	for _, d := range r.Devices {
		if d.Pending > 0 {
			return true
		}
	}
	return false
}

func connected(r *drbd.ResourceState) bool {
	for _, c := range r.Connections {
		if c.Connection == "Connected" {
			return true
		}
	}
	return false
}

// startGuard starts a process that outlives us (the unit's KillMode=process leaves it alone): it lets I/O go on after
// guardAfter unless the record says by then that we did.
func (x *execution) startGuard(ctx context.Context, s steps.Step) error {
	argv := []string{x.cfg.Program, "satellite", "resume-guard", "--record", x.cfg.recordFile(s.ID), "--lease", string(s.Label), "--after", guardAfter.String()}
	if c := x.unanswered(s); c != "" {
		argv = append(argv, "--config", c)
	}
	for _, m := range s.Minors {
		argv = append(argv, strconv.Itoa(m))
	}
	if _, err := x.host.Run(ctx, run.Cmd{Argv: argv, Detach: true}); err != nil {
		return fmt.Errorf("start the guard of the suspension: %w", err)
	}
	return nil
}

// snapshot takes one, or makes a device from one.
func (x *execution) snapshot(ctx context.Context, d pool.Driver, s steps.Step) error {
	t, ok := d.(pool.Snapshotter)
	if c, copies := d.(pool.Copier); copies && !ok {
		return x.byCopy(ctx, c, s)
	}
	if !ok {
		return fmt.Errorf("%s of %s: storage pool %s can't take snapshots", s.Kind, s.Device, s.Pool)
	}
	if s.Kind == steps.TakeSnapshot {
		_, name, _ := strings.Cut(s.Path, pool.SnapshotName("", ""))
		if g, ok := d.(pool.Glancer); ok {
			seen, err := x.glance(ctx, d, s.Pool)
			if err != nil {
				return err
			}
			return g.SnapshotSeen(ctx, seen, s.Device, s.Of, name, s.Label)
		}
		return t.Snapshot(ctx, s.Device, s.Of, name, s.Label)
	}
	if s.Kind == steps.RollbackDevice {
		return t.Rollback(ctx, s.Device, s.Label, s.From.Device, s.From.Label)
	}
	if err := t.Restore(ctx, s.From.Device, s.From.Label, s.Device, s.SizeKiB, s.Label); err != nil {
		return err
	}
	x.result.made = append(x.result.made, s.Label)
	return nil
}

// glance is the pool's picture from a moment ago, or a new one, which the next job can go by.
func (x *execution) glance(ctx context.Context, d pool.Driver, name string) (pool.Picture, error) {
	if p, ok := x.foreseen[name]; ok {
		return p, nil
	}
	before, is := x.job.before[name]
	if is && x.job.fresh[name] {
		return before, nil
	}
	p, err := d.Scan(ctx)
	if err == nil && is {
		x.foreseen[name], x.looked[name] = p, true
	}
	return p, err
}

// takesSnapshots tells whether there is a driver for that.
func takesSnapshots(h run.Host, c Config, kind model.ProviderKind) bool {
	d, err := driver(h, c, model.PoolSpec{Kind: kind}, nil)
	if err != nil {
		return false
	}
	_, ok := d.(pool.Snapshotter)
	return ok
}
