package plan

import (
	"cmp"
	"fmt"
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// Removal says whether a replica may go, by what nodes report in their current sessions; unknown counts as not good.
type Removal struct {
	OK     bool
	Reason string // why not, or what it waits for
	// LastUnused: there is no other diskful replica, and nobody uses this one.
	LastUnused bool
}

// MayRemove is the controller's guard on the last good copy: checked when the command comes, and again each time the
// order would be sent. The node checks a third time, against its own kernel.
func MayRemove(s *state.Snapshot, d *state.Definition, r *model.Resource) Removal {
	if d.Deleting || r.Lose || r.Diskless {
		return Removal{OK: true}
	}
	if r.Successor != "" {
		return Removal{Reason: Succession(s, d, r)}
	}
	others := 0
	for i := range d.Resources {
		if other(d, r, &d.Resources[i]) {
			others++
		}
	}
	if others > 0 {
		for _, v := range r.Volumes {
			if v.Deleting || d.HasDRBD() && !v.Initialised { // it goes anyway; it was never attached
				continue
			}
			if why := unproven(s, d, r, v.Number); why != "" && !keeps(d, r, v.Number) {
				return Removal{Reason: "no other replica is proven UpToDate: " + why}
			}
		}
		return Removal{OK: true}
	}
	if node := InUse(d); node != "" {
		return Removal{Reason: fmt.Sprintf("it is the last replica and %s is in use on %s", d.Name, node)}
	}
	if d.Seen[r.UUID] == nil && EverDeployed(r) {
		return Removal{Reason: fmt.Sprintf("it is the last replica, and %s, which would know whether it is in use, is offline", r.Node)}
	}
	return Removal{OK: true, LastUnused: true}
}

// other tells whether o may hold what r holds. One on r's own node waits until r is gone, and holds nothing before.
func other(d *state.Definition, r, o *model.Resource) bool {
	return o.UUID != r.UUID && !o.Diskless && !o.Deleting && model.Key(o.Node) != model.Key(r.Node)
}

// unproven says why no other replica is proven to be good for that volume; "" if one is. One that is connected to nobody
// isn't, unless the replica is on its way out already: then it may have been the only peer, and its node looks once more.
func unproven(s *state.Snapshot, d *state.Definition, r *model.Resource, number int) (why string) {
	for i := range d.Resources {
		o := &d.Resources[i]
		if !other(d, r, o) {
			continue
		}
		if o.DiskLeaves() {
			why = cmp.Or(why, fmt.Sprintf("%s on %s loses its disk too", d.Name, o.Node))
			continue
		}
		st := d.Seen[o.UUID]
		switch good := goodVolume(d, o, number); {
		case good && (r.Deleting || !goodVolume(d, r, number) || InTouch(st)):
			return ""
		case good:
			why = cmp.Or(why, fmt.Sprintf("%s on %s is UpToDate by its own word, but connected to nobody: it may have missed what was written on %s", d.Name, o.Node, r.Node))
		}
		if why == "" {
			why = fmt.Sprintf("%s on %s is %s", d.Name, o.Node, diskWord(s, o, st))
		}
	}
	return why
}

// keeps breaks a circle: several replicas are replaced on their own nodes at once, each new one waits until the old one is gone,
// and each old one until a new one is good. The first of the old ones, by their order in the definition, which no report
// changes, stays until then (for that one there is no other); what it is proven to hold, the rest needn't keep.
func keeps(d *state.Definition, r *model.Resource, number int) bool {
	if !r.Deleting || !slices.ContainsFunc(d.Resources, func(o model.Resource) bool {
		return !o.Deleting && !o.Diskless && o.UUID != r.UUID && model.Key(o.Node) == model.Key(r.Node)
	}) {
		return false
	}
	i := slices.IndexFunc(d.Resources, func(o model.Resource) bool { return o.Deleting && !o.Diskless && !o.Lose && o.Successor == "" })
	if i < 0 || d.Resources[i].UUID == r.UUID || model.Key(d.Resources[i].Node) == model.Key(r.Node) {
		return false
	}
	k := &d.Resources[i]
	st := d.Seen[k.UUID]
	return goodVolume(d, k, number) && slices.ContainsFunc(st.Peers, func(p model.PeerStatus) bool {
		return model.Key(p.Node) == model.Key(r.Node) && p.State == model.Connected
	})
}

// goodVolume tells whether the replica's volume is good by its own word, in its node's current session.
func goodVolume(d *state.Definition, r *model.Resource, number int) bool {
	sv := status(d, r, r.Volume(number))
	return sv != nil && (sv.Disk == model.DiskUpToDate || sv.Disk == model.DiskCreated)
}

// InTouch tells whether a replica is connected to any of those it is to be connected to. One that is alone can't know that it
// was left behind.
func InTouch(st *model.ResourceStatus) bool {
	return len(st.Peers) == 0 || slices.ContainsFunc(st.Peers, func(p model.PeerStatus) bool { return p.State == model.Connected })
}

// EverDeployed tells whether metadata were made for any of its volumes: then it may hold data.
func EverDeployed(r *model.Resource) bool {
	for _, v := range r.Volumes {
		if v.Initialised {
			return true
		}
	}
	return false
}

func diskWord(s *state.Snapshot, r *model.Resource, st *model.ResourceStatus) string {
	if n := s.Node(r.Node); n == nil || !n.Online() {
		return "unknown (the node is offline)"
	}
	if st == nil {
		return "unknown (the node hasn't reported it)"
	}
	for _, v := range st.Volumes {
		if v.Disk != model.DiskUpToDate && v.Disk != model.DiskCreated {
			if v.Disk == "" {
				return "without a disk yet"
			}
			return v.Disk
		}
	}
	return "not complete"
}

// InUse names a node on which the definition is seen Primary; "" if none is.
func InUse(d *state.Definition) string {
	for i := range d.Resources {
		if r := &d.Resources[i]; inUse(d, r) {
			return r.Node
		}
	}
	return ""
}

func inUse(d *state.Definition, r *model.Resource) bool {
	st := d.Seen[r.UUID]
	return st != nil && st.InUse
}
