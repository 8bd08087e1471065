package plan

import (
	"fmt"
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// snapshots moves the snapshots of c on, by what nodes say in their current sessions; see model.SnapshotState. Those of
// other definitions that are taken at the same moment are looked at anew when one moves.
func snapshots(tx *state.Tx, d *state.Definition, c *model.ResourceDefinition) (moved bool) {
	s := tx.Snapshot()
	var with []model.UUID
	for i := range c.Snapshots {
		sn := &c.Snapshots[i]
		gone := copiesGone(d, sn)
		next, why := next(s, d, sn)
		if next != sn.State {
			sn.State, gone = next, true
			if next == model.SnapshotFailed {
				sn.Reason, sn.Disconnected = why.text, why.disconnected
				for j := range sn.Copies {
					sn.Copies[j].Deleting = true
				}
			}
			if !next.Taking() {
				sn.Quiet = nil
			}
			with = append(with, sn.With...)
			if sn.For != "" {
				with = append(with, sn.For)
			}
		}
		moved = moved || gone
	}
	n := len(c.Snapshots)
	c.Snapshots = slices.DeleteFunc(c.Snapshots, func(sn model.Snapshot) bool {
		return sn.State == model.SnapshotDeleting && len(sn.Copies) == 0
	})
	for _, id := range with {
		if id != c.UUID {
			tx.Touch(id)
		}
	}
	return moved || len(c.Snapshots) != n
}

// restoredOnce forgets what volumes were made from, once the volume has its data: nothing is ever restored twice.
func restoredOnce(c *model.ResourceDefinition) (moved bool) {
	for i := range c.Resources {
		for j := range c.Resources[i].Volumes {
			v := &c.Resources[i].Volumes[j]
			if vd := c.Volume(v.Number); v.From != nil && v.Initialised && (vd == nil || vd.Initialised) {
				v.From, moved = nil, true
			}
		}
	}
	return moved
}

// copiesGone takes away the copies whose node confirms.
func copiesGone(d *state.Definition, sn *model.Snapshot) bool {
	n := len(sn.Copies)
	sn.Copies = slices.DeleteFunc(sn.Copies, func(k model.SnapshotCopy) bool {
		st := d.Seen[k.UUID]
		return k.Deleting && st != nil && st.Gone
	})
	return len(sn.Copies) != n
}

// reason why a snapshot fails; zero: it doesn't.
type reason struct {
	text         string
	disconnected bool
}

// next is the state that follows. Of several definitions none moves on before all may, and one that fails takes all along.
func next(s *state.Snapshot, d *state.Definition, sn *model.Snapshot) (model.SnapshotState, reason) {
	if !sn.State.Taking() {
		return sn.State, reason{}
	}
	if why := Fails(s, d, sn); why.text != "" {
		return model.SnapshotFailed, why
	}
	all := ready(s, d, sn)
	if all && sn.State == model.SnapshotSuspending {
		if why := apart(d, sn); why != "" {
			return model.SnapshotFailed, reason{text: why}
		}
	}
	for _, id := range sn.With {
		if id == d.UUID {
			continue
		}
		od := s.DefinitionByID(id)
		o := byLease(od, sn.Lease)
		if o == nil || o.State == model.SnapshotFailed || o.State == model.SnapshotDeleting {
			why := reason{text: "the snapshot of another resource, which was to be taken at the same moment, was given up"}
			if o != nil {
				why = reason{text: fmt.Sprintf("that of %s, which was to be taken at the same moment, failed: %s", od.Name, o.Reason), disconnected: o.Disconnected}
			}
			return model.SnapshotFailed, why
		}
		if why := Fails(s, od, o); why.text != "" {
			return model.SnapshotFailed, reason{fmt.Sprintf("that of %s, which was to be taken at the same moment, failed: %s", od.Name, why.text), why.disconnected}
		}
		if rank(o.State) < rank(sn.State) || o.State == sn.State && !ready(s, od, o) {
			all = false
		}
	}
	if !all {
		return sn.State, reason{}
	}
	switch sn.State {
	case model.SnapshotSuspending:
		return model.SnapshotCopying, reason{}
	case model.SnapshotCopying:
		return model.SnapshotResuming, reason{}
	}
	return model.SnapshotSuccessful, reason{}
}

func rank(st model.SnapshotState) int {
	return slices.Index([]model.SnapshotState{model.SnapshotSuspending, model.SnapshotCopying, model.SnapshotResuming, model.SnapshotSuccessful}, st)
}

func byLease(d *state.Definition, lease model.UUID) *model.Snapshot {
	if d == nil {
		return nil
	}
	for i := range d.Snapshots {
		if d.Snapshots[i].Lease == lease {
			return &d.Snapshots[i]
		}
	}
	return nil
}

// Fails says why the snapshot that is being taken can't become Successful any more.
func Fails(s *state.Snapshot, d *state.Definition, sn *model.Snapshot) reason {
	if !sn.State.Taking() {
		return reason{}
	}
	if d.Deleting {
		return reason{text: d.Name + " is being deleted"}
	}
	for _, id := range sn.Quiet {
		r := d.Replica(id)
		if r == nil || r.Deleting {
			return reason{text: "a replica was removed meanwhile"}
		}
		st := d.Seen[id]
		switch {
		case st == nil:
			return reason{fmt.Sprintf("the connection to node %s was lost meanwhile", r.Node), true}
		case st.Quiet.Lease == sn.Lease && st.Quiet.State == model.QuietLapsed:
			return reason{text: fmt.Sprintf("on %s: %s", r.Node, st.Quiet.Reason)}
		case sn.State == model.SnapshotCopying && (st.Quiet.Lease != sn.Lease || st.Quiet.State != model.QuietHeld):
			return reason{text: fmt.Sprintf("it was given up on %s before all copies were made", r.Node)}
		}
		if node := Loud(d, sn.Quiet, st); node != "" {
			return reason{text: fmt.Sprintf("DRBD on %s connected to %s, whose I/O goes on", r.Node, node)}
		}
	}
	// Nobody may have come who isn't quiet.
	for i := range d.Resources {
		r := &d.Resources[i]
		if st := d.Seen[r.UUID]; d.HasDRBD() && st != nil && !st.Gone && !slices.Contains(sn.Quiet, r.UUID) {
			if !r.Deleting || st.InUse {
				return reason{text: fmt.Sprintf("a replica on %s came meanwhile", r.Node)}
			}
		}
	}
	for _, k := range sn.Copies {
		n := s.Node(k.Node)
		if n == nil || !n.Online() {
			return reason{fmt.Sprintf("the connection to node %s was lost meanwhile", k.Node), true}
		}
		if k.Deleting {
			return reason{text: "the copy on " + k.Node + " was given up"}
		}
		r := d.Replica(k.Replica)
		if r == nil || r.Deleting {
			return reason{text: "the replica on " + k.Node + " was removed meanwhile"}
		}
		if st := d.Seen[r.UUID]; sn.State != model.SnapshotResuming && (st == nil || !good(st, k)) {
			return reason{text: "the replica on " + k.Node + " isn't UpToDate any more"}
		}
		if st := d.Seen[k.UUID]; st != nil && st.Phase == model.Failed {
			return reason{text: fmt.Sprintf("on %s: %s", k.Node, st.Reason)}
		}
	}
	return reason{}
}

// Loud names a node to which a replica with that status is connected though its I/O doesn't stand still; "" for none.
func Loud(d *state.Definition, quiet []model.UUID, st *model.ResourceStatus) string {
	for _, p := range st.Peers {
		if p.State != model.Connected {
			continue
		}
		if !slices.ContainsFunc(quiet, func(id model.UUID) bool {
			r := d.Replica(id)
			return r != nil && model.Key(r.Node) == model.Key(p.Node)
		}) {
			return p.Node
		}
	}
	return ""
}

// good tells whether all of the copy's volumes are good on the replica.
func good(st *model.ResourceStatus, k model.SnapshotCopy) bool {
	for _, v := range k.Volumes {
		if x := st.Volume(v.Number); x == nil || x.Disk != model.DiskUpToDate && x.Disk != model.DiskCreated {
			return false
		}
	}
	return true
}

// ready tells whether the definition's own part of a snapshot's state is done.
func ready(s *state.Snapshot, d *state.Definition, sn *model.Snapshot) bool {
	quiet := func(want model.QuietState) bool {
		return !slices.ContainsFunc(sn.Quiet, func(id model.UUID) bool {
			st := d.Seen[id]
			return st == nil || st.Quiet.Lease != sn.Lease || st.Quiet.State != want
		})
	}
	switch sn.State {
	case model.SnapshotSuspending:
		return quiet(model.QuietHeld)
	case model.SnapshotCopying:
		return quiet(model.QuietHeld) && !slices.ContainsFunc(sn.Copies, func(k model.SnapshotCopy) bool {
			st := d.Seen[k.UUID]
			return st == nil || st.Phase != model.Done
		})
	case model.SnapshotResuming:
		return quiet(model.QuietOver)
	}
	return false
}
