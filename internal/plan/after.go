package plan

import (
	"fmt"
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// rounds bounds After: each round only moves forward (a milestone set, a tombstone gone), three is the longest chain.
const rounds = 8

// Env is what a rule may know besides the state.
type Env struct {
	NowMS int64 // since 1970 UTC
	UUID  func() model.UUID
}

// After applies the rules to what the Tx touched, until nothing moves any more. It is called in the same batch, so what
// follows from a change is committed with it.
func After(tx *state.Tx, env Env) error {
	devicePools(tx, env)
	for range rounds {
		ids := tx.Touched()
		if len(ids) == 0 {
			if begun, err := turns(tx, env); err != nil || !begun {
				return err
			}
			continue
		}
		for _, id := range ids {
			if d := tx.Snapshot().DefinitionByID(id); d != nil {
				if err := definition(tx, env, d); err != nil {
					return err
				}
			}
		}
	}
	return fmt.Errorf("apply the rules: no rest after %d rounds", rounds)
}

func definition(tx *state.Tx, env Env, d *state.Definition) error {
	c := d.ResourceDefinition.Clone()
	moved := pin(tx.Snapshot(), c)
	moved = milestones(d, c) || moved
	moved = goodAmong(d, c) || moved
	moved = grown(d, c) || moved
	moved = volumesGone(d, c) || moved
	moved = replicasGone(d, c) || moved
	moved = afresh(c) || moved
	moved = forgotten(d, c) || moved
	moved = toggles(tx.Snapshot(), env, d, c) || moved
	moved = successions(tx.Snapshot(), env, d, c) || moved
	moved = seed(tx.Snapshot(), d, c) || moved
	moved = tieBreaker(tx.Snapshot(), env, d, c) || moved
	lostClones(tx, d)
	moved = clonedFrom(tx.Snapshot(), c) || moved
	moved = snapshots(tx, d, c) || moved
	moved = restoredOnce(c) || moved
	moved = clone(tx, c) || moved
	moved = rollback(d, c) || moved
	moved = rekeyed(d, c) || moved
	moved = making(tx.Snapshot(), d, c) || moved
	moved = verify(env, d, c) || moved
	if c.Deleting && len(c.Resources) == 0 && len(c.Snapshots) == 0 {
		tx.DropDefinition(c.UUID)
		return nil
	}
	if !moved {
		return nil
	}
	return tx.PutDefinition(c)
}

// pin fixes the DRBD generation at the first deployment: that of the first replica's node, as soon as it is known.
func pin(s *state.Snapshot, c *model.ResourceDefinition) bool {
	if c.DRBD != model.Unpinned || !c.HasDRBD() || c.Deleting {
		return false
	}
	for _, r := range c.Resources {
		if n := s.Node(r.Node); !r.Deleting && n != nil && n.Seen.DRBD != model.Unpinned {
			c.DRBD = n.Seen.DRBD
			return true
		}
	}
	return false
}

// milestones remembers what was reported once: metadata made, replica filled, volume initialised.
func milestones(d *state.Definition, c *model.ResourceDefinition) (moved bool) {
	for i := range c.Resources {
		r := &c.Resources[i]
		st := d.Seen[r.UUID]
		if st == nil {
			continue
		}
		for j := range r.Volumes {
			v := &r.Volumes[j]
			seen := st.Volume(v.Number)
			if seen == nil || seen.ID != v.UUID {
				continue
			}
			// A removed one that isn't initialised by now never will be: nothing of it was attached, so it may go.
			if seen.MDReady && !v.Initialised && !r.Deleting && r.Toggle != model.Removing {
				v.Initialised, moved = true, true
			}
			if seen.Disk == model.DiskUpToDate && !v.Filled && !r.Diskless {
				v.Filled, moved = true, true
			}
			if vd := c.Volume(v.Number); vd != nil && !vd.Initialised && !r.Diskless &&
				(seen.Disk == model.DiskUpToDate || seen.Disk == model.DiskCreated) {
				vd.Initialised, moved = true, true
			}
		}
	}
	return moved
}

// volumesGone takes away single volumes whose node confirms, and the definition of one that nobody has any more.
func volumesGone(d *state.Definition, c *model.ResourceDefinition) (moved bool) {
	for i := range c.Resources {
		r := &c.Resources[i]
		st := d.Seen[r.UUID]
		r.Volumes = slices.DeleteFunc(r.Volumes, func(v model.Volume) bool {
			gone := v.Deleting && st != nil && st.Generation >= c.Generation && st.Phase == model.Done && st.Volume(v.Number) == nil
			moved = moved || gone
			return gone
		})
	}
	c.Volumes = slices.DeleteFunc(c.Volumes, func(vd model.VolumeDefinition) bool {
		gone := vd.Deleting && !slices.ContainsFunc(c.Resources, func(r model.Resource) bool { return r.Volume(vd.Number) != nil })
		moved = moved || gone
		return gone
	})
	return moved
}

// replicasGone drops a tombstone when its node confirms that incarnation gone. Its DRBD 9 node-id stays retired until
// every remaining peer has forgotten it; 8.4 knows no node-ids.
func replicasGone(d *state.Definition, c *model.ResourceDefinition) (moved bool) {
	for i := 0; i < len(c.Resources); i++ {
		r := c.Resources[i]
		if st := d.Seen[r.UUID]; !r.Deleting || st == nil || !st.Gone {
			continue
		}
		DropReplica(c, r.UUID)
		i--
		moved = true
	}
	return moved
}

// DropReplica takes a replica out of the definition and retires its node-id.
func DropReplica(c *model.ResourceDefinition, id model.UUID) {
	i := slices.IndexFunc(c.Resources, func(r model.Resource) bool { return r.UUID == id })
	if i < 0 {
		return
	}
	r := c.Resources[i]
	c.Resources = slices.Delete(c.Resources, i, i+1)
	for j := range c.Retired {
		c.Retired[j].WaitFor = slices.DeleteFunc(c.Retired[j].WaitFor, func(w model.UUID) bool { return w == id })
	}
	if c.On(r.Node) == nil && len(c.Connections) > 0 {
		c.Connections = model.WithoutNode(c.Connections, r.Node)
	}
	if c.DRBD == model.DRBD9 {
		var peers []model.UUID
		for _, p := range c.Resources {
			peers = append(peers, p.UUID)
		}
		c.Retired = append(c.Retired, model.RetiredNodeID{NodeID: r.NodeID, Replica: id, Since: c.Generation + 1, WaitFor: peers})
	}
}

// forgotten frees node-ids that every peer has forgotten. A replica that isn't deployed yet has nothing to forget, but it
// says so itself.
func forgotten(d *state.Definition, c *model.ResourceDefinition) (moved bool) {
	for i := range c.Retired {
		t := &c.Retired[i]
		n := len(t.WaitFor)
		t.WaitFor = slices.DeleteFunc(t.WaitFor, func(id model.UUID) bool {
			st := d.Seen[id]
			return st != nil && st.Generation >= t.Since && slices.Contains(st.Forgotten, t.NodeID)
		})
		moved = moved || len(t.WaitFor) != n
	}
	n := len(c.Retired)
	c.Retired = slices.DeleteFunc(c.Retired, func(t model.RetiredNodeID) bool { return len(t.WaitFor) == 0 })
	return moved || len(c.Retired) != n
}

// seed names, once, the replica from which an uninitialised volume's first sync starts, or that it is skipped: only if
// every diskful replica was made in the first deployment, on pools that prove zeros, on nodes that are online now.
// A named source stays named until its replica is gone without the volume ever having been good.
//
// DRBD promotes a resource as a whole, and only where each of its volumes is good or to be declared good. So all volumes
// that wait for a first sync have the same source, and it is one on which the others are UpToDate.
func seed(s *state.Snapshot, d *state.Definition, c *model.ResourceDefinition) (moved bool) {
	if !c.HasDRBD() || c.Deleting || c.Cloning.Untold() {
		return false
	}
	for i := range c.Volumes {
		vd := &c.Volumes[i]
		if vd.Initialised || vd.Deleting || sourceStays(c, vd.Source) || ruledElsewhere(s, c, vd.Number) {
			continue
		}
		first, n, skip := source(s, d, c, vd)
		if first == nil {
			if vd.Source != "" {
				vd.Source, vd.SkipSync, moved = "", false, true
			}
			continue
		}
		vd.Source, vd.SkipSync, moved = first.UUID, skip && n > 1, true
	}
	return moved
}

// ruledElsewhere tells whether another controller may be in charge of a node that carries the volume: its satellite says so,
// or hasn't been asked since this controller began. Of two copies of a controller, each of which has some of the nodes, the
// other one may have named a source there, and this one would name a second.
func ruledElsewhere(s *state.Snapshot, c *model.ResourceDefinition, number int) bool {
	return slices.ContainsFunc(c.Resources, func(r model.Resource) bool {
		n := s.Node(r.Node)
		if n == nil || !r.Diskful() || r.Volume(number) == nil {
			return false
		}
		switch n.Seen.Status {
		case model.StatusOtherController:
			return true
		case model.StatusUnknown:
			nif := n.Dial()
			return n.Type.HasSatellite() && nif != nil && nif.Port != 0
		}
		return false
	})
}

// source chooses among the n replicas that carry the volume; nil if none will do (yet). skip: they all prove zeros.
func source(s *state.Snapshot, d *state.Definition, c *model.ResourceDefinition, vd *model.VolumeDefinition) (best *model.Resource, n int, skip bool) {
	rank := -1
	skip = !c.HasLUKS() // what is read through a new key is noise
	same := sourceOfOthers(c, vd)
	restored := restored(c, vd.Number) || c.Cloning.Unmade()
	for j := range c.Resources {
		r := &c.Resources[j]
		v := r.Volume(vd.Number)
		if !r.Diskful() || v == nil {
			continue
		}
		node := s.Node(r.Node)
		online := node != nil && node.Online()
		n++
		skip = skip && online && r.First && !v.Initialised && provesZeros(node, v.Pool) && v.From == nil
		if restored && v.From == nil {
			continue // it would be synced from nothing to what was restored
		}
		if same != "" && r.UUID != same || same == "" && !goodOtherwise(d, c, r) {
			continue
		}
		k := 0
		if online {
			k = 1
		}
		if k > rank {
			best, rank = r, k
		}
	}
	return best, n, skip
}

// restored tells whether some replica's volume is made from a snapshot: only such a one has the data then. One whose disk was
// toggled away counts, too: it is made from it when it comes back.
func restored(c *model.ResourceDefinition, number int) bool {
	return slices.ContainsFunc(c.Resources, func(r model.Resource) bool {
		v := r.Volume(number)
		return !r.Deleting && v != nil && v.From != nil
	})
}

// sourceOfOthers is the replica from which another volume's first sync starts that isn't over; "" if there is none.
func sourceOfOthers(c *model.ResourceDefinition, vd *model.VolumeDefinition) model.UUID {
	for i := range c.Volumes {
		if o := &c.Volumes[i]; o.Number != vd.Number && !o.Initialised && !o.Deleting && sourceStays(c, o.Source) {
			return o.Source
		}
	}
	return ""
}

// goodOtherwise tells whether the volumes that are initialised are UpToDate on r.
func goodOtherwise(d *state.Definition, c *model.ResourceDefinition, r *model.Resource) bool {
	for i := range c.Volumes {
		vd := &c.Volumes[i]
		if !vd.Initialised || vd.Deleting {
			continue
		}
		st := d.Seen[r.UUID]
		if st == nil {
			return false
		}
		if v := st.Volume(vd.Number); v == nil || v.Disk != model.DiskUpToDate {
			return false
		}
	}
	return true
}

func provesZeros(n *state.Node, pool string) bool {
	p := n.Pool(pool)
	if p == nil || p.Kind != model.LVMThin {
		return p != nil && p.Kind.ProvesZeros()
	}
	i := slices.IndexFunc(n.Seen.Pools, func(st model.PoolStatus) bool { return st.UUID == p.UUID })
	return i >= 0 && n.Seen.Pools[i].Zeroes
}
