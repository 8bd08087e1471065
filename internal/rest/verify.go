package rest

import (
	"strings"

	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/state"
)

func startVerify(c *call) (core.Command, error) {
	return core.Verify{Definition: c.param("rsc")}, nil
}

// viewVerifies lists the newest verify of each resource that had one; `resources` filters.
func viewVerifies(c *call) error {
	want := c.names("resources")
	out := []api.Verify{}
	c.snap.Definitions(func(d *state.Definition) bool {
		if d.Verify != nil && want.has(d.Name) {
			out = append(out, verifyView(c.snap, d))
		}
		return true
	})
	out, err := page(c, out)
	if err != nil {
		return err
	}
	return c.json(out)
}

func verifyView(s *state.Snapshot, d *state.Definition) api.Verify {
	v := d.Verify
	out := api.Verify{ResourceName: d.Name, By: v.By, Asked: v.AskedMS, Ended: v.EndedMS, Reason: v.Reason, Restarts: v.Broken}
	if r := d.Replica(v.Replica); r != nil {
		out.NodeName = r.Node
	}
	for _, f := range v.Found {
		out.Found = append(out.Found, api.VerifyFound{VolumeNumber: f.Volume, NodeName: f.Node, PeerName: f.Peer, OutOfSyncKib: f.OutOfSyncKiB})
	}
	switch v.State {
	case model.VerifyDone:
		out.State, out.DonePercent = "DONE", 100
	case model.VerifyFailed:
		out.State = "FAILED"
	default:
		out.State = "WAITING"
		if why := plan.VerifyWaits(s, d); why != "" {
			out.Reason = why
			return out
		}
		if st := d.Seen[v.Replica]; st != nil && st.Verify.State == model.VerifyBegun {
			out.State, out.DonePercent = "RUNNING", verifyPercent(st)
		}
	}
	return out
}

// verifyPercent of the volume that is least far; 0 where DRBD doesn't say (8.4).
func verifyPercent(st *model.ResourceStatus) float64 {
	least := 100.0
	for _, p := range st.Peers {
		for _, pv := range p.Volumes {
			if strings.HasPrefix(pv.Replication, "Verify") {
				least = min(least, pv.DonePercent)
			}
		}
	}
	return least
}
