package steps

import (
	"slices"

	"holdfast/internal/model"
)

// running is for a resource that is up as configured: the first sync, what was left half done, peers to forget; then it
// says what is amiss.
func (p *planner) running(ready []model.VolumeSpec) Plan {
	w := p.run(ready)
	rec := p.seen.Record
	if k := p.seen.Kernel; k != nil && len(w.Steps) == 0 && p.spec.DRBD.Generation == model.DRBD8 && rec.There && !rec.Met &&
		slices.ContainsFunc(k.Peers, func(kp KernelPeer) bool { return kp.State == model.Connected }) {
		rec.Met = true
		w.Steps, w.Quiet = []Step{p.record(rec)}, true
	}
	if s := p.inSync(ready); s != nil && len(w.Steps) == 0 {
		w.Steps, w.Quiet = []Step{*s}, true
	}
	if m := p.meet(); m != nil && len(w.Steps) == 0 { // a sync that is about to begin looks the same: nobody is to hear of that
		w.Steps, w.Quiet, w.After = m.Steps, true, m.After
	}
	return w
}

func (p *planner) run(ready []model.VolumeSpec) Plan {
	k := p.seen.Kernel
	done := Plan{Phase: model.Done, Applied: p.seen.Record.Applied}
	if k == nil || len(ready) == 0 {
		return done
	}
	rec := p.seen.Record
	if rec.Seeding {
		if k.Role == primary && slices.ContainsFunc(ready, func(v model.VolumeSpec) bool { return k.Volumes[v.Number].Open }) {
			return undo(p.record(rec.seeded())) // somebody uses it by now: it is his
		}
		return p.unseed()
	}
	var wait *Plan
	for _, v := range ready {
		if v.Pool == "" || k.Volumes[v.Number].Disk != model.DiskInconsistent || p.seen.Volumes[v.Number].Data {
			continue
		}
		seed := v.Seed
		if seed == model.SeedSkip && p.diskfulPeers() == 0 {
			seed = model.SeedSync // those with whom it would be equal are gone
		}
		switch seed {
		case model.SeedSync:
			if why := SyncAlone(k, v.Number, p.spec.DRBD.Generation); why != "" {
				continue
			}
			return p.seedSync(v)
		case model.SeedSkip:
			n := p.diskfulPeers()
			why, never := SkipAll(k, v.Number, n)
			switch {
			case why == "":
				guard, skip := p.volumeStep(GuardSkip, v), p.volumeStep(SeedSkip, v)
				guard.Peers, skip.Peers = n, n
				return do(p.fresh(v, guard, skip)...)
			case !never:
				w := working("volume %d: %s", v.Number, why)
				wait = &w
			}
		}
	}
	for _, id := range p.spec.DRBD.Forget {
		if slices.Contains(p.seen.Forgotten, id) || slices.ContainsFunc(p.spec.DRBD.Peers, func(ps model.PeerSpec) bool { return ps.NodeID == id }) {
			continue
		}
		if p.spec.DRBD.Generation != model.DRBD9 || p.spec.Diskless {
			continue // nothing to forget; Forgotten below says so
		}
		if slices.ContainsFunc(ready, func(v model.VolumeSpec) bool { return v.Pool != "" && !attached(k.Volumes[v.Number].Disk) }) {
			break // its metadata would keep the slot
		}
		s := p.step(ForgetPeer)
		s.NodeID = id
		for _, v := range ready {
			s.Volumes = append(s.Volumes, v.Number)
		}
		return do(s)
	}
	if wait != nil {
		wait.Applied = done.Applied
		return *wait
	}
	if w := p.growAlone(ready); w != nil {
		w.Applied = done.Applied
		return *w
	}
	if lacks := p.lacks(ready); lacks != "" {
		w := blocked("%s", lacks)
		w.Applied = done.Applied
		return w
	}
	fs := p.fileSystem(ready)
	if fs != nil && len(fs.Steps) > 0 {
		fs.Applied = done.Applied
		return *fs
	}
	if w := p.grow(p.unclaimed(ready)); w != nil && (fs == nil || len(w.Steps) > 0) {
		w.Applied = done.Applied
		return *w
	}
	if fs != nil {
		fs.Applied = done.Applied
		if done = *fs; fs.Phase != model.Failed {
			return done
		}
	}
	if p.spec.Verify != "" && p.seen.Verify.ID != p.spec.Verify && MayVerify(k, p.diskfulPeers()) == "" {
		s := p.step(StartVerify)
		s.Label, s.Peers = p.spec.Verify, p.diskfulPeers()
		done.Steps, done.Quiet = []Step{s}, true
	}
	return done
}

func attached(disk string) bool {
	switch disk {
	case model.DiskUpToDate, model.DiskInconsistent, "Outdated", "Consistent":
		return true
	}
	return false
}

func undo(s ...Step) Plan { return Plan{Steps: s, Undo: true} }

// unseed makes the volume Secondary again that this node made Primary for a moment, and notes that.
func (p *planner) unseed() Plan {
	rec := p.seen.Record
	demote := p.step(Demote)
	demote.Number, demote.Settle = rec.SeedVolume, slices.Contains(rec.Making, rec.SeedVolume)
	return undo(demote, p.record(rec.seeded()))
}

// seedSync: with 8.4 Primary for a moment, with a note beforehand so that a crash between doesn't leave it Primary.
func (p *planner) seedSync(v model.VolumeSpec) Plan {
	guard := p.volumeStep(GuardSeed, v)
	guard.InUse = p.seen.Kernel.Role == primary
	if p.spec.DRBD.Generation != model.DRBD8 || guard.InUse {
		// In use: with 8.4 each volume has a role of its own, and the user's stay (seen in the lab).
		return do(p.fresh(v, guard, p.volumeStep(SeedSync, v))...)
	}
	on := p.seen.Record
	if v.FileSystem != nil {
		on.Fresh = with(on.Fresh, v.Number)
	}
	return do(guard, p.record(on.seeding(v.Number)), p.volumeStep(SeedSync, v), p.volumeStep(Demote, v), p.record(on.seeded()))
}

// fresh notes before the seed that the volume is one with nothing in it, if that will matter.
func (p *planner) fresh(v model.VolumeSpec, guard, seed Step) []Step {
	if v.FileSystem == nil || slices.Contains(p.seen.Record.Fresh, v.Number) {
		return []Step{guard, seed}
	}
	rec := p.seen.Record
	rec.Fresh = with(rec.Fresh, v.Number)
	return []Step{guard, p.record(rec), seed}
}

func (p *planner) diskfulPeers() (n int) { return DiskfulPeers(p.spec) }

// DiskfulPeers is how many of a replica's peers are to have a disk.
func DiskfulPeers(spec model.ResourceSpec) (n int) {
	if spec.DRBD == nil {
		return 0
	}
	for _, ps := range spec.DRBD.Peers {
		if !ps.Diskless {
			n++
		}
	}
	return n
}

// SyncAlone tells why the volume may not be declared good here, alone; "" if it may: this disk is Inconsistent, nobody
// connected has a better one, and with 8.4, which has to promote it, nobody is Primary.
func SyncAlone(k *Kernel, number int, gen model.DRBDGeneration) string {
	if k == nil {
		return "it isn't up"
	}
	if d := k.Volumes[number].Disk; d != model.DiskInconsistent {
		return "the disk here is " + d
	}
	for _, kp := range k.Peers {
		if kp.Role == primary && gen == model.DRBD8 {
			return "a peer is Primary"
		}
		switch d := kp.Volumes[number].Disk; d {
		case "", "DUnknown", "Diskless", model.DiskInconsistent:
		default:
			return "a peer's disk is " + d
		}
	}
	return ""
}

// SkipAll tells why the first sync may not be skipped (yet); "" if it may: all n diskful peers are connected, and each
// disk is Inconsistent. never: waiting won't help.
func SkipAll(k *Kernel, number, n int) (why string, never bool) {
	if k == nil {
		return "it isn't up", false
	}
	if d := k.Volumes[number].Disk; d != model.DiskInconsistent {
		return "the disk here is " + d, true
	}
	found := 0
	for _, kp := range k.Peers {
		pv := kp.Volumes[number]
		switch {
		case kp.Role == primary:
			return "a peer is Primary", true
		case kp.State != model.Connected:
			continue
		case pv.Disk == model.DiskInconsistent:
			found++
		case pv.Disk == "", pv.Disk == "DUnknown", pv.Disk == "Diskless", pv.Disk == "Attaching", pv.Disk == "Negotiating":
		default:
			return "a peer's disk is " + pv.Disk, true
		}
	}
	if found < n {
		return "waits until every peer is connected, to skip the first sync", false
	}
	return "", false
}

// Forgotten are the node-ids to report as forgotten: done by a step, or never known here.
func Forgotten(spec model.ResourceSpec, seen Seen, p Plan) []int {
	if spec.DRBD == nil || spec.Want == model.Gone {
		return nil
	}
	var out []int
	for _, id := range spec.DRBD.Forget {
		never := spec.DRBD.Generation != model.DRBD9 || spec.Diskless || spec.Client || spec.DropDisk && dropped(spec, seen)
		for _, v := range spec.Volumes {
			// Without metadata there is no slot to give back.
			if !spec.Diskless && !spec.Client && !(spec.DropDisk && dropped(spec, seen)) && (v.Initialised || seen.Volumes[v.Number].Initialised) {
				goto known
			}
		}
		never = true
	known:
		if never || slices.Contains(seen.Forgotten, id) {
			out = append(out, id)
		}
	}
	return out
}
