package plan

import (
	"strings"
	"testing"

	"holdfast/internal/model"
)

// lone reports a replica that is held, good, and connected to nobody.
func (r *rig) lone(node string, q model.QuietStatus, inUse bool) {
	id := model.UUID("backups-" + node)
	st := *r.tx.Snapshot().DefinitionByID("backups").Seen[id]
	st.Quiet, st.InUse, st.Peers = q, inUse, []model.PeerStatus{{Node: "alpha", State: "Connecting"}, {Node: "bravo", State: "Connecting"}}
	r.tx.SeeResource("backups", id, &st)
	r.after()
}

// Who was cut off after the command, or just before it and nobody knew yet, may have written what the others lack.
func TestSnapshotOfReplicasCutOff(t *testing.T) {
	for name, c := range map[string]struct {
		lone, inUse string
		only, trust bool // only alpha's replica is in it; users named alpha
		want        model.SnapshotState
	}{
		"both take part":                      {lone: "bravo", want: model.SnapshotFailed},
		"in use where it is alone":            {lone: "bravo", inUse: "bravo", only: true, want: model.SnapshotFailed},
		"one takes no part":                   {lone: "bravo", only: true, want: model.SnapshotFailed},
		"one takes no part, and users say so": {lone: "bravo", only: true, trust: true, want: model.SnapshotCopying},
		"connected":                           {only: true, want: model.SnapshotCopying},
	} {
		r := newRig(t, "backups")
		r.take("backups")
		d := r.tx.Snapshot().DefinitionByID("backups").Clone()
		sn := &d.Snapshots[0]
		if sn.Together = !c.trust; c.only {
			sn.Copies = sn.Copies[:1]
		}
		r.put(d)
		r.see("backups", "alpha", held)
		if c.lone == "" {
			r.see("backups", "bravo", held)
		} else {
			r.lone(c.lone, held, c.inUse == c.lone)
		}
		if r.want("backups", c.want); c.want == model.SnapshotFailed && !strings.Contains(r.snap("backups").Reason, "connected") {
			t.Errorf("%s: %q", name, r.snap("backups").Reason)
		}
	}
}
