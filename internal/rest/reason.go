package rest

import (
	"fmt"
	"strings"

	"holdfast/api"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/state"
)

// condition words, the worst last.
var conditions = []string{"ok", "working", "waiting", "failed", "deleting"}

// verdict gathers reasons and keeps the worst condition.
type verdict struct {
	api.Status
	rank int
}

func (v *verdict) add(condition string, r api.Reason) {
	v.Reasons = append(v.Reasons, r)
	v.raise(condition)
}

func (v *verdict) raise(condition string) {
	for i, c := range conditions {
		if c == condition {
			v.rank = max(v.rank, i)
		}
	}
}

func (v *verdict) status() *api.Status {
	v.Condition = conditions[v.rank]
	if len(v.Reasons) > 0 {
		v.Waiting = v.Reasons[0].Message
	}
	return &v.Status
}

// replicaStatus says why a replica isn't as desired. It looks at the definition and at its nodes' connections, at nothing
// else: its JSON is kept as long as these stay (view.go).
func replicaStatus(s *state.Snapshot, d *state.Definition, r *model.Resource) *api.Status {
	v := &verdict{Status: api.Status{Generation: int64(d.Generation)}}
	st := d.Seen[r.UUID]
	if st != nil {
		v.Since = st.SinceMS
		if st.Phase == model.Done {
			v.Reported = int64(st.Generation)
		}
	}
	if r.Deleting {
		v.raise("deleting")
		if g := plan.MayRemove(s, d, r); !g.OK {
			v.add("deleting", api.Reason{Kind: "last-copy", Message: "It may hold the last good copy: " + g.Reason,
				Correction: fmt.Sprintf("Wait until another replica is UpToDate, or delete it with --lose=%s, which gives the data up.", d.Name)})
		}
	}
	moveReasons(v, s, d, r)
	n := s.Node(r.Node)
	switch {
	case n == nil:
		v.add("failed", api.Reason{Kind: "node-missing", Message: fmt.Sprintf("Node '%s' is not known.", r.Node)})
		return v.status()
	case !n.Online():
		v.add("waiting", offline(n))
		return v.status()
	case st == nil:
		v.add("working", api.Reason{Kind: "unreported", Message: fmt.Sprintf("Node '%s' has not reported it yet.", n.Name)})
		return v.status()
	}
	switch st.Phase {
	case model.Failed:
		v.add("failed", api.Reason{Kind: "failed", Message: st.Reason, Since: st.SinceMS, Correction: "It is tried again; see to the cause on the node."})
	case model.Blocked:
		v.add("waiting", api.Reason{Kind: "blocked", Message: st.Reason, Since: st.SinceMS})
	case model.Working:
		msg := st.Reason
		if msg == "" {
			msg = fmt.Sprintf("Node '%s' works on it.", n.Name)
		}
		v.add("working", api.Reason{Kind: "working", Message: msg, Since: st.SinceMS})
	case model.Done:
	}
	if !r.Deleting && !r.Inactive && !n.Evicted {
		liveReasons(v, d, r, st)
	}
	if st.Phase == model.Done && st.Generation < d.Generation {
		v.add("working", api.Reason{Kind: "older", Message: fmt.Sprintf("Node '%s' has its generation %d, %d is desired.", n.Name, st.Generation, d.Generation)})
	}
	return v.status()
}

// liveReasons are those of a replica that is to stay.
func liveReasons(v *verdict, d *state.Definition, r *model.Resource, st *model.ResourceStatus) {
	if st.Suspended {
		v.add("waiting", api.Reason{Kind: "suspended", Message: "Its I/O is suspended."})
	}
	for i := range st.Peers {
		if p := &st.Peers[i]; p.State == model.StandAlone {
			v.add("waiting", api.Reason{Kind: "standalone", Message: fmt.Sprintf("The connection to '%s' is StandAlone.", p.Node),
				Correction: "Look into the kernel's log of both nodes: DRBD gave the connection up."})
		}
	}
	for i := range r.Volumes {
		volumeReasons(v, d, r, &r.Volumes[i], st)
	}
}

func offline(n *state.Node) api.Reason {
	return api.Reason{Kind: "offline", Message: fmt.Sprintf("Node '%s' is %s.", n.Name, n.Seen.Status), Cause: n.Seen.Reason, Since: n.Seen.SinceMS,
		Correction: "It is applied when the node returns."}
}

// volumeReasons: the first sync that is still to come, a sync that runs, a disk that isn't good.
func volumeReasons(v *verdict, d *state.Definition, r *model.Resource, vol *model.Volume, st *model.ResourceStatus) {
	vd, seen := d.Volume(vol.Number), seenVolume(st, vol)
	if vd == nil || vol.Deleting || r.Diskless {
		return
	}
	running := ""
	for i := range st.Peers {
		for j := range st.Peers[i].Volumes {
			if pv := &st.Peers[i].Volumes[j]; pv.Number == vol.Number && strings.HasSuffix(pv.Replication, "SyncTarget") {
				running = fmt.Sprintf("Volume %d syncs from '%s': %.1f %%, %d KiB to go.", vol.Number, st.Peers[i].Node, pv.DonePercent, pv.OutOfSyncKiB)
			}
		}
	}
	switch {
	case running != "":
		v.add("working", api.Reason{Kind: "sync", Message: running})
	case !d.HasDRBD():
		if seen == nil || seen.Disk != model.DiskCreated {
			v.add("working", api.Reason{Kind: "disk", Message: fmt.Sprintf("Volume %d is not there yet.", vol.Number)})
		}
	case !vd.Initialised:
		v.add("working", api.Reason{Kind: "first-sync", Message: seedReason(d, r, vd)})
	case seen == nil || seen.Disk == "":
		v.add("working", api.Reason{Kind: "disk", Message: fmt.Sprintf("Volume %d has no disk yet.", vol.Number)})
	case seen.Disk != model.DiskUpToDate:
		v.add("waiting", api.Reason{Kind: "disk", Message: fmt.Sprintf("Volume %d is %s.", vol.Number, seen.Disk)})
	}
}

// seedReason says how an uninitialised volume gets its first good copy.
func seedReason(d *state.Definition, r *model.Resource, vd *model.VolumeDefinition) string {
	src := d.Replica(vd.Source)
	switch {
	case src == nil:
		return fmt.Sprintf("Volume %d has no good copy yet, and no source of one.", vd.Number)
	case vd.SkipSync:
		return fmt.Sprintf("Volume %d needs no first sync; it waits until all replicas are connected.", vd.Number)
	case src.UUID == r.UUID:
		return fmt.Sprintf("Volume %d becomes the first good copy.", vd.Number)
	}
	return fmt.Sprintf("Volume %d waits for its first sync from '%s'.", vd.Number, src.Node)
}

func nodeStatus(n *state.Node) *api.NodeStatus {
	v := &verdict{Status: api.Status{Generation: int64(n.Generation), Since: n.Seen.SinceMS}}
	out := &api.NodeStatus{Fingerprint: n.Fingerprint, Version: n.Seen.Version, DRBD: n.Seen.DRBDVersion}
	if n.Type.HasSatellite() && !n.Online() {
		v.add("waiting", api.Reason{Kind: "offline", Message: fmt.Sprintf("Node '%s' is %s.", n.Name, n.Seen.Status), Cause: n.Seen.Reason, Since: n.Seen.SinceMS})
	}
	for _, h := range n.Seen.Hung {
		v.add("failed", api.Reason{Kind: "hung-program", Message: fmt.Sprintf("The program '%s' (pid %d) hangs.", strings.Join(h.Argv, " "), h.Pid),
			Cause: "It blocks the storage pool '" + h.Pool + "'.", Since: h.SinceMS, Correction: "Look at what the program waits for; a hung disk is the usual cause."})
	}
	for _, o := range n.Seen.Orphans {
		v.raise("ok")
		r := api.Reason{Kind: "orphan", Message: fmt.Sprintf("'%s' in pool '%s' bears Holdfast's label %s, and nothing wants it.", o.Name, o.Pool, o.ID),
			Correction: "It is left alone. Remove it by hand if its data is not needed."}
		if o.Pool == "" { // a file
			r.Message = fmt.Sprintf("The configuration file '%s' is of the replica %s, and nothing wants it.", o.Name, o.ID)
			r.Correction = "It is left alone, and what DRBD runs by it. Take that down (`drbdadm -c FILE down NAME`) and remove the file if it is not needed."
		}
		v.Reasons = append(v.Reasons, r)
	}
	out.Status = *v.status()
	if v.rank == 0 {
		out.Waiting = ""
	}
	return out
}
