package satellite

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/satellite/steps"
)

// A standstill of I/O ends after guardAfter whatever happens to us. What we ourselves count on is a little less.
const (
	guardAfter = 10 * time.Second
	quietLimit = 8 * time.Second
	// unheldLimit is how long a snapshot that holds no I/O may keep other work on its resource waiting.
	unheldLimit = 30 * time.Second
)

// volumesOf a spec, those of a copy of a snapshot too, as far as their devices go.
func volumesOf(s model.ResourceSpec) []model.VolumeSpec {
	if s.Snapshot == nil {
		return s.Volumes
	}
	var out []model.VolumeSpec
	for _, c := range s.Snapshot.Copies {
		out = append(out, model.VolumeSpec{ID: c.ID, Number: c.Number, Pool: c.Pool, Backing: c.Name, Want: s.Want})
	}
	return out
}

// leftQuiet is what a process before this one left of a replica's standstill.
func (a *Agent) leftQuiet(id model.UUID) model.QuietStatus {
	if rec := a.records[id]; rec.Boot == a.boot && rec.Quiet != "" {
		return model.QuietStatus{Lease: rec.Quiet, State: model.QuietLapsed, Reason: "the satellite was started anew meanwhile"}
	}
	return model.QuietStatus{}
}

// lease ends a standstill that takes too long.
func (a *Agent) lease(r *replica, now time.Time) {
	switch ago := now.Sub(r.quietAt); {
	case r.quiet.State != model.QuietHeld:
	case r.unheld && ago >= unheldLimit:
		r.lapse(fmt.Sprintf("the snapshot wasn't taken within %d s", unheldLimit/time.Second))
	case !r.unheld && ago >= quietLimit:
		r.lapse(fmt.Sprintf("the snapshot wasn't taken within the %d s for which I/O may stand still", quietLimit/time.Second))
	}
}

// looks tells whether a snapshot that holds no I/O is being taken of it.
func (r *replica) looks() bool { return r.unheld && r.quiet.State == model.QuietHeld }

// sound ends what was begun for snapshots that hold no I/O where DRBD says that the resource's volumes aren't all UpToDate here: what
// is copied in that moment may be of no moment at all.
func (a *Agent) sound(resource string) {
	k := a.view[resource]
	if k == nil {
		return
	}
	for _, r := range a.replicas {
		if r.spec.Name != resource || !r.looks() {
			continue
		}
		for _, n := range slices.Sorted(maps.Keys(k.Devices)) {
			if disk := k.Devices[n].Disk; disk != model.DiskUpToDate {
				r.lapse(fmt.Sprintf("volume %d was %s while the snapshot was taken", n, disk))
			}
		}
	}
}

// unfollowed ends them all: what DRBD says isn't heard.
func (a *Agent) unfollowed() {
	for _, r := range a.replicas {
		if r.looks() {
			r.lapse("DRBD's events weren't followed while the snapshot was taken")
		}
	}
}

// urgent tells whether I/O stands still until r's job is done: the copy of a snapshot is to be made, or I/O to go on.
func (r *replica) urgent() bool {
	return r.spec.Snapshot != nil && r.spec.Snapshot.Take || r.quiet.State == model.QuietHeld
}

// urgentFirst keeps the order otherwise: no other work gets a pool's queue while I/O is held for a copy in it. Of several that are
// urgent those come first that have been for longest, so that none waits until its snapshot lapses while later ones are taken.
func (a *Agent) urgentFirst(ids []model.UUID, now time.Time) []model.UUID {
	for _, id := range ids {
		switch r := a.replicas[id]; {
		case !r.urgent():
			r.urgentAt = time.Time{}
		case r.urgentAt.IsZero():
			r.urgentAt = now
		}
	}
	slices.SortStableFunc(ids, func(x, y model.UUID) int {
		switch ux, uy := a.replicas[x].urgentAt, a.replicas[y].urgentAt; {
		case ux.IsZero() && !uy.IsZero():
			return 1
		case !ux.IsZero() && uy.IsZero():
			return -1
		default:
			return ux.Compare(uy)
		}
	})
	return ids
}

func (r *replica) lapse(why string) {
	r.quiet.State, r.quiet.Reason, r.dirty = model.QuietLapsed, why, true
}

// settleQuiet notes what needs no step; true: the plan is to be made anew.
func (a *Agent) settleQuiet(r *replica) bool {
	switch want := r.spec.Quiet; {
	case r.plan.Lapse != "":
		r.quiet = model.QuietStatus{Lease: want, State: model.QuietLapsed, Reason: r.plan.Lapse}
		return true
	case r.quiet.State == model.QuietHeld && r.quiet.Lease != want && a.records[r.spec.ID].in(a.boot).Quiet == "":
		r.quiet.State = model.QuietOver // nothing of it was up
	}
	return false
}

// finishQuiet takes in what a job did to a standstill. Times are counted from before its first step to now: at least as
// long as I/O really stood still.
func (a *Agent) finishQuiet(r *replica, j Job, res Result, began *runningJob, now time.Time) {
	if b := slices.IndexFunc(j.Steps, func(s steps.Step) bool { return s.Kind == steps.RollbackDevice }); b >= 0 && res.Err == nil {
		r.rolled = j.Steps[b].Of
	}
	if m := slices.IndexFunc(j.Steps, func(s steps.Step) bool { return s.Kind == steps.CreateMetadata && s.Of != "" }); m >= 0 && res.Err == nil {
		r.anew = j.Steps[m].Of
	}
	i := slices.IndexFunc(j.Steps, func(s steps.Step) bool {
		return s.Kind == steps.HoldIO || s.Kind == steps.LookOnly || s.Kind == steps.ResumeIO
	})
	if i < 0 || began == nil {
		return
	}
	s := j.Steps[i]
	switch {
	case s.Kind == steps.LookOnly && res.Err == nil && a.doubt[s.Resource]:
		r.lastRun = "" // it is looked at once more
	case s.Kind != steps.ResumeIO:
		r.unheld = s.Kind == steps.LookOnly
		r.quiet, r.quietAt = model.QuietStatus{Lease: s.Label, State: model.QuietHeld}, began.since
		if res.Err != nil {
			r.lapse(reason(res.Err))
		}
		a.lease(r, now)
		a.sound(s.Resource)
	case res.Err == nil && r.quiet.State == model.QuietHeld && r.quiet.Lease == s.Label:
		r.quiet.State = model.QuietOver
		if res.lapsed || now.Sub(r.quietAt) >= guardAfter {
			r.lapse("I/O went on before the snapshot was taken everywhere")
		}
	}
}
