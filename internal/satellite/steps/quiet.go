package steps

import (
	"fmt"
	"maps"
	"slices"

	"holdfast/internal/model"
)

// quiet holds I/O while a snapshot is taken, and lets it go on afterwards. Nothing else is done to the resource meanwhile.
// Nil: I/O is to go on, and does as far as it's up to us.
//
// With Unheld it is only a look at DRBD, newer than the order.
//
// The record names the lease from before the guard starts until after I/O goes on, so a process that dies between leaves
// something by which the next one knows that it has to resume.
func (p *planner) quiet() *Plan {
	rec, q, want := p.seen.Record, p.seen.Quiet, p.spec.Quiet
	held := want != "" && q.Lease == want && q.State == model.QuietHeld
	switch {
	case held:
		w := working("its I/O stands still while a snapshot is taken")
		if p.spec.Unheld {
			w = working("a snapshot of it is being taken")
		}
		return &w
	case rec.Quiet != "":
		s := p.step(ResumeIO)
		s.Minors, s.Label = rec.Minors, rec.Quiet
		rec.Quiet = ""
		w := do(s, p.record(rec))
		return &w
	case want == "" || q.Lease == want || p.spec.Want != model.Up:
		return nil
	case p.spec.DRBD == nil || !p.node.Session:
		return nil
	case !p.seen.KernelKnown:
		w := working("DRBD's state is being read")
		return &w
	case p.spec.Unheld && !p.seen.Followed:
		w := working("DRBD's events are being read")
		return &w
	}
	if p.spec.Unheld {
		s := p.step(LookOnly)
		s.Label = want
		w := do(s)
		return &w
	}
	s := p.step(HoldIO)
	s.Label = want
	k := p.seen.Kernel
	if k == nil || !p.kernelOwn() {
		w := do(s) // it isn't up: no I/O there
		return &w
	}
	if why := CantHold(p.spec.DRBD.Generation, k); why != "" {
		return &Plan{Phase: model.Blocked, Reason: why, Lapse: why}
	}
	rec.There, rec.Quiet = true, want
	for _, n := range slices.Sorted(maps.Keys(k.Volumes)) {
		m := k.Volumes[n].Minor
		s.Minors = append(s.Minors, m)
		if !slices.Contains(rec.Minors, m) {
			rec.Minors = append(slices.Clone(rec.Minors), m)
		}
	}
	slices.Sort(rec.Minors)
	w := do(p.record(rec), s)
	return &w
}

// CantHold says why a resource's I/O can't be held; "" if it can. DRBD 8.4 hangs for ever where there is no disk, and its
// resume-io ends a suspension that fencing ordered too.
func CantHold(gen model.DRBDGeneration, k *Kernel) string {
	if k.Suspended {
		return "its I/O is suspended already, by something else"
	}
	if gen != model.DRBD8 {
		return ""
	}
	for _, n := range slices.Sorted(maps.Keys(k.Volumes)) {
		if d := k.Volumes[n].Disk; !attached(d) {
			return fmt.Sprintf("volume %d has no disk here (%s), and DRBD 8.4 can't hold its I/O then", n, d)
		}
	}
	return ""
}
