package steps

import (
	"fmt"
	"slices"
	"time"

	"holdfast/internal/model"
)

// Plan is what to do next, and where the replica stands.
type Plan struct {
	Steps []Step
	// Phase and Reason, as reported while the steps haven't run: Working if there are any.
	Phase  model.Phase
	Reason string
	// Broken: the snapshot has lost its content for ever, or what is to be made from one can't be made.
	Broken bool
	// Gone: nothing of the incarnation is left.
	Gone bool
	// Applied is the checksum of the config that the steps adjust to, or that is adjusted to; "" for none.
	Applied string
	// Quiet: the steps only note something down; Phase is as without them.
	Quiet bool
	// Undo: the steps clear up after ones that failed; that they go well says nothing of those.
	Undo bool
	// Healing: the adjust is to mend what the kernel lacks, the config is as it was.
	Healing bool
	// Gentle: what is to be mended is a connection that was given up, maybe by somebody who is about to mend it otherwise.
	Gentle bool
	// After so long only, for which the plan must have been the same; 0: at once.
	After time.Duration
	// Lapse says why the standstill that is wanted can't be; "": it can.
	Lapse string
	// Rolled is how far the rollback is that is wanted.
	Rolled model.RolledState
}

// MaxHeals bounds the adjusts that only mend, until something else changes.
const MaxHeals = 3

func working(format string, a ...any) Plan {
	return Plan{Phase: model.Working, Reason: fmt.Sprintf(format, a...)}
}

func blocked(format string, a ...any) Plan {
	return Plan{Phase: model.Blocked, Reason: fmt.Sprintf(format, a...)}
}

func failed(format string, a ...any) Plan {
	return Plan{Phase: model.Failed, Reason: fmt.Sprintf(format, a...)}
}

func do(s ...Step) Plan { return Plan{Steps: s} }

// Next gives the next steps for one incarnation.
func Next(spec model.ResourceSpec, seen Seen, node Node) Plan {
	p := planner{spec: spec, seen: seen, node: node}
	w := p.next()
	if steps := p.ends(w.Steps); steps != nil {
		return undo(steps...)
	}
	return w
}

func (p *planner) next() Plan {
	spec := p.spec
	if spec.Snapshot != nil && spec.Want <= model.Gone {
		return p.snapshot()
	}
	if spec.Want <= model.Gone {
		if w := p.quiet(); w != nil {
			return *w
		}
	}
	switch spec.Want {
	case model.Gone:
		return p.gone()
	case model.Up:
		switch drbd9 := spec.DRBD != nil && spec.DRBD.Generation == model.DRBD9; {
		case spec.Rollback != nil:
			return p.rollback()
		case spec.Down:
			return p.rest()
		case spec.DropDisk && drbd9:
			return p.diskGoes()
		case spec.Client && drbd9:
			return p.diskComes()
		}
		return p.up()
	}
	return blocked("the controller wants something of %s that this release doesn't know; it is left as it is: bring this node's satellite to the controller's release", spec.Name)
}

type planner struct {
	spec model.ResourceSpec
	seen Seen
	node Node
	// apart: a new config file is put in place before the kernel is touched.
	apart bool
	// goes: it is to be removed, and only comes up to see who else is good.
	goes bool
}

func (p *planner) step(k Kind) Step {
	s := Step{Kind: k, Resource: p.spec.Name, ID: p.spec.ID}
	if p.spec.DRBD != nil {
		s.DRBD = p.spec.DRBD.Generation
	}
	return s
}

func (p *planner) volumeStep(k Kind, v model.VolumeSpec) Step {
	s := p.step(k)
	s.Pool, s.Device, s.Label, s.SizeKiB, s.Number, s.Minor = v.Pool, v.Backing, v.ID, v.BackingKiB, v.Number, v.Minor
	if p.spec.DRBD != nil {
		s.Slots = p.spec.DRBD.PeerSlots
	}
	if d := p.seen.Volumes[v.Number].Device; d != nil {
		s.Path = d.Path
	}
	if s.LUKS = v.LUKS != nil; s.LUKS {
		s.Discards = v.LUKS.Discards
	}
	return s
}

// initialised: told so now, or once.
func (p *planner) initialised(v model.VolumeSpec) bool {
	return v.Initialised || p.seen.Volumes[v.Number].Initialised
}

// own is the volume's device if it carries its label, else nil.
func (p *planner) own(v model.VolumeSpec) *Volume {
	if sv := p.seen.Volumes[v.Number]; sv.Device != nil && sv.Device.Label == v.ID {
		return &sv
	}
	return nil
}

// otherGeneration says why DRBD of this node may not touch the resource; "" if it may.
func (p *planner) otherGeneration() string {
	want, have := p.spec.DRBD.Generation, p.node.DRBD
	switch {
	case want == have:
		return ""
	case have == model.Unpinned:
		return fmt.Sprintf("%s was made with DRBD %s, and this node has no DRBD module: it is left untouched; install and load drbd %s",
			p.spec.Name, GenerationName(want), GenerationName(want))
	}
	return fmt.Sprintf("%s was made with DRBD %s metadata, this node runs %s: it is left untouched; load the module of DRBD %s",
		p.spec.Name, GenerationName(want), GenerationName(have), GenerationName(want))
}

// GenerationName is how people call it.
func GenerationName(g model.DRBDGeneration) string {
	switch g {
	case model.DRBD8:
		return "8.4"
	case model.DRBD9:
		return "9"
	}
	return "none"
}

// kernelOwn tells whether the kernel's resource of this name is provably this incarnation's: our records say that it
// brought it up in this boot; or nobody's do and the config file is its, as when the node's own start-up scripts did.
func (p *planner) kernelOwn() bool {
	k := p.seen.Kernel
	if k == nil {
		return false
	}
	if p.seen.Owner != "" {
		if p.seen.Owner != p.spec.ID {
			return false
		}
	} else if p.seen.ConfigID != p.spec.ID {
		return false
	}
	// Somebody may have taken it down and made his own under the same name.
	for _, v := range k.Volumes {
		if !slices.Contains(p.seen.Record.Minors, v.Minor) &&
			!slices.ContainsFunc(slices.Concat(p.spec.Volumes, p.seen.Extra), func(s model.VolumeSpec) bool { return s.Minor == v.Minor }) {
			return false
		}
	}
	return true
}

// short tells whether a device that nothing was put on yet is smaller than it is to be by now: when it was made the controller didn't
// know how large the others are.
func (p *planner) short(v model.VolumeSpec) bool {
	sv := p.own(v)
	if sv == nil || sv.Device.Path == "" || sv.Device.Leftover || !sv.PoolSeen || sv.PoolReason != "" || !p.node.Session || p.spec.DRBD == nil || v.LUKS != nil && !sv.MappingsKnown || v.From != nil {
		return false
	}
	if k := p.seen.Kernel; k != nil && k.Volumes[v.Number].Disk != "" {
		return false
	}
	return sv.Device.SizeKiB > 0 && sv.Device.SizeKiB < v.BackingKiB && !p.initialised(v) && !sv.MDMade
}

// storage makes the volumes' devices. It gives a Plan if there is something to do or to wait for, else nil.
func (p *planner) storage(vols []model.VolumeSpec) *Plan {
	var steps []Step
	var wait, part *Plan
	for _, v := range vols {
		if v.Pool == "" {
			continue
		}
		sv := p.seen.Volumes[v.Number]
		var w Plan
		switch d := sv.Device; {
		case p.short(v):
			s := p.volumeStep(GrowDevice, v)
			s.DRBD, s.LUKS = model.Unpinned, false // nothing of it is there yet
			steps = append(append(steps, p.closes(v)...), s)
			continue
		case d != nil && d.Label == v.ID && d.Path != "" && !d.Leftover:
			continue // also if the pool can't be read just now: the device was seen, what stands on it goes on
		case sv.PoolReason != "":
			w = failed("storage pool %s can't be read: %s", v.Pool, sv.PoolReason)
		case !sv.PoolSeen:
			w = working("storage pool %s is being read", v.Pool)
		case (d == nil || d.Leftover) && p.initialised(v):
			w = failed("the backing device %s of volume %d is missing from storage pool %s, though it was initialised; it isn't made anew: if its data is lost, remove this replica and create it again", v.Backing, v.Number, v.Pool)
		case d == nil || d.Leftover:
			s := p.volumeStep(CreateDevice, v)
			if v.From != nil {
				s.Kind, s.From = RestoreDevice, v.From
			}
			if d != nil && d.Unfinished && d.Label == v.ID && v.From != nil && sv.Begun {
				c := p.copying(v)
				if !c.Steps[0].Pooled() {
					if part == nil {
						part = &c
					}
					continue
				}
				s = c.Steps[0]
			}
			steps = append(steps, s)
			continue
		case d.Label != v.ID && sv.LabelKnown:
			w = blocked("waits until the old incarnation of %s is removed from storage pool %s", v.Backing, v.Pool)
		case d.Label == "":
			w = failed("storage pool %s already has a device %s that Holdfast didn't make; it is left untouched: rename or remove it", v.Pool, v.Backing)
			w.Broken = v.From != nil
		case d.Label != v.ID:
			w = failed("storage pool %s already has a device %s of another incarnation (%s); it is left untouched: see `node info` for orphans", v.Pool, v.Backing, d.Label)
			w.Broken = v.From != nil
		default:
			steps = append(steps, p.volumeStep(ActivateDevice, v))
			continue
		}
		if wait == nil || w.Phase == model.Failed && wait.Phase != model.Failed {
			wait = &w
		}
	}
	// One bad volume holds all back: a replica comes up whole. What can be made is not made either, it would only have to
	// be removed again.
	if wait != nil {
		return wait
	}
	if len(steps) > 0 {
		w := do(steps...)
		return &w
	}
	return part // alone, so that it holds no queue
}
