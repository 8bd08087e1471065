package plan

import (
	"fmt"
	"iter"
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// clone moves a definition on that is made as a clone; see model.CloneState. The definition that it is made of is looked at
// anew each time, so that its snapshot goes as soon as nobody needs it.
func clone(tx *state.Tx, c *model.ResourceDefinition) (moved bool) {
	x := c.Cloning
	if x == nil {
		return false
	}
	tx.Touch(x.Source)
	if c.Deleting {
		return false
	}
	next := *x // what is published stays as it is
	fail := func(format string, args ...any) {
		next.State, next.Reason = model.CloneFailed, fmt.Sprintf(format, args...)
	}
	switch x.State {
	case model.CloneTaking:
		var sn *model.Snapshot
		if d := tx.Snapshot().DefinitionByID(x.Source); d != nil {
			sn = d.SnapshotByID(x.Snapshot)
		}
		switch {
		case sn == nil || sn.State == model.SnapshotDeleting:
			fail("the snapshot of %s was given up", x.SourceName)
		case sn.State == model.SnapshotFailed:
			fail("the snapshot of %s failed: %s", x.SourceName, sn.Reason)
		case sn.State == model.SnapshotSuccessful:
			next.State = model.CloneCopying
		}
	case model.CloneCopying:
		if why := lost(tx.Snapshot().DefinitionByID(x.Source), c); why != "" {
			fail("%s", why)
			break
		}
		if why := unmakeable(tx.Snapshot().DefinitionByID(c.UUID), c); why != "" {
			fail("%s", why)
			break
		}
		whole := true
		for i := range c.Volumes {
			vd := &c.Volumes[i]
			whole = whole && vd.Initialised
			if !vd.Initialised && !beingMade(c, vd.Number) {
				fail("the replicas are gone that volume %d was being made on", vd.Number)
			}
		}
		if whole {
			next.State = model.CloneDone
		}
	case model.CloneDone:
		if d := tx.Snapshot().DefinitionByID(x.Source); d != nil {
			for r := range brokenFor(d, c) {
				moved = syncedInstead(c, r) || moved
			}
		}
		if !madeFrom(c, x.Snapshot) {
			c.Cloning = nil
			return true
		}
	}
	if next == *x {
		return moved
	}
	c.Cloning = &next
	return true
}

// syncedInstead has a replica be made empty, of volumes that are whole elsewhere, since the snapshot that it was to be made of is lost.
func syncedInstead(c *model.ResourceDefinition, r *model.Resource) (moved bool) {
	for i := range r.Volumes {
		v := &r.Volumes[i]
		if vd := c.Volume(v.Number); vd != nil && vd.Initialised && !v.Initialised && v.From != nil {
			v.From, moved = nil, true
		}
	}
	return moved
}

// brokenFor gives the replicas of c that still need a copy of their snapshot that has lost its content, and why.
func brokenFor(d *state.Definition, c *model.ResourceDefinition) iter.Seq2[*model.Resource, string] {
	return func(yield func(*model.Resource, string) bool) {
		sn := d.SnapshotByID(c.Cloning.Snapshot)
		if sn == nil {
			return
		}
		for _, k := range sn.Copies {
			st := d.Seen[k.UUID]
			if st == nil || !st.Broken {
				continue
			}
			if r := c.On(k.Node); r != nil && unmade(r) && !yield(r, fmt.Sprintf("on %s: %s", k.Node, st.Reason)) {
				return
			}
		}
	}
}

// lost says why a clone that is being copied from a snapshot of d can't be whole any more; "" if it can. A replica whose volumes
// are all made needs the snapshot no more.
func lost(d *state.Definition, c *model.ResourceDefinition) string {
	if d == nil || c.Cloning == nil || c.Cloning.State != model.CloneCopying {
		return ""
	}
	for _, why := range brokenFor(d, c) {
		return why
	}
	return ""
}

// comesFrom is the copy of a snapshot that r's volume is to be made of, or was, while the volume isn't whole anywhere; nil if there
// is none, or if r is to have no disk any more.
func comesFrom(r *model.Resource, v *model.Volume) *model.Source {
	if v == nil || r.Deleting || r.Diskless || r.Toggle == model.Removing {
		return nil
	}
	return v.From
}

// unmade tells whether r still needs a snapshot, to be made of it.
func unmade(r *model.Resource) bool {
	return slices.ContainsFunc(r.Volumes, func(v model.Volume) bool { return !v.Initialised && comesFrom(r, &v) != nil })
}

// beingMade tells whether some replica with a disk has, or is to have, that volume from the snapshot.
func beingMade(c *model.ResourceDefinition, number int) bool {
	return slices.ContainsFunc(c.Resources, func(r model.Resource) bool { return comesFrom(&r, r.Volume(number)) != nil })
}

// unmakeable says why none of the replicas can be made that are to be made from the snapshot; "" if one can. A clone that waits
// for somebody to make room for its name would hold its source up, which keeps the snapshot meanwhile.
func unmakeable(d *state.Definition, c *model.ResourceDefinition) (why string) {
	for i := range c.Resources {
		r := &c.Resources[i]
		if !unmade(r) {
			continue
		}
		if d == nil || d.Seen[r.UUID] == nil || !d.Seen[r.UUID].Broken {
			return ""
		}
		why = fmt.Sprintf("on %s: %s", r.Node, d.Seen[r.UUID].Reason)
	}
	return why
}

// lostClones looks at the clones again whose snapshot is lost.
func lostClones(tx *state.Tx, d *state.Definition) {
	for i := range d.Snapshots {
		if id := d.Snapshots[i].For; id != "" {
			t := tx.Snapshot().DefinitionByID(id)
			if t == nil || t.Deleting || t.Cloning == nil || t.Cloning.State != model.CloneCopying && t.Cloning.State != model.CloneDone {
				continue
			}
			for range brokenFor(d, t.ResourceDefinition) {
				tx.Touch(id)
			}
		}
	}
}

// madeFrom tells whether volumes of c are still to be made from that snapshot.
func madeFrom(c *model.ResourceDefinition, snapshot model.UUID) bool {
	return slices.ContainsFunc(c.Resources, func(r model.Resource) bool {
		return slices.ContainsFunc(r.Volumes, func(v model.Volume) bool {
			from := comesFrom(&r, &v)
			return from != nil && from.Snapshot == snapshot
		})
	})
}

// clonedFrom orders the snapshots away that were taken for clones and that none needs any more.
func clonedFrom(s *state.Snapshot, c *model.ResourceDefinition) (moved bool) {
	for i := range c.Snapshots {
		sn := &c.Snapshots[i]
		if sn.For == "" || sn.State == model.SnapshotDeleting {
			continue
		}
		t := s.DefinitionByID(sn.For)
		if t != nil && !t.Deleting && t.Cloning != nil && t.Cloning.Snapshot == sn.UUID && t.Cloning.State != model.CloneFailed {
			continue
		}
		DropSnapshot(sn)
		moved = true
	}
	return moved
}

// DropSnapshot orders it away.
func DropSnapshot(sn *model.Snapshot) {
	sn.State, sn.Quiet = model.SnapshotDeleting, nil
	for i := range sn.Copies {
		sn.Copies[i].Deleting = true
	}
}
