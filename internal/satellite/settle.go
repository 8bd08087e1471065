package satellite

import (
	"slices"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/satellite/steps"
	"holdfast/internal/tool/drbd"
)

// After a job that changed DRBD the node looks again. Where DRBD's events are followed, and what the job did shows in them,
// the look is to wait for that: it takes no program, and one picture made of events alone is in order. What doesn't show
// within settleFor is asked for.

// settleFor is how long events of what a job did may take to arrive.
const settleFor = 500 * time.Millisecond

// settling is a replica whose last job isn't seen in the view yet. Nothing is planned for it meanwhile.
type settling struct {
	job   []steps.Step
	until time.Time
}

// byEvents tells whether what the steps do shows in DRBD's events, so that nobody needs to ask. A resource of 8.4 that is up
// already may get another peer, which doesn't show there: its connections have no names. Nor does it show that one of 8.4 was
// disconnected and connected again to have its I/O go on.
func (a *Agent) byEvents(j Job) bool {
	if !a.streamOn || !a.eventsFull {
		return false
	}
	for _, s := range j.Steps {
		switch s.Kind {
		case steps.WriteRecord, steps.RemoveRecord, steps.WriteConfig, steps.RemoveConfig, steps.GuardGone, steps.GuardIdle, steps.GuardSeed,
			steps.GuardSkip, steps.SeedSync, steps.SeedSkip, steps.Demote, steps.Down, steps.TakeDown, steps.ForgetPeer, steps.HoldIO:
		case steps.ResumeIO:
			if s.DRBD != model.DRBD9 {
				return false
			}
		case steps.Adjust:
			if s.DRBD != model.DRBD9 && a.view[s.Resource] != nil {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// settled tells whether what the replica's last job did is seen. While it isn't, the kernel is asked once its time is over.
func (a *Agent) settled(r *replica, now time.Time) bool {
	if r.settling == nil {
		return true
	}
	if a.streamOn && a.eventsFull && (r.dirty && a.shows(r)) {
		r.settling = nil
		return true
	}
	return false
}

// overdue tells whether the kernel is to be asked since events don't tell what a job did.
func (a *Agent) overdue(now time.Time) bool {
	for _, r := range a.replicas {
		if r.settling != nil && (!now.Before(r.settling.until) || !a.streamOn) {
			return true
		}
	}
	return false
}

// settle takes a look at the kernel for what the jobs before it did.
func (a *Agent) settle(st *drbd.State, began *runningJob) {
	for _, id := range a.ids() {
		r := a.replicas[id]
		if r.settling == nil || began.since.Before(r.settling.until.Add(-settleFor)) {
			continue
		}
		r.settling = nil
		if a.disturbed(began, r.spec.Name) {
			a.doubt[r.spec.Name] = true
		}
		a.setView(r.spec.Name, st)
	}
}

// shows tells whether the view has what the steps of the replica's last job did.
func (a *Agent) shows(r *replica) bool {
	k := kernel(a.view[r.spec.Name])
	for i, s := range r.settling.job {
		switch s.Kind {
		case steps.Down, steps.TakeDown:
			if k != nil {
				return false
			}
		case steps.SeedSync, steps.SeedSkip:
			if k == nil || k.Volumes[s.Number].Disk != model.DiskUpToDate {
				return false
			}
			if s.DRBD == model.DRBD8 && slices.ContainsFunc(r.settling.job[i:], func(s steps.Step) bool { return s.Kind == steps.Demote }) && k.Role != "Secondary" {
				return false
			}
		case steps.Demote:
			if k != nil && k.Role != "Secondary" {
				return false
			}
		case steps.HoldIO, steps.ResumeIO:
			if st := a.view[r.spec.Name]; st != nil && len(s.Minors) > 0 && frozen(st) != (s.Kind == steps.HoldIO) {
				return false
			}
		case steps.Adjust:
			if !configured(a.view[r.spec.Name], s, a.cfg.Node) {
				return false
			}
		}
	}
	return true
}

// configured tells whether the kernel has what the config file gives this node, and nothing else: its volumes with their disks,
// and its connections, none of them given up.
func configured(k *drbd.ResourceState, s steps.Step, node string) bool {
	r, err := drbd.Parse(s.Config)
	if err != nil || k == nil {
		return false
	}
	local, ok := r.Node(node)
	if !ok || len(local.Volumes) != len(k.Devices) {
		return false
	}
	for _, v := range local.Volumes {
		d := k.Devices[v.Number]
		if d == nil || d.Minor != v.Minor {
			return false
		}
		switch d.Disk {
		case "", "Attaching", "Detaching", "Failed":
			return false
		case model.DiskDiskless:
			if !local.Diskless {
				return false
			}
		default:
			if local.Diskless {
				return false
			}
		}
	}
	peers := k.Peers()
	for _, p := range peers {
		if p.Connection == model.StandAlone || p.Connection == "Disconnecting" || p.Connection == "" {
			return false
		}
	}
	if s.DRBD == model.DRBD8 { // it knows no ids: one peer, or a stand-in for it
		return len(peers) == 1
	}
	if len(peers) != len(r.Nodes)-1 {
		return false
	}
	for _, n := range r.Nodes {
		if n.Name != node && !slices.ContainsFunc(peers, func(p *drbd.ConnectionState) bool { return p.NodeID == n.NodeID }) {
			return false
		}
	}
	return true
}
