package satellite

import (
	"fmt"
	"slices"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/satellite/steps"
)

// setStatus makes what is reported of a replica, whole.
func (a *Agent) setStatus(r *replica, seen steps.Seen, now time.Time) {
	s := r.spec
	st := model.ResourceStatus{Definition: s.Definition, Name: s.Name, ID: s.ID, Generation: s.Generation,
		Phase: r.plan.Phase, Reason: r.plan.Reason, Gone: r.plan.Gone, Forgotten: steps.Forgotten(s, seen, r.plan),
		Quiet: r.quiet, Broken: r.plan.Broken}
	if s.Rollback != nil && r.plan.Rolled > model.NotStopped {
		st.Rollback = model.RollbackStatus{ID: s.Rollback.ID, State: r.plan.Rolled}
	}
	if len(r.plan.Steps) > 0 && (!r.plan.Quiet || r.fails > 0) {
		st.Phase = model.Working
		if r.fails > 0 && !(r.waiting && r.soon) {
			st.Phase, st.Reason = model.Failed, r.reason
			if r.waiting {
				st.Phase = model.Blocked
			}
		}
	}
	if h := a.hungOf(r); h != nil && len(r.plan.Steps) > 0 {
		st.Phase, st.Reason = model.Failed, hungText(h)
	}
	if r.planned && r.status.Phase == st.Phase && r.status.Reason == st.Reason {
		st.SinceMS = r.status.SinceMS
	} else {
		st.SinceMS = now.UnixMilli()
		a.changes = append(a.changes, Change{Resource: s.Name, ID: s.ID, From: r.status.Phase, To: st.Phase, Reason: st.Reason, Gone: st.Gone})
	}
	k := seen.Kernel
	if s.DRBD == nil || !a.ours(s, seen) {
		k = nil
	}
	if k != nil {
		st.InUse, st.Suspended, st.MayPromote, st.PromotionScore = k.Role == "Primary", k.Suspended, k.MayPromote, k.Score
		st.MetPeer, st.Within = seen.Record.Met, steps.Within(s, seen)
	}
	st.Verify = verifyStatus(r, k, st)
	if !st.Gone {
		a.volumes(&st, s, seen, k)
	}
	if k != nil {
		for _, ps := range s.DRBD.Peers {
			kp := steps.Peer(s, k, ps)
			if kp == nil && s.DRBD.Generation == model.DRBD8 {
				kp = &steps.KernelPeer{State: model.StandAlone} // 8.4's events have none then
			}
			st.Peers = append(st.Peers, peer(ps, kp))
		}
	}
	r.status, r.planned = st, true
}

// ours tells whether the kernel's resource of that name may be reported as this incarnation's.
func (a *Agent) ours(s model.ResourceSpec, seen steps.Seen) bool {
	if seen.Owner != "" {
		return seen.Owner == s.ID
	}
	return seen.ConfigID == s.ID
}

func (a *Agent) volumes(st *model.ResourceStatus, s model.ResourceSpec, seen steps.Seen, k *steps.Kernel) {
	for _, v := range s.Volumes {
		sv := seen.Volumes[v.Number]
		mine := sv.Device != nil && sv.Device.Label == v.ID
		up := false
		vs := model.VolumeStatus{ID: v.ID, Number: v.Number, HasQuorum: true}
		if mine {
			vs.Backing, vs.AllocKiB = sv.Device.Path, sv.Device.AllocKiB
			if v.GrowKiB == 0 { // else nobody knows before the kernel says it
				vs.UsableKiB = v.SizeKiB
			} else {
				vs.BackingKiB = sv.GrownKiB
			}
		}
		if v.LUKS != nil && v.Pool != "" {
			vs.LUKS, up = &model.LUKSStatus{Open: sv.Mapped, Gen: sv.KeyGen, WrongKey: sv.WrongKey}, sv.Mapped
		}
		switch {
		case s.DRBD == nil && v.LUKS != nil:
			luksAlone(&vs, v, sv)
			hideUnmade(&vs, v, sv)
		case s.DRBD == nil && mine && sv.Device.Path != "":
			vs.Device, vs.Disk, vs.MDReady, up = sv.Device.Path, model.DiskCreated, true, true
			vs.UsableKiB = sv.Device.SizeKiB
			hideUnmade(&vs, v, sv)
		case s.DRBD != nil:
			vs.MDReady = v.Pool != "" && (sv.MDMade || sv.Initialised || v.Initialised)
			if k == nil {
				break
			}
			// What runs there may be a volume that the controller doesn't know any more.
			other := slices.ContainsFunc(seen.Extra, func(x model.VolumeSpec) bool { return x.Number == v.Number && x.ID != v.ID })
			if kv, there := k.Volumes[v.Number]; there && !other {
				up = true
				vs.Device, vs.Disk, vs.HasQuorum = fmt.Sprintf("/dev/drbd%d", kv.Minor), kv.Disk, kv.HasQuorum
				if kv.SizeKiB > 0 {
					vs.UsableKiB = kv.SizeKiB
				}
			}
		}
		vs.NotThrottled = sv.NotThrottled
		vs.FileSystem = v.FileSystem != nil && v.FileSystem.Now && sv.FileSystem
		vs.NoDisk = steps.WithoutDisk(s, seen, v)
		// A volume that is to go and has left nothing isn't there any more.
		if v.Want == model.Gone && !mine && !up && (v.Pool == "" || sv.PoolSeen && sv.PoolReason == "") {
			continue
		}
		st.Volumes = append(st.Volumes, vs)
	}
	slices.SortFunc(st.Volumes, func(x, y model.VolumeStatus) int { return x.Number - y.Number })
}

func peer(ps model.PeerSpec, kp *steps.KernelPeer) model.PeerStatus {
	out := model.PeerStatus{Node: ps.Node, NodeID: ps.NodeID}
	if kp == nil {
		return out
	}
	out.State, out.Role = kp.State, kp.Role
	for n, pv := range kp.Volumes {
		out.Volumes = append(out.Volumes, model.PeerVolumeStatus{Number: n, Replication: pv.Replication, PeerDisk: pv.Disk,
			OutOfSyncKiB: pv.OutOfSyncKiB, DonePercent: pv.DonePercent})
	}
	slices.SortFunc(out.Volumes, func(x, y model.PeerVolumeStatus) int { return x.Number - y.Number })
	return out
}

// hungOf is the hung program that holds the replica's next steps up, or nil.
func (a *Agent) hungOf(r *replica) *hungProgram {
	for i := range a.hung {
		h := &a.hung[i]
		if h.replica == r.spec.ID {
			return h
		}
		for _, s := range r.plan.Steps {
			if s.Pooled() && slices.Contains(h.pools, s.Pool) {
				return h
			}
		}
	}
	return nil
}
