package sim

import (
	"math/rand/v2"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// filesystems is what users do with file systems that are made by property. It has a randomness of its own, and is in a third of
// the worlds.
type filesystems struct {
	on  bool
	rng *rand.Rand
}

func (f *filesystems) init(seed uint64) {
	f.rng = rand.New(rand.NewPCG(seed, 0x4d4b4653))
	f.on = f.rng.IntN(3) == 0
}

func (f *filesystems) chance(percent int) bool { return f.on && f.rng.IntN(100) < percent }

// wantsFileSystem sets the property on a definition.
func (w *world) wantsFileSystem(name string) {
	if !w.fs.chance(60) {
		return
	}
	c := core.DefinitionModify{Name: name, Override: map[string]string{"FileSystem/Type": model.FileSystems[w.fs.rng.IntN(2)]}}
	if w.fs.chance(10) {
		c.Override, c.Delete = nil, []string{"FileSystem/Type"}
	}
	if c.Override != nil && w.fs.chance(30) {
		c.Override["sys/fs/blkio_throttle_write"] = "1048576"
	}
	w.type_(c)
}

// unmade lists what waits for its file system.
func unmade(d *state.Definition) (numbers []int) {
	for _, vd := range d.Volumes {
		if vd.Making == model.MakingWanted && !vd.Deleting && !d.Deleting {
			for _, r := range d.Resources {
				if r.Diskful() && r.Volume(vd.Number) != nil {
					numbers = append(numbers, vd.Number)
					break
				}
			}
		}
	}
	return numbers
}

// checkFileSystems: none was made over what somebody wrote; and what is said to be made is there, unless users roll the
// volume back, or did so, to what it was before.
func (w *world) checkFileSystems() {
	for _, where := range w.net.Overwritten() {
		w.broken("I8", "a file system was made over data: %s", where)
	}
	if s := w.snapshot(); s != nil {
		s.AllDefinitions(func(d *state.Definition) bool {
			for _, vd := range d.Volumes {
				if x := w.oracle.vols[vd.UUID]; x != nil && vd.Making == model.MakingDone && !x.forgiven && !x.rolled && x.rolling == "" && !x.bare && !d.Deleting && !vd.Deleting && !w.fsSomewhere(x) {
					w.broken("I1", "the file system of %s/%d is said to be made, and is on no disk", d.Name, vd.Number)
				}
			}
			return true
		})
	}
}

func (w *world) fsSomewhere(x *vol) bool {
	disks := 0
	for _, n := range w.nodes {
		for _, d := range n.m.Disks() {
			if i := w.oracle.inc(d.Label); i != nil && i.vol == x {
				disks++
				if w.net.FileSystem(d) != "" {
					return true
				}
			}
		}
	}
	return disks == 0
}

// fsOn is the type of the file system on the device of that label; "": none.
func (w *world) fsOn(label model.UUID) string {
	for _, n := range w.nodes {
		for _, d := range n.m.Disks() {
			if d.Label == string(label) {
				return w.net.FileSystem(d)
			}
		}
	}
	return ""
}
