package steps

import (
	"fmt"
	"slices"

	"holdfast/internal/model"
)

// DRBD's metadata lie at the end of the backing device. When that grows, DRBD 8.4 and 9 go on with them where they are and
// move them when they take the new size over, or at a handshake. In between only drbd-utils' note of the device's last
// known size (drbd-minor-N.lkbd) leads to them after a power cut: attach looks at the device's end, then there, and moves
// them. So the note is made right, durably, before a device grows; it grows only while it is attached, when all replicas
// can grow, and not again before DRBD has taken over what it grew by. Metadata are never made anew. (All seen in the lab
// with 8.4.11 and 9.2.18.) One replica grows without the others, who have grown without it and refuse it as too small: on 8.4,
// which sees but one peer, when it had made room; on 9, when it has never met them yet.

// Where a device grows may lie what a removed volume left, its metadata at the very end among it (seen in the lab with LVM):
// attach would take them for the volume's. So what tells the volume's own from them is noted before, and until the new end
// was looked at; after a power cut between, the end is looked at before anything is attached. The note is true only until DRBD
// may move the metadata or take the new size over: it goes before an attach, and where the volume is attached though nothing grows.
func (p *planner) ends(next []Step) (steps []Step) {
	rec := p.seen.Record
	for _, v := range slices.Concat(p.spec.Volumes, p.seen.Extra) {
		own, grew := rec.Growing[v.Number]
		if !grew {
			continue
		}
		if k := p.seen.Kernel; k == nil || !attached(k.Volumes[v.Number].Disk) {
			if v.Pool == "" || p.path(v) == "" || !slices.ContainsFunc(next, func(s Step) bool { return s.Kind == Adjust }) {
				continue
			}
			s := p.volumeStep(ClearEnd, v)
			s.Own = own
			steps = append(steps, s)
		}
		rec = rec.grown(v.Number)
	}
	if len(rec.Growing) == len(p.seen.Record.Growing) {
		return nil
	}
	return append(steps, p.record(rec))
}

// growDevice of a volume with DRBD.
func (p *planner) growDevice(v model.VolumeSpec) Step {
	s := p.volumeStep(GrowDevice, v)
	s.Peers, s.Record = p.diskfulPeers(), p.seen.Record
	return s
}

// growDevices of a resource without DRBD.
func (p *planner) growDevices(up []model.VolumeSpec) (steps []Step) {
	for _, v := range up {
		if v.GrowKiB > 0 && v.Pool != "" && p.seen.Volumes[v.Number].GrownKiB < v.BackingKiB {
			steps = append(steps, p.volumeStep(GrowDevice, v))
		}
	}
	return steps
}

// grow is for volumes of a resource that is up as configured. nil: there is nothing to grow.
func (p *planner) grow(ready []model.VolumeSpec) (wait *Plan) {
	for _, v := range ready {
		k := p.seen.Kernel
		kv := k.Volumes[v.Number]
		if v.GrowKiB == 0 || v.Pool == "" || attached(kv.Disk) && kv.SizeKiB >= v.GrowKiB {
			continue
		}
		why := p.growWaits(v)
		short := p.seen.Volumes[v.Number].GrownKiB < v.BackingKiB
		if why == "" {
			switch {
			case v.Resize:
				w := p.takeSize(v)
				return &w
			case short:
				w := do(p.growDevice(v))
				return &w
			}
		}
		w := working("volume %d grows: waits until the backing device of every replica has grown", v.Number)
		if why != "" {
			w = blocked("volume %d grows: %s", v.Number, why)
		}
		if wait == nil || wait.Phase == model.Working {
			wait = &w
		}
	}
	return wait
}

// growAlone is for volumes that others have grown beyond, who refuse them as too small. The kernel (8.4 at once, 9 at the next
// handshake) moves the metadata to the device's new end and offers no more than before; that handshake lets it grow.
func (p *planner) growAlone(ready []model.VolumeSpec) *Plan {
	for _, v := range ready {
		if v.GrowAlone && v.GrowKiB > 0 && v.Pool != "" && p.seen.Volumes[v.Number].AloneKiB < v.BackingKiB && MayGrowAlone(p.seen.Kernel, v.Number) == "" {
			s := p.growDevice(v)
			s.Alone = true
			w := do(s)
			return &w
		}
	}
	return nil
}

// MayGrowAlone tells why the volume's backing device may not grow now without a connection; "" if it may: it is attached
// and unused, I/O isn't suspended, and nobody is connected (with whom it grows together).
func MayGrowAlone(k *Kernel, number int) string {
	switch {
	case k == nil:
		return "it isn't up"
	case k.Suspended:
		return "I/O is suspended"
	case k.Role == primary:
		return "it is in use on this node"
	case !attached(k.Volumes[number].Disk):
		return "it has no disk"
	case slices.ContainsFunc(k.Peers, func(kp KernelPeer) bool { return kp.State == model.Connected }):
		return "a peer is connected"
	}
	return ""
}

// growWaits says why the volume can't grow now; "" if it can.
func (p *planner) growWaits(v model.VolumeSpec) string {
	for _, ps := range p.spec.DRBD.Peers {
		if kp := p.peer(ps); !ps.Diskless && (kp == nil || kp.State != model.Connected) {
			return fmt.Sprintf("waits until %s is connected, for all replicas grow together", ps.Node)
		}
	}
	return MayGrow(p.seen.Kernel, v.Number, p.diskfulPeers())
}

// takeSize lets DRBD take the new size over. 8.4 does so only with a Primary: without one this node is it for a moment, with
// a note beforehand as for a first sync.
func (p *planner) takeSize(v model.VolumeSpec) Plan {
	k := p.seen.Kernel
	guard, take := p.volumeStep(GuardGrow, v), p.volumeStep(TakeSize, v)
	guard.Peers, take.Peers = p.diskfulPeers(), p.diskfulPeers()
	used := k.Role == primary
	for _, kp := range k.Peers {
		used = used || kp.Role == primary
	}
	if p.spec.DRBD.Generation != model.DRBD8 || used || guard.Peers == 0 {
		return do(guard, take)
	}
	rec := p.seen.Record
	return do(guard, p.record(rec.seeding(v.Number)), p.volumeStep(Promote, v), take, p.volumeStep(Demote, v), p.record(rec.seeded()))
}

// MayGrow tells why the volume, or its backing device, may not grow now; "" if it may: it is UpToDate here and on all n
// diskful peers, connected, I/O isn't suspended, and no sync runs.
func MayGrow(k *Kernel, number, n int) string {
	if k == nil {
		return "it isn't up"
	}
	if k.Suspended {
		return "I/O is suspended"
	}
	if d := k.Volumes[number].Disk; d != model.DiskUpToDate {
		if d == "" {
			d = "not there"
		}
		return "the disk here is " + d
	}
	good := 0
	for _, kp := range k.Peers {
		pv := kp.Volumes[number]
		switch {
		case kp.State != model.Connected:
		case pv.Syncing():
			return "waits until the sync is over"
		case pv.Disk == model.DiskUpToDate:
			good++
		}
	}
	if good < n {
		return "waits until every other replica is connected and UpToDate"
	}
	return ""
}
