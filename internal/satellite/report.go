package satellite

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/wire"
)

// Outbox gives what is to be sent in the open session now: the whole at first, then what differs from what was sent.
func (a *Agent) Outbox(now time.Time) []wire.Message {
	s := a.session
	if s == nil {
		return nil
	}
	if !s.first && !a.looked() && now.Sub(s.since) < firstReport {
		return nil
	}
	rep := wire.Report{AckSeq: s.seq, Full: !s.first}
	for _, id := range a.ids() {
		r := a.replicas[id]
		if !r.planned {
			continue
		}
		if old, sent := s.sent[id]; sent && reflect.DeepEqual(old, r.status) {
			continue
		}
		s.sent[id] = r.status
		rep.Resources = append(rep.Resources, r.status)
	}
	for _, id := range slices.Sorted(maps.Keys(s.sent)) {
		if a.replicas[id] == nil {
			delete(s.sent, id)
			rep.Forgotten = append(rep.Forgotten, id)
		}
	}
	if n := a.nodeReport(); a.node != nil && a.tell(s, n, now) {
		s.node, s.nodeAt, rep.Node = &n, now, &n
	}
	if !rep.Full && rep.Node == nil && len(rep.Resources) == 0 && len(rep.Forgotten) == 0 && rep.AckSeq == s.acked {
		return nil
	}
	s.first, s.acked = true, rep.AckSeq
	return []wire.Message{rep}
}

// looked tells whether all there is was looked at once: the node, each pool, DRBD, each replica.
func (a *Agent) looked() bool {
	if a.node == nil || !a.viewKnown && a.node.drbd.Loaded {
		return false
	}
	for _, p := range a.pools {
		if !p.seen && p.reason == "" {
			return false
		}
	}
	if !a.crypt.known && a.encrypted() {
		return false
	}
	for _, r := range a.replicas {
		if !r.planned || r.dirty {
			return false
		}
	}
	return true
}

// tell decides whether the node's own report is due. Free space that moved by itself waits a little.
func (a *Agent) tell(s *session, n model.NodeReport, now time.Time) bool {
	if s.node == nil {
		return true
	}
	if reflect.DeepEqual(still(*s.node, true), still(n, true)) {
		return !reflect.DeepEqual(still(*s.node, false), still(n, false)) && now.Sub(s.nodeAt) >= freeEvery
	}
	return true
}

// tellFree lets what is free be reported at once.
func (a *Agent) tellFree() {
	if a.session != nil {
		a.session.nodeAt = time.Time{}
	}
}

// still is the report without what changes with every look, and without the free space if told so.
func still(n model.NodeReport, free bool) model.NodeReport {
	n.Pools = slices.Clone(n.Pools)
	for i := range n.Pools {
		n.Pools[i].SeenMS = 0
		if free {
			n.Pools[i].FreeKiB, n.Pools[i].MetaPercent = 0, 0
		}
	}
	return n
}

func (a *Agent) nodeReport() model.NodeReport {
	n := model.NodeReport{Uname: a.cfg.Node, BootID: a.boot, Version: a.cfg.Version, Unheld: true}
	if f := a.node; f != nil {
		n.Kernel, n.DRBD, n.DRBDVersion, n.UtilsVersion = f.kernel, model.DRBDGeneration(f.drbd.Generation), f.drbd.Module, f.drbd.Utils
		n.Providers, n.Layers, n.Unsupported = f.providers, f.layers, f.unsupported
		n.Snapshots, n.Copies = f.snapshots, f.copies
	}
	if f := a.node; f != nil {
		n.Devices, n.Makes = f.devices, f.makes
	}
	n.DevicePools = a.devicePoolStatus()
	desired := map[model.UUID]bool{}
	for _, r := range a.replicas {
		desired[r.spec.ID] = true
		for _, v := range volumesOf(r.spec) {
			desired[v.ID] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.pools)) {
		p := a.pools[name]
		ps := model.PoolStatus{UUID: p.spec.UUID, Name: name, FreeKiB: p.last.FreeKiB, TotalKiB: p.last.TotalKiB, Reason: p.reason,
			MetaPercent: p.last.MetaPercent, Zeroes: p.last.Zeroes, Trouble: p.last.Trouble, NoSnapshots: p.last.NoSnapshots}
		if p.seen {
			ps.SeenMS = p.good.UnixMilli()
		} else if p.reason == "" && a.hungPool(name) == nil {
			continue // it is being read for the first time
		}
		for _, d := range p.last.Devices {
			if d.Label == "" {
				continue
			}
			ps.Volumes = append(ps.Volumes, d.Label)
			if !desired[d.Label] {
				n.Orphans = append(n.Orphans, model.Orphan{ID: d.Label, Pool: name, Name: d.Name})
			}
		}
		if h := a.hungPool(name); h != nil {
			ps.Reason = hungText(h)
		}
		n.Pools = append(n.Pools, ps)
	}
	for _, name := range slices.Sorted(maps.Keys(a.configs)) {
		if c := a.configs[name]; c.Owner != "" && !desired[c.Owner] {
			n.Orphans = append(n.Orphans, model.Orphan{ID: c.Owner, Name: a.cfg.configFile(name)})
		}
	}
	for _, h := range a.hung {
		n.Hung = append(n.Hung, h.HungProgram)
	}
	return n
}

func (a *Agent) hungPool(name string) *hungProgram {
	for i := range a.hung {
		if slices.Contains(a.hung[i].pools, name) {
			return &a.hung[i]
		}
	}
	return nil
}
