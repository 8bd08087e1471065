package steps

import (
	"fmt"
	"maps"
	"slices"

	"holdfast/internal/model"
)

func (p *planner) gone() Plan {
	left, w := p.left()
	if w != nil {
		return *w
	}
	drbd := p.spec.DRBD != nil
	if drbd && !p.seen.KernelKnown && p.node.Known && p.node.DRBD != model.Unpinned {
		return working("DRBD's state is being read")
	}
	if drbd && !p.node.Known && p.seen.Record.There { // it may be in the kernel, without a config file, without a disk
		return working("this node's DRBD version is being read")
	}
	config := p.seen.ConfigThere && p.seen.ConfigID == p.spec.ID
	if !left && !config && !p.kernelOwn() {
		if p.seen.Record.There {
			return do(p.step(RemoveRecord))
		}
		return Plan{Phase: model.Done, Gone: true}
	}
	if drbd && p.spec.DRBD.Generation != model.Unpinned {
		if !p.node.Known {
			return working("this node's DRBD version is being read")
		}
		if why := p.otherGeneration(); why != "" {
			return blocked("%s", why)
		}
	}
	// Not taken down for nothing.
	for _, v := range p.spec.Volumes {
		if sv := p.own(v); sv != nil && sv.Device.Held != "" {
			return blocked("volume %d can't be removed: %s; delete that first", v.Number, sv.Device.Held)
		}
	}
	if stay := p.stay(); drbd && len(stay) > 0 {
		return p.goneBeside(stay, left)
	}
	if p.kernelOwn() {
		return p.takeDown()
	}
	if drbd && !p.exempt() && !p.seen.Passed && slices.ContainsFunc(p.spec.Volumes, p.mayBeLost) {
		return p.lookFirst()
	}
	var steps []Step
	if config {
		steps = append(steps, p.step(RemoveConfig))
	}
	for _, v := range p.spec.Volumes {
		if v.Pool != "" {
			steps = append(steps, p.remove(v)...)
		}
	}
	if p.seen.Record.There {
		steps = append(steps, p.step(RemoveRecord))
	}
	return do(steps...)
}

// stay are the volumes of this incarnation that are here though nobody ordered them to go.
func (p *planner) stay() (out []model.VolumeSpec) {
	for _, v := range p.seen.Extra {
		if d := p.seen.Volumes[v.Number].Device; d != nil && d.Label == v.ID && p.path(v) != "" {
			out = append(out, v)
		}
	}
	return out
}

// goneBeside removes what the order names and leaves the volumes that stay as they are: up, with a config file of their
// own, nobody's until somebody asks for them.
func (p *planner) goneBeside(stay []model.VolumeSpec, left bool) Plan {
	if p.kernelOwn() {
		k := p.seen.Kernel
		if k.Role == primary {
			return blocked("%s is in use on this node (Primary): unmount it, or stop what uses it", p.spec.Name)
		}
		guard := p.step(GuardGone)
		up := false
		for _, v := range p.spec.Volumes {
			if slices.ContainsFunc(stay, func(s model.VolumeSpec) bool { return s.Number == v.Number }) {
				continue // that number is the other's
			}
			if _, there := k.Volumes[v.Number]; there {
				up = true
				if hasDisk(k, v.Number) || p.mayBeLost(v) {
					guard.Volumes = append(guard.Volumes, v.Number)
				}
			}
		}
		if p.exempt() {
			guard.Volumes = nil
		}
		if up {
			if w := p.proven(&guard); w != nil {
				return *w
			}
			p.apart = true
			if w := p.attached(stay); w != nil {
				w.Steps = append([]Step{guard}, w.Steps...)
				return *w
			}
			return blocked("DRBD doesn't let go of %s", p.spec.Name)
		}
	} else if !p.exempt() && left {
		return p.lookFirst()
	}
	var steps []Step
	for _, v := range p.spec.Volumes {
		if v.Pool != "" {
			steps = append(steps, p.remove(v)...)
		}
	}
	if len(steps) > 0 {
		return do(steps...)
	}
	return Plan{Phase: model.Done, Gone: true}
}

// holds tells whether the volume's device is there with its data: of one that is half removed only the label is.
func (p *planner) holds(v model.VolumeSpec) bool {
	sv := p.own(v)
	return v.Pool != "" && sv != nil && !sv.Device.Leftover
}

// mayBeLost tells whether the volume's data are here: its device, and metadata with which it was or will be attached.
func (p *planner) mayBeLost(v model.VolumeSpec) bool { return p.holds(v) && p.initialised(v) }

// left tells whether a device of this incarnation is there, or why that can't be said.
func (p *planner) left() (bool, *Plan) {
	left := false
	for _, v := range p.spec.Volumes {
		if v.Pool == "" {
			continue
		}
		switch sv := p.seen.Volumes[v.Number]; {
		case sv.PoolReason != "":
			w := failed("storage pool %s can't be read: %s", v.Pool, sv.PoolReason)
			return false, &w
		case !sv.PoolSeen:
			w := working("storage pool %s is being read", v.Pool)
			return false, &w
		case v.LUKS != nil && !p.seen.Volumes[v.Number].MappingsKnown:
			w := working("this node's encrypted devices are being read")
			return false, &w
		case p.own(v) != nil, p.mapped(v):
			left = true
		}
	}
	return left, nil
}

// exempt: no other copy needs to be good.
func (p *planner) exempt() bool {
	if p.spec.WholeDefinition || p.spec.Lose || p.spec.LastUnused || p.spec.Diskless {
		return true
	}
	for _, v := range p.spec.Volumes {
		if p.initialised(v) {
			return false
		}
	}
	return true // it never held anything
}

// takeDown: the resource is up.
func (p *planner) takeDown() Plan {
	k := p.seen.Kernel
	if p.seen.Record.Seeding && k.Role == primary {
		return p.unseed()
	}
	if k.Role == primary {
		return blocked("%s is in use on this node (Primary): unmount it, or stop what uses it", p.spec.Name)
	}
	if w := p.unhang(); w != nil {
		return *w
	}
	guard := p.step(GuardGone)
	if !p.exempt() {
		// A volume that has no device here any more, or never was attached, has nothing to lose, though DRBD knows its number.
		for _, v := range slices.Concat(p.spec.Volumes, p.seen.Extra) {
			if hasDisk(k, v.Number) || p.mayBeLost(v) {
				guard.Volumes = append(guard.Volumes, v.Number)
			}
		}
		if w := p.proven(&guard); w != nil {
			return *w
		}
	}
	return do(guard, p.step(Down))
}

// proven: nil where another copy is proven good for each volume that the guard looks at, or the node knows who has all of it. Else
// the resource comes up once more to see, and says what it waits for.
func (p *planner) proven(guard *Step) *Plan {
	why := OtherGood(p.seen.Kernel, guard.Volumes)
	if why != "" && p.held(guard.Volumes) {
		guard.Held, why = true, ""
	}
	if why == "" {
		return nil
	}
	// A process that died may have taken half of it down, and with 8.4 the peer that it is to ask may be another by now.
	w := p.lookFirst()
	if len(w.Steps) == 0 {
		if p.spec.DRBD.Generation == model.DRBD8 {
			why += "; with DRBD 8.4 one that made room for another sees its old peer again only once the volume isn't in use"
		}
		w = blocked("%s; the removal waits, or type the override that names what is lost", why)
	}
	return &w
}

// lookFirst brings the resource up once more, to see whether another copy is good: only the kernel's connection proves it.
func (p *planner) lookFirst() Plan {
	up := p.spec
	up.Want = model.Up
	up.Volumes = nil
	for _, v := range p.spec.Volumes {
		if p.mayBeLost(v) {
			v.Want, v.Seed = model.Up, model.NoSeed
			up.Volumes = append(up.Volumes, v)
		}
	}
	seen := p.seen
	seen.OldWaits = ""
	q := planner{spec: up, seen: seen, node: p.node, goes: true}
	if len(up.Volumes) == 0 {
		return blocked("%s", p.cantSee("none of its volumes can be brought up"))
	}
	w := q.up()
	if len(w.Steps) > 0 {
		w.Quiet = false
		return w
	}
	if w.Reason == "" {
		w.Reason = "it doesn't come up"
	}
	if w.Phase == model.Working {
		return w
	}
	return blocked("%s", p.cantSee(w.Reason))
}

func (p *planner) cantSee(why string) string {
	return fmt.Sprintf("can't see whether another copy of %s is good (%s); the removal waits, or type the override that names what is lost", p.spec.Name, why)
}

// PeerNeeds tells for which volume a peer that is in use has no good copy but this replica's; "" if for none.
func PeerNeeds(k *Kernel) string {
	for _, p := range k.Peers {
		if p.State != model.Connected || p.Role != primary {
			continue
		}
		for _, n := range slices.Sorted(maps.Keys(k.Volumes)) {
			if k.Volumes[n].Disk == model.DiskUpToDate && OtherGood(k, []int{n}) != "" {
				return fmt.Sprintf("a peer is Primary and has no other good copy of volume %d than this one", n)
			}
		}
	}
	return ""
}

// OtherGood tells why no other connected copy is proven good for each of the volumes; "" if one is.
func OtherGood(k *Kernel, volumes []int) string {
	if k == nil && len(volumes) > 0 {
		return "the resource isn't up"
	}
	for _, n := range volumes {
		if !slices.ContainsFunc(k.Peers, func(kp KernelPeer) bool {
			return kp.State == model.Connected && kp.Volumes[n].Disk == model.DiskUpToDate
		}) {
			return fmt.Sprintf("no connected peer is UpToDate for volume %d", n)
		}
	}
	return ""
}
