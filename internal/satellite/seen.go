package satellite

import (
	"slices"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/satellite/steps"
)

// seen gathers what concerns a replica.
func (a *Agent) seen(r *replica) steps.Seen {
	s := r.spec
	out := steps.Seen{Volumes: map[int]steps.Volume{}, KernelKnown: a.viewKnown, Heals: r.heals, Failing: r.fails > 0, Passed: !r.passed.IsZero(),
		Forgotten: a.kept.Forgotten[s.ID], Kernel: kernel(a.view[s.Name]), Quiet: r.quiet, Rolled: r.rolled, Anew: r.anew, Followed: a.streamOn && a.eventsFull && !a.doubt[s.Name], Verify: r.verify}
	if s.Snapshot != nil {
		for _, v := range volumesOf(s) {
			out.Volumes[v.Number] = a.seenVolume(r, v)
		}
		return out
	}
	if c, ok := a.configs[s.Name]; ok {
		out.ConfigThere, out.Config, out.ConfigID = true, c.Text, c.Owner
	}
	if rec, ok := a.records[s.ID]; ok {
		out.Record = rec.in(a.boot)
	}
	for id, rec := range a.records {
		if rec.Resource == s.Name && rec.Boot == a.boot && out.Owner != s.ID && (id == s.ID || out.Owner == "" || id < out.Owner) {
			out.Owner = id
		}
	}
	for id, o := range a.replicas {
		if s.Want == model.Up && id != s.ID && o.spec.Snapshot == nil && strings.EqualFold(o.spec.Name, s.Name) && !o.status.Gone && (o.spec.Want == model.Gone || a.holds(o)) {
			out.OldWaits = id
		}
	}
	for _, v := range s.Volumes {
		out.Volumes[v.Number] = a.seenVolume(r, v)
	}
	out.Extra = a.kept.Unmentioned[s.ID]
	if s.DRBD != nil {
		mine := slices.Concat(s.Volumes, out.Extra)
		for name, k := range a.view {
			for _, d := range k.Devices {
				if name != s.Name && slices.ContainsFunc(mine, func(v model.VolumeSpec) bool { return v.Minor == d.Minor }) {
					if out.Minors == nil {
						out.Minors = map[int]string{}
					}
					out.Minors[d.Minor] = name
				}
			}
		}
	}
	for _, v := range out.Extra {
		if _, twice := out.Volumes[v.Number]; !twice {
			out.Volumes[v.Number] = a.seenVolume(r, v)
		}
	}
	return out
}

// seenVolume gathers what concerns a volume of the replica.
func (a *Agent) seenVolume(r *replica, v model.VolumeSpec) steps.Volume {
	sv := steps.Volume{Made: r.made[v.ID], MDMade: r.mdMade[v.ID], GrownKiB: r.grown[v.ID], AloneKiB: r.alone[v.ID], Initialised: has(a.kept.Initialised, v.ID), Data: has(a.kept.Data, v.ID)}
	sv.CopiedKiB, sv.Begun = r.copied[v.ID]
	if p := a.pools[v.Pool]; p != nil {
		sv.PoolSeen, sv.PoolReason = p.seen && !p.stale, p.reason
		if h := a.hungPool(v.Pool); h != nil {
			sv.PoolReason = hungText(h)
		}
		if d := p.last.Device(v.Backing); d != nil {
			c := *d
			sv.Device, sv.LabelKnown = &c, c.Label == v.ID || a.known(c.Label)
		}
	} else if v.Pool != "" {
		sv.PoolReason = "this node wasn't told of it"
	}
	a.seenCrypt(r, v, &sv)
	seenFileSystem(r, v, &sv)
	seenThrottle(r, v, &sv)
	return sv
}

// holds tells whether an incarnation has a config file or a record here.
func (a *Agent) holds(r *replica) bool {
	_, rec := a.records[r.spec.ID]
	return rec || a.configs[r.spec.Name].Owner == r.spec.ID
}

// known tells whether a label is of a volume that this node is told about.
func (a *Agent) known(label model.UUID) bool {
	for _, r := range a.replicas {
		for _, v := range volumesOf(r.spec) {
			if v.ID == label {
				return true
			}
		}
	}
	return false
}

func (a *Agent) facts(r *replica) steps.Node {
	n := steps.Node{Name: a.cfg.Node, CopyPartKiB: a.cfg.CopyPartKiB}
	if a.node != nil {
		n.Known, n.DRBD, n.Throttles = true, model.DRBDGeneration(a.node.drbd.Generation), a.node.throttles
	}
	n.Session = a.session != nil && r.session == a.session.id
	return n
}
