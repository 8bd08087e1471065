package core

import (
	"fmt"
	"slices"
	"strings"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/state"
)

// Planned says what a command would do, and changes nothing: it is run beside the state, with the rules behind it, and
// what came of it is described. What it refuses is refused so too.
type Planned struct{ Command Command }

// Apply implements Command.
func (c Planned) Apply(tx *state.Tx, env Env) (Reply, error) {
	before, f := tx.Snapshot(), tx.Fork()
	if _, err := c.Command.Apply(f, env); err != nil {
		return Reply{}, err
	}
	if err := plan.After(f, env.Rules()); err != nil {
		return Reply{}, err
	}
	notes := []fault.Note{info(fault.NoOp, fault.NoObject, nil, "This is a plan: nothing was changed.")}
	notes = append(notes, describe(before, f.Snapshot())...)
	if len(notes) == 1 {
		notes = append(notes, info(fault.NoOp, fault.NoObject, nil, "No data would be moved or removed."))
	}
	return Reply{Notes: notes}, nil
}

// describe tells the steps by definition, and how many good copies each has on the way.
func describe(before, after *state.Snapshot) (notes []fault.Note) {
	after.AllDefinitions(func(a *state.Definition) bool {
		if b := before.DefinitionByID(a.UUID); b == nil || b.Generation != a.Generation {
			notes = append(notes, describeOne(after, b, a)...)
		}
		return true
	})
	before.AllDefinitions(func(b *state.Definition) bool {
		if after.DefinitionByID(b.UUID) == nil {
			notes = append(notes, info(fault.Delete, fault.ResourceDefinition, map[string]string{"RscDfn": b.Name}, "Resource definition '%s' would be forgotten: nothing is left of it.", b.Name))
		}
		return true
	})
	return notes
}

func describeOne(s *state.Snapshot, b, a *state.Definition) (notes []fault.Note) {
	say := func(node, format string, args ...any) {
		notes = append(notes, info(fault.NoOp, fault.Resource, refsOf(a.Name, node), format, args...))
	}
	old := func(id model.UUID) *model.Resource {
		if b == nil {
			return nil
		}
		return b.Replica(id)
	}
	var copied int64
	for i := range a.Resources {
		r := &a.Resources[i]
		o := old(r.UUID)
		if (o == nil || o.Diskless) && !r.Diskless && !r.Deleting {
			kib := toCopy(a)
			copied += kib
			say(r.Node, "'%s' would get a disk on node '%s' in storage pool %s; %d KiB would be copied to it.", a.Name, r.Node, pools(r), kib)
		} else if o == nil && !r.Deleting {
			say(r.Node, "'%s' would be made available on node '%s', without a disk.", a.Name, r.Node)
		}
		if o == nil {
			continue
		}
		switch {
		case r.Successor != "" && o.Successor != r.Successor:
			say(r.Node, "'%s' would leave node '%s' when it is UpToDate on node '%s'.", a.Name, r.Node, a.Replica(r.Successor).Node)
		case r.Deleting && !o.Deleting:
			text := fmt.Sprintf("'%s' would be removed from node '%s'", a.Name, r.Node)
			if !r.Diskless {
				text += ", with its data in storage pool " + pools(r)
			}
			if m := plan.MayRemove(s, a, r); !m.OK {
				text += "; that would wait: " + m.Reason
			}
			say(r.Node, "%s.", text)
		case r.DiskLeaves() && !o.DiskLeaves():
			say(r.Node, "The disk of '%s' on node '%s', in storage pool %s, would be removed when a connected peer is UpToDate; the replica stays, without a disk.", a.Name, r.Node, pools(r))
		case r.Inactive != o.Inactive && r.Inactive:
			say(r.Node, "'%s' would be down on node '%s'; its data stays.", a.Name, r.Node)
		}
	}
	if b != nil {
		for i := range b.Resources {
			if r := &b.Resources[i]; a.Replica(r.UUID) == nil {
				say(r.Node, "The replica of '%s' on node '%s' would be given up.", a.Name, r.Node)
			}
		}
		for _, v := range a.Volumes {
			if o := b.Volume(v.Number); v.Deleting && !a.Deleting && (o == nil || !o.Deleting) {
				say("", "Volume %d of '%s' would be removed from all nodes, with its data.", v.Number, a.Name)
			}
		}
	}
	if len(notes) == 0 || b == nil {
		return append(notes, describeSnapshots(b, a)...)
	}
	notes = append(notes, describeSnapshots(b, a)...)
	if a.Deleting {
		return append(notes, info(fault.NoOp, fault.ResourceDefinition, map[string]string{"RscDfn": a.Name}, "'%s': no copy would remain.", a.Name))
	}
	now, meanwhile, end := copies(b), copies(a), 0
	for i := range a.Resources {
		if r := &a.Resources[i]; r.Diskful() && r.Successor == "" {
			end++
		}
	}
	return append(notes, info(fault.NoOp, fault.ResourceDefinition, map[string]string{"RscDfn": a.Name},
		"'%s': %d good copies now, %d meanwhile, %d at the end; %d KiB to copy.", a.Name, now, meanwhile, end, copied))
}

// describeSnapshots tells what becomes of the snapshots, and of the data when one is rolled back to. b may be nil.
func describeSnapshots(b, a *state.Definition) (notes []fault.Note) {
	if b == nil {
		return nil
	}
	for i := range a.Snapshots {
		sn := &a.Snapshots[i]
		old := b.SnapshotByID(sn.UUID)
		if rb := a.RollingBack(); rb != nil && rb.Snapshot == sn.UUID && (b.Rollback == nil || b.Rollback.ID != rb.ID) {
			notes = append(notes, info(fault.NoOp, fault.Snapshot, snapRefs(a.Name, sn.Name),
				"'%s' would be taken down on all nodes and get the content of snapshot '%s', which stays; what was written since would be lost.", a.Name, sn.Name))
			notes = append(notes, describeFilling(a, rb)...)
		}
		for _, k := range sn.Copies {
			if k.Deleting && old != nil && slices.ContainsFunc(old.Copies, func(o model.SnapshotCopy) bool { return o.UUID == k.UUID && !o.Deleting }) {
				notes = append(notes, info(fault.NoOp, fault.Snapshot, snapRefs(a.Name, sn.Name), "Snapshot '%s' of '%s' would be removed from node '%s'.", sn.Name, a.Name, k.Node))
			}
		}
	}
	return notes
}

// describeFilling tells which replicas get the content from another one's copy.
func describeFilling(a *state.Definition, rb *model.Rollback) (notes []fault.Note) {
	from := a.Replica(rb.Keeps)
	for i := range a.Resources {
		if r := &a.Resources[i]; from != nil && r != from && r.Diskful() {
			notes = append(notes, info(fault.NoOp, fault.Resource, refsOf(a.Name, r.Node), "'%s' on node '%s' would be filled from node '%s': %d KiB would be copied; until then that one has the only copy.", a.Name, r.Node, from.Node, toCopy(a)))
		}
	}
	return notes
}

// copies counts the replicas that are proven good and aren't ordered to go. One that steps aside (DRBD 8.4) keeps its data,
// but follows no writes any more.
func copies(d *state.Definition) (n int) {
	for i := range d.Resources {
		if r := &d.Resources[i]; r.Diskful() && plan.UpToDate(d, r) {
			n++
		}
	}
	return n
}

// toCopy is what a new replica gets from another, in KiB: the whole of each volume that has data.
func toCopy(d *state.Definition) (kib int64) {
	for i := range d.Volumes {
		if v := &d.Volumes[i]; v.Initialised && !v.Deleting {
			kib += v.SizeKiB
		}
	}
	return kib
}

func pools(r *model.Resource) string {
	var names []string
	for _, v := range r.Volumes {
		if name := "'" + v.Pool + "'"; v.Pool != "" && !strings.Contains(strings.Join(names, ", "), name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
