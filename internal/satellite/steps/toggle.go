package steps

import (
	"maps"
	"slices"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/stack/drbd"
)

// client is the planner of the same replica as if it had no disks. What there is of them stays as it is.
func (p *planner) client() *planner {
	spec, seen := p.spec, p.seen
	spec.Diskless, spec.Client, spec.DropDisk = true, false, false
	spec.Volumes, seen.Volumes = slices.Clone(spec.Volumes), maps.Clone(seen.Volumes)
	for i := range spec.Volumes {
		if v := &spec.Volumes[i]; v.Want == model.Up {
			v.Pool, v.Backing, v.Initialised, v.Seed = "", "", false, model.NoSeed
			seen.Volumes[v.Number] = Volume{}
		}
	}
	if spec.DRBD != nil { // two without disks don't connect
		d := *spec.DRBD
		d.Peers = slices.DeleteFunc(slices.Clone(d.Peers), func(ps model.PeerSpec) bool { return ps.Diskless })
		spec.DRBD = &d
	}
	return &planner{spec: spec, seen: seen, node: p.node}
}

func (p *planner) wanted() (up []model.VolumeSpec) {
	for _, v := range p.spec.Volumes {
		if v.Want == model.Up {
			up = append(up, v)
		}
	}
	return up
}

// diskComes keeps the replica up without disks while they and their metadata are made. One that is attached, or was good
// here once, is past that, whatever the word says.
func (p *planner) diskComes() Plan {
	up := p.wanted()
	for _, v := range up {
		if k := p.seen.Kernel; p.seen.Volumes[v.Number].Data || k != nil && p.kernelOwn() && hasDisk(k, v.Number) {
			return p.up()
		}
	}
	w := p.client().up()
	if len(w.Steps) > 0 && p.mayAttachFirst(w) {
		if disks := p.disks(up); disks != nil && len(disks.Steps) > 0 {
			return *disks
		}
		if !slices.ContainsFunc(up, func(v model.VolumeSpec) bool { return !p.seen.Volumes[v.Number].MDMade }) {
			w.After = attachSoon
		}
	}
	if len(w.Steps) > 0 || p.seen.OldWaits != "" || !p.node.Known || !p.seen.KernelKnown || p.otherGeneration() != "" || p.conflict() != nil {
		return w
	}
	// Whatever else holds the client up doesn't keep its disks from being made.
	if s := p.disks(up); s != nil {
		return *s
	}
	if w.Phase != model.Done {
		return w
	}
	for _, v := range up {
		if !p.initialised(v) && !p.seen.Volumes[v.Number].MDMade {
			return working("the metadata of volume %d waits for a controller's session", v.Number)
		}
	}
	return working("the controller is to note that the metadata are made")
}

// disks makes those of a client, as far as that can be done now; nil: nothing is left to do here.
func (p *planner) disks(up []model.VolumeSpec) *Plan {
	if s := p.storage(up); s != nil {
		return s
	}
	if s := p.crypt(up); s != nil {
		return s
	}
	if steps := p.metadata(up); len(steps) > 0 {
		w := do(steps...)
		return &w
	}
	return nil
}

// attachSoon is how long the controller has to note that the metadata are made, before a client that is whole without them
// is adjusted once more.
const attachSoon = 2 * time.Second

// mayAttachFirst tells whether w, which adjusts a client to a new config, can be done together with attaching its disks: it runs
// and lacks nothing of what the new config asks for, so only options changed, which matter to one that has a disk, and they
// are set before it is attached. Where the disks can't be made just now, or are made of a snapshot, it doesn't wait for them.
func (p *planner) mayAttachFirst(w Plan) bool {
	return p.kernelOwn() && w.Reason == "" && !w.Healing && p.node.Session && !p.seen.Failing &&
		slices.ContainsFunc(w.Steps, func(s Step) bool { return s.Kind == Adjust }) &&
		!slices.ContainsFunc(p.spec.Volumes, func(v model.VolumeSpec) bool { return v.From != nil || v.Want != model.Up }) &&
		p.conflict() == nil
}

// diskGoes detaches the disks that the order names, once another copy is good, and removes them. The config file says how
// far it came: where it gives this node no disk, the guard had let it go, or it never was attached. Then it isn't attached
// any more; but the guard is asked again before the device goes.
func (p *planner) diskGoes() Plan {
	q := p.client()
	p.apart, q.apart = true, true
	// What isn't there is not made any more.
	p.spec.Volumes = slices.DeleteFunc(slices.Clone(p.spec.Volumes), func(v model.VolumeSpec) bool {
		return v.Want == model.Up && !p.initialised(v) && p.seen.Volumes[v.Number].Device == nil && p.seen.Volumes[v.Number].PoolSeen && len(p.seen.Extra) == 0
	})
	if len(p.seen.Extra) > 0 || p.seen.Record.Seeding {
		w := p.up()
		if len(w.Steps) == 0 && w.Phase == model.Done {
			return blocked("volumes that the controller doesn't know (any more) are here; all is left as it is: see `node info` for orphans")
		}
		return w
	}
	_, wait := p.left()
	var need []int
	for _, v := range p.wanted() {
		if p.mayBeLost(v) {
			need = append(need, v.Number)
		}
	}
	detached := p.seen.ConfigThere && drbd.WithoutDisk(p.seen.Config, p.spec.ID, p.node.Name)
	guard := p.step(GuardDrop)
	guard.Volumes = need
	if !detached && (len(need) > 0 || wait != nil) {
		why := p.keeps(need)
		if wait == nil && why == "" && p.otherGeneration() == "" && p.conflict() == nil {
			if w := p.unhang(); w != nil {
				return *w
			}
			if w := q.attached(q.wanted()); w != nil && len(w.Steps) > 0 {
				w.Steps = append([]Step{guard}, w.Steps...)
				return *w
			}
		}
		w := p.up()
		switch {
		case len(w.Steps) > 0 || w.Phase != model.Done:
			return w
		case wait != nil:
			return *wait
		}
		return blocked("the disk isn't removed yet: %s", why)
	}
	w := q.up()
	if len(w.Steps) > 0 {
		return w
	}
	if wait != nil {
		return *wait
	}
	var remove []Step
	for _, v := range p.wanted() {
		if v.Pool != "" {
			remove = append(remove, p.remove(v)...)
		}
	}
	if len(remove) == 0 {
		return w
	}
	if k := p.seen.Kernel; k != nil {
		for _, v := range p.wanted() {
			if hasDisk(k, v.Number) {
				return p.letGo(q, v.Number)
			}
		}
	}
	if len(need) > 0 {
		if why := p.keeps(need); why != "" {
			return blocked("the disk is detached and isn't removed yet: %s", why)
		}
		remove = append([]Step{guard}, remove...)
	}
	return do(remove...)
}

// letGo adjusts once more: the config gives no disk, and the kernel still has one.
func (p *planner) letGo(q *planner, number int) Plan {
	if p.seen.Kernel.Volumes[number].Disk == "Detaching" {
		return working("DRBD detaches volume %d", number)
	}
	config, err := q.config(q.wanted())
	if err != nil {
		return failed("%v", err)
	}
	s := p.step(Adjust)
	s.Config = config
	return do(s)
}

// keeps says why the disks may not be detached or removed now; "" if they may: a connected peer is UpToDate for each.
func (p *planner) keeps(volumes []int) string {
	switch {
	case p.spec.Hold:
		return "the controller sees no other replica that is proven UpToDate"
	case !p.kernelOwn():
		return "it isn't up, so nobody can see whether another copy is good"
	}
	return OtherGood(p.seen.Kernel, volumes)
}

func hasDisk(k *Kernel, number int) bool {
	v, there := k.Volumes[number]
	return there && v.Disk != model.DiskDiskless && v.Disk != ""
}

// rest takes the replica out of the kernel where nobody uses it. What it is made of stays.
func (p *planner) rest() Plan {
	switch {
	case p.spec.DRBD == nil:
		return Plan{Phase: model.Done}
	case !p.seen.KernelKnown && p.node.DRBD != model.Unpinned:
		return working("DRBD's state is being read")
	case !p.kernelOwn():
		return Plan{Phase: model.Done}
	case p.seen.Record.Seeding && p.seen.Kernel.Role == primary:
		return p.unseed()
	case p.seen.Kernel.Role == primary:
		return blocked("%s is in use on this node (Primary): unmount it, or stop what uses it, then it is deactivated", p.spec.Name)
	}
	if why := PeerNeeds(p.seen.Kernel); why != "" {
		return blocked("it isn't taken down yet: %s", why)
	}
	if w := p.unhang(); w != nil {
		return *w
	}
	return do(p.step(GuardIdle), p.step(TakeDown))
}

// WithoutDisk tells whether the order to drop the disks is carried out for that volume: its device is gone, and DRBD has none.
func WithoutDisk(spec model.ResourceSpec, seen Seen, v model.VolumeSpec) bool {
	if !spec.DropDisk || v.Pool == "" || spec.Want != model.Up {
		return false
	}
	sv := seen.Volumes[v.Number]
	return sv.PoolSeen && sv.PoolReason == "" && (sv.Device == nil || sv.Device.Label != v.ID) &&
		seen.KernelKnown && (seen.Kernel == nil || !hasDisk(seen.Kernel, v.Number))
}

// dropped tells whether that is so for all volumes.
func dropped(spec model.ResourceSpec, seen Seen) bool {
	return !slices.ContainsFunc(spec.Volumes, func(v model.VolumeSpec) bool { return !WithoutDisk(spec, seen, v) })
}
