package steps

import (
	"maps"
	"slices"

	"holdfast/internal/model"
)

// With 8.4 one that makes room for another doesn't see its old peer any more, and may be a stranger to it when they meet again:
// 8.4 remembers two older generations of data, and each start of a sync to the one that took its place adds one. But it knows by
// itself whether that peer has all that it has: they were in sync (Exchange.Synced), and what was written here since, while
// they weren't connected, is in the bitmap, also after a power cut.
//
// One left in the midst of its own sync from that peer has nothing of its own at all: its disk is Inconsistent, and whoever used it used
// the peer's data. One left before that sync began is Outdated: the two had agreed that all it has is in the peer's past. What is marked
// on it then is what it lacks, as the peer told it (8.4.11: seen in the lab after WFBitMapT; nobody can write to an Outdated disk).
//
// A connection of 8.4 has no name, and it lets in whoever calls. So this counts only where nobody is left who had this one for a peer.

// callers tells whether another than the peer in the config may call: one that was left, and isn't confirmed gone.
func callers(d *model.DRBDSpec, e Exchange) bool {
	for id := range e.Left {
		if id == "" || d.Others == nil || slices.Contains(d.Others, id) {
			return true
		}
	}
	return false
}

// inSync notes that volumes are in sync with the only peer that there is, once for each. nil: there is nothing to note.
func (p *planner) inSync(ready []model.VolumeSpec) *Step {
	k, rec := p.seen.Kernel, p.seen.Record
	if p.spec.DRBD.Generation != model.DRBD8 || p.goes || k == nil || !rec.There || len(p.spec.DRBD.Peers) != 1 ||
		rec.Exchange.For != "" || callers(p.spec.DRBD, rec.Exchange) || rec.Exchange.Peer != p.spec.DRBD.Peers[0].ID {
		return nil
	}
	peer := rec.Exchange.Peer
	synced := maps.Clone(rec.Exchange.Synced)
	if synced == nil {
		synced = map[model.UUID]model.UUID{}
	}
	news := false
	for _, v := range ready {
		if synced[v.ID] != peer && same(k, v.Number) {
			synced[v.ID], news = peer, true
		}
	}
	if !news {
		return nil
	}
	maps.DeleteFunc(synced, func(id, _ model.UUID) bool { // of volumes that are gone
		return !slices.ContainsFunc(ready, func(v model.VolumeSpec) bool { return v.ID == id })
	})
	rec.Exchange.Synced = synced
	s := p.record(rec)
	return &s
}

// same tells whether the volume is the same here and on the one peer.
func same(k *Kernel, number int) bool {
	if k == nil || len(k.Peers) != 1 {
		return false
	}
	pv := k.Peers[0].Volumes[number]
	return k.Peers[0].State == model.Connected && pv.Replication == "Established" && pv.OutOfSyncKiB == 0 &&
		k.Volumes[number].Disk == model.DiskUpToDate && pv.Disk == model.DiskUpToDate
}

// another is what is known of exchanged peers before the config in place gets the peer of the spec: with another one, nothing is in
// sync, and the one before was left, even if nobody knows who that was. The first one is known from here on, since whoever dies in the
// midst of it may have been connected.
func (p *planner) another(e Exchange) Exchange {
	if p.spec.DRBD.Generation != model.DRBD8 || len(p.spec.DRBD.Peers) != 1 || e.Peer == p.spec.DRBD.Peers[0].ID {
		return e
	}
	if e.Peer == "" && !p.seen.ConfigThere {
		e.Peer = p.spec.DRBD.Peers[0].ID
		return e
	}
	e.Synced = nil
	if _, noted := e.Left[e.Peer]; noted {
		return e
	}
	return e.With(e.Peer, nil)
}

// Unwritten tells whether nothing was written to the volumes since they were last in sync with the peer, as far as the kernel says:
// it has marked nothing, or what is there was being replaced or about to be. It doesn't say with whom.
func Unwritten(k *Kernel, volumes []int) bool {
	if k == nil || k.Role == primary || len(k.Peers) != 1 {
		return false
	}
	for _, n := range volumes {
		pv, there := k.Peers[0].Volumes[n]
		switch k.Volumes[n].Disk {
		case model.DiskInconsistent, "Outdated":
		case model.DiskUpToDate:
			there = there && pv.OutOfSyncKiB == 0
		default:
			there = false
		}
		if !there {
			return false
		}
	}
	return true
}

// Within names the peer that has all that the replica has; "": not known.
func Within(spec model.ResourceSpec, seen Seen) model.UUID {
	if spec.DRBD == nil || spec.DRBD.Generation != model.DRBD8 {
		return ""
	}
	e, all := seen.Record.Exchange, slices.Concat(spec.Volumes, seen.Extra)
	var numbers []int
	for _, v := range all {
		numbers = append(numbers, v.Number)
	}
	if callers(spec.DRBD, e) || len(numbers) == 0 || !Unwritten(seen.Kernel, numbers) {
		return ""
	}
	for _, v := range all {
		if e.Synced[v.ID] != e.Peer && seen.Kernel.Volumes[v.Number].Disk != model.DiskInconsistent {
			return ""
		}
	}
	return e.Peer
}

// held tells whether the replica may go without seeing another good copy: the controller says, in this session, who has all that
// is here, and so do the node's own records and kernel.
func (p *planner) held(volumes []int) bool {
	return p.node.Session && p.spec.HeldBy != "" && p.spec.HeldBy == Within(p.spec, p.seen) && Unwritten(p.seen.Kernel, volumes)
}
