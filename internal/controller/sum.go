package controller

import (
	"hash/maphash"
	"maps"
	"slices"

	"holdfast/internal/model"
)

// A session remembers 64 bits of each spec that it sent rather than the spec. Every field counts; sum_test walks them.

var seed = maphash.MakeSeed()

type summer struct{ h maphash.Hash }

func sumSpec(r *model.ResourceSpec) uint64 {
	var s summer
	s.h.SetSeed(seed)
	s.str(string(r.Definition), r.Name, string(r.ID))
	s.num(r.Generation, uint64(r.Want))
	s.flag(r.Client, r.DropDisk, r.Hold, r.Down, r.Unheld)
	s.flag(r.Diskless, r.WholeDefinition, r.LastUnused, r.Lose, r.DRBD != nil, r.Snapshot != nil)
	s.str(string(r.Quiet), string(r.HeldBy))
	s.str(string(r.Verify))
	if c := r.Snapshot; c != nil {
		s.flag(c.Take)
		s.copies(c.Copies)
	}
	s.flag(r.Rollback != nil)
	if b := r.Rollback; b != nil {
		s.str(string(b.ID))
		s.flag(b.Go, b.Fill, b.Anew)
		s.copies(b.Copies)
	}
	if d := r.DRBD; d != nil {
		s.num(uint64(d.Generation), uint64(d.PeerSlots), uint64(d.NodeID), uint64(d.Port))
		s.str(d.Secret, d.Address)
		s.options(d.Options)
		s.num(uint64(len(d.Peers)))
		for i := range d.Peers {
			p := &d.Peers[i]
			s.str(p.Node, string(p.ID), p.Address)
			s.num(uint64(p.NodeID), uint64(p.Port))
			s.flag(p.Diskless, p.Stays)
			s.options(p.Options)
			s.num(uint64(len(p.Paths)))
			for _, w := range p.Paths {
				s.str(w.Local, w.Peer)
			}
		}
		s.num(uint64(len(d.Others)))
		for _, id := range d.Others {
			s.str(string(id))
		}
		s.num(uint64(len(d.Forget)))
		for _, n := range d.Forget {
			s.num(uint64(n))
		}
	}
	s.num(uint64(len(r.Volumes)))
	for i := range r.Volumes {
		v := &r.Volumes[i]
		s.str(string(v.ID), v.Pool, v.Backing)
		s.num(uint64(v.Number), uint64(v.Minor), uint64(v.SizeKiB), uint64(v.BackingKiB), uint64(v.Want), uint64(v.Seed), uint64(v.GrowKiB))
		s.flag(v.Initialised, v.From != nil, v.Resize, v.GrowAlone)
		if v.From != nil {
			s.str(string(v.From.Snapshot), string(v.From.Label), v.From.Device)
		}
		s.options(v.Options)
		s.flag(v.FileSystem != nil, v.Throttle != nil)
		if t := v.Throttle; t != nil {
			s.num(uint64(t.ReadBytes), uint64(t.WriteBytes), uint64(t.ReadOps), uint64(t.WriteOps))
		}
		if f := v.FileSystem; f != nil {
			s.str(f.Type, f.Params, f.User, f.Group)
			s.flag(f.Now)
		}
		s.flag(v.LUKS != nil)
		if v.LUKS != nil {
			s.flag(v.LUKS.Typed, v.LUKS.Discards)
			s.num(uint64(v.LUKS.Gen), uint64(len(v.LUKS.Keys)))
			for _, k := range v.LUKS.Keys {
				s.num(uint64(len(k)))
				s.h.Write(k)
			}
		}
	}
	return s.h.Sum64()
}

func sumPools(pools []model.PoolSpec, devices []model.DevicePoolSpec) uint64 {
	var s summer
	s.h.SetSeed(seed)
	for _, p := range pools {
		s.str(string(p.UUID), p.Name, string(p.Kind), p.Backing)
	}
	s.num(uint64(len(devices)))
	for _, p := range devices {
		s.str(string(p.ID), string(p.Kind), p.Group, p.Thin)
		s.num(uint64(len(p.Devices)))
		s.str(p.Devices...)
	}
	return s.h.Sum64()
}

func (s *summer) copies(all []model.CopySpec) {
	s.num(uint64(len(all)))
	for _, v := range all {
		s.str(string(v.ID), v.Pool, v.Name, string(v.Of), v.Device)
		s.num(uint64(v.Number), uint64(v.RoomKiB))
	}
}

func (s *summer) str(all ...string) {
	for _, x := range all {
		s.num(uint64(len(x)))
		s.h.WriteString(x)
	}
}

func (s *summer) num(all ...uint64) {
	for _, n := range all {
		s.h.Write([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24), byte(n >> 32), byte(n >> 40), byte(n >> 48), byte(n >> 56)})
	}
}

func (s *summer) flag(all ...bool) {
	for _, b := range all {
		if b {
			s.h.WriteByte(1)
		} else {
			s.h.WriteByte(0)
		}
	}
}

func (s *summer) options(o map[string]map[string]string) {
	s.num(uint64(len(o)))
	for _, sec := range slices.Sorted(maps.Keys(o)) {
		s.str(sec)
		s.num(uint64(len(o[sec])))
		for _, k := range slices.Sorted(maps.Keys(o[sec])) {
			s.str(k, o[sec][k])
		}
	}
}
