package plan

import (
	"fmt"

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
	others, good := 0, 0
	var unproven string
	for i := range d.Resources {
		o := &d.Resources[i]
		if o.UUID == r.UUID || o.Diskless || o.Deleting {
			continue
		}
		others++
		if st := d.Seen[o.UUID]; st != nil && st.UpToDate() && len(st.Volumes) >= len(r.Volumes) {
			good++
		} else if unproven == "" {
			unproven = fmt.Sprintf("%s on %s is %s", d.Name, o.Node, diskWord(s, o, st))
		}
	}
	switch {
	case good > 0:
		return Removal{OK: true}
	case others > 0:
		return Removal{Reason: fmt.Sprintf("no other replica is proven UpToDate: %s", unproven)}
	}
	if node := InUse(d); node != "" {
		return Removal{Reason: fmt.Sprintf("it is the last replica and %s is in use on %s", d.Name, node)}
	}
	if d.Seen[r.UUID] == nil && everDeployed(r) {
		return Removal{Reason: fmt.Sprintf("it is the last replica, and %s, which would know whether it is in use, is offline", r.Node)}
	}
	return Removal{OK: true, LastUnused: true}
}

func everDeployed(r *model.Resource) bool {
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
	for _, r := range d.Resources {
		if st := d.Seen[r.UUID]; st != nil && st.InUse {
			return r.Node
		}
	}
	return ""
}
