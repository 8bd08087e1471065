package condition

import (
	"fmt"
	"slices"

	"holdfast/internal/model"
)

// unmet: DRBD 8.4 has no quorum. A replica that comes up alone calls itself UpToDate by its own metadata, and knows nothing of
// what was written elsewhere while it was down. Nobody keeps its user from promoting it; so this says what is known.
func (l *look) unmet(r *model.Resource) {
	st := l.seen(r)
	if l.d.DRBD != model.DRBD8 || r.Diskless || st == nil || st.MetPeer || st.InUse ||
		!slices.ContainsFunc(l.volumes(), func(n int) bool { return disk(st, n) == model.DiskUpToDate }) {
		return
	}
	for _, p := range st.Peers {
		if p.State == model.Connected {
			return
		}
		i := slices.IndexFunc(l.live, func(o *model.Resource) bool { return model.Key(o.Node) == model.Key(p.Node) && !o.Diskless })
		if i < 0 {
			continue
		}
		l.add(Condition{Kind: Unmet, Node: r.Node, Peer: p.Node, Volume: -1, SinceMS: st.SinceMS,
			Message: fmt.Sprintf("Nobody knows whether %s has all that was written: it hasn't met %s since it booted, and DRBD 8.4 has no quorum.", r.Node, p.Node),
			Evidence: []string{fmt.Sprintf("%s: UpToDate by its own metadata, connection %s", r.Node, word(p.State)),
				fmt.Sprintf("%s may have been used alone meanwhile", p.Node)},
			Mends: []Mend{
				{What: fmt.Sprintf("Bring %s back, so that they connect.", p.Node), LosesNothing: true},
				{What: fmt.Sprintf("Use %s as it is.", r.Node), Commands: []Command{{r.Node, "drbdadm primary " + l.d.Name}},
					Loses: fmt.Sprintf("what was written on %s while %s was down: the two become a split brain", p.Node, r.Node)},
			}})
		return
	}
}
