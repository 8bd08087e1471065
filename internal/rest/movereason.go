package rest

import (
	"holdfast/api"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/state"
)

// moveReasons are those of a replica whose disk comes or goes, or that is to leave its node.
func moveReasons(v *verdict, s *state.Snapshot, d *state.Definition, r *model.Resource) {
	if d.Cloning.Unmade() && !r.Deleting && !d.Deleting {
		v.add(cloneReason(d))
	}
	if r.Successor != "" && !r.Deleting {
		v.add("working", api.Reason{Kind: "moving", Message: plan.Succession(s, d, r) + "."})
	}
	if n := s.Node(r.Node); n != nil && r.Successor == "" && !r.Deleting {
		switch {
		case n.Evicted:
			v.add("waiting", api.Reason{Kind: "evicted", Message: "Its node is evicted: it is down there.", Correction: "`node restore` takes it back, `node lost` gives the node up."})
		case n.Evacuate:
			v.add("waiting", api.Reason{Kind: "evacuating", Message: "It leaves its node when another one can take it.",
				Correction: "`node evacuate " + n.Name + "`, typed again, says what it waits for."})
		}
	}
	switch r.Toggle {
	case model.AddRequested:
		v.add("working", api.Reason{Kind: "disk-adding", Message: "Its disk is being made."})
	case model.Adding:
		v.add("working", api.Reason{Kind: "disk-adding", Message: "It has got a disk, which isn't UpToDate yet."})
	case model.RemoveRequested, model.Removing:
		msg := "Its disk is being removed."
		if g := plan.MayDropDisk(s, d, r); !g.OK {
			msg = "Its disk goes when it is certain that it isn't the last good copy: " + g.Reason + "."
		}
		v.add("working", api.Reason{Kind: "disk-removing", Message: msg})
	case model.NoToggle:
	}
}
