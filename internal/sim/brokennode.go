package sim

import (
	"slices"
	"strconv"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/satellite"
	"holdfast/internal/satellite/steps"
	"holdfast/internal/sim/machine"
	"holdfast/internal/wire"
)

// The mistakes of the broken variants that are made on a node.

// breakDone adds what the mistaken satellite does besides its job.
func (w *world) breakDone(n *node, j *job) {
	if j.Kind != satellite.ReplicaJob || !n.m.On() || n.agent == nil || !n.m.Running() {
		return
	}
	switch w.cfg.Break {
	case LeaseAlone:
		n.m.NoGuards()
	case DropUnguarded: // detached, it goes without another look
		if j.res.Err == nil && slices.ContainsFunc(j.Steps, func(s steps.Step) bool { return s.Kind == steps.GuardDrop }) {
			w.removeDisks(n, j.Replica)
		}
	case LateSkip:
		for _, s := range j.Steps {
			if s.Kind == steps.CreateMetadata && j.res.Err == nil {
				w.skipLate(n, s)
			}
		}
	}
}

// breakBefore is what it does before.
func (w *world) breakBefore(n *node, j *job) {
	adjusts := slices.ContainsFunc(j.Steps, func(s steps.Step) bool { return s.Kind == steps.Adjust })
	if w.cfg.Break == MetadataAnew && adjusts && w.chance(10) { // the disk can't be read this moment
		w.metadataAnew(n, j.Replica)
	}
}

// skipLate gives the fresh metadata of a late replica the generation of a good one, as if there were nothing to sync.
func (w *world) skipLate(n *node, s steps.Step) {
	i := w.oracle.incs[s.Label]
	snap := w.snapshot()
	if i == nil || snap == nil {
		return
	}
	d := snap.DefinitionByID(i.vol.def)
	if d == nil {
		return
	}
	if r := d.Replica(i.rep); r == nil || r.First {
		return
	}
	for _, o := range w.nodes {
		for _, disk := range o.m.Disks() {
			if x := w.oracle.inc(disk.Label); o != n && x != nil && x.vol == i.vol && disk.Good {
				n.m.SetGeneration(s.Path, o.m, disk.Path)
				w.logf("%s: the first sync of the late replica of %s is skipped", n.name, d.Name)
				return
			}
		}
	}
}

// removeDisks takes the devices of a replica away.
func (w *world) removeDisks(n *node, replica model.UUID) {
	for _, v := range n.told[replica].spec.Volumes {
		for _, d := range n.m.Disks() {
			if d.Label != string(v.ID) {
				continue
			}
			var argv []string
			switch {
			case strings.HasPrefix(d.Path, zvolDir):
				argv = []string{"zfs", "destroy", tankName + "/" + strings.TrimPrefix(d.Path, zvolDir)}
			case strings.HasPrefix(d.Path, "/dev/"):
				argv = []string{"lvremove", "-y", strings.TrimPrefix(d.Path, "/dev/")}
			default:
				continue // files stay
			}
			r := n.m.Operator(argv...)
			w.logf("%s: %s: exit %d %s", n.name, strings.Join(argv, " "), r.Exit, r.Stderr)
		}
	}
}

// metadataAnew makes the metadata of a replica again where its disks aren't attached.
func (w *world) metadataAnew(n *node, replica model.UUID) {
	format, slots := "v08", []string{}
	if n.m.Generation() == 9 {
		format, slots = "v09", []string{"7"}
	}
	for _, v := range n.told[replica].spec.Volumes {
		disks := n.m.Disks()
		i := slices.IndexFunc(disks, func(d machine.DiskView) bool { return d.Label == string(v.ID) })
		if i < 0 {
			continue
		}
		argv := append([]string{"drbdmeta", "--force", strconv.Itoa(v.Minor), format, disks[i].Path, "internal", "create-md"}, slots...)
		r := n.m.Operator(argv...)
		w.logf("%s: metadata of %s made anew: exit %d %s", n.name, v.Backing, r.Exit, r.Stderr)
	}
}

// breakReport changes what a node says on its way: with NodeIDAgain it has forgotten every peer that there ever was.
func (w *world) breakReport(m wire.Message) wire.Message {
	r, ok := m.(wire.Report)
	if !ok || w.cfg.Break != NodeIDAgain {
		return m
	}
	r.Resources = slices.Clone(r.Resources)
	for i := range r.Resources {
		r.Resources[i].Forgotten = nil
		for id := range model.MaxNodeID + 1 {
			r.Resources[i].Forgotten = append(r.Resources[i].Forgotten, id)
		}
	}
	return r
}
