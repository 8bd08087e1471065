package satellite

import (
	"maps"
	"slices"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/wire"
)

// kept is what survives a restart: what a controller wants of this node, and what must not be forgotten whatever a
// controller says. One file, replaced whole before the controller's word is acknowledged.
type kept struct {
	// Cluster that spoke last. Order is the newest of it that was obeyed.
	Cluster model.UUID
	Order   model.Order
	State   model.NodeState
	// Initialised volumes: metadata is never made on them again. Data: they were good once: never a source of a first sync.
	// Both sorted.
	Initialised []model.UUID
	Data        []model.UUID
	// Unmentioned volumes, by replica: they hold data, the controller spoke of them once, never said that they shall go,
	// and doesn't mention them any more (its store was rolled back). They stay as they were.
	Unmentioned map[model.UUID][]model.VolumeSpec
	// Epochs in which each replica's spec was said: within one, an older generation changes nothing.
	Epochs map[model.UUID]uint64
	// Past incarnations of this epoch, the newest last: a late word of the time before they went changes nothing.
	Past []past
	// Forgotten peers' node-ids by replica.
	Forgotten map[model.UUID][]int
}

// past is an incarnation that is no longer mentioned, and the last generation that was.
type past struct {
	ID         model.UUID
	Generation uint64
}

// pastMost bounds kept.Past. A word is late by seconds, not by a thousand removals.
const pastMost = 1000

// clone shares specs, which are never edited.
func (k kept) clone() kept {
	k.State = k.State.Clone()
	k.Initialised, k.Data = slices.Clone(k.Initialised), slices.Clone(k.Data)
	k.Epochs, k.Unmentioned = maps.Clone(k.Epochs), maps.Clone(k.Unmentioned)
	k.Past = slices.Clone(k.Past)
	f := make(map[model.UUID][]int, len(k.Forgotten))
	for id, ids := range k.Forgotten {
		f[id] = slices.Clone(ids)
	}
	k.Forgotten = f
	return k
}

// apply takes in a word of the controller, and gives the replicas that it spoke of. An older generation of the same epoch
// changes nothing.
func (k *kept) apply(d wire.Desired) (taken []model.UUID) {
	st := &k.State
	if d.Full || d.PoolsSet || d.Pools != nil {
		st.Pools, st.DevicePools = d.Pools, d.DevicePools
	}
	if k.Epochs == nil {
		k.Epochs = map[model.UUID]uint64{}
	}
	old := map[model.UUID]model.ResourceSpec{}
	for _, r := range st.Resources {
		old[r.ID] = r
	}
	next := map[model.UUID]model.ResourceSpec{}
	if !d.Full {
		maps.Copy(next, old)
	}
	for _, r := range d.Resources {
		if o, there := old[r.ID]; there && k.Epochs[r.ID] == d.Order.Epoch && r.Generation < o.Generation {
			next[r.ID] = o
			continue
		} else if !there && k.late(r) {
			continue
		}
		stayEncrypted(&r, old[r.ID].Volumes)
		next[r.ID] = r
		k.Epochs[r.ID] = d.Order.Epoch
		k.miss(r, old[r.ID].Volumes)
		// What is no longer asked to be forgotten may be given to another peer, and then has to be forgotten again.
		if ids, ok := k.Forgotten[r.ID]; ok && r.DRBD != nil {
			k.Forgotten[r.ID] = slices.DeleteFunc(ids, func(id int) bool { return !slices.Contains(r.DRBD.Forget, id) })
		}
		taken = append(taken, r.ID)
	}
	for _, id := range d.Dropped {
		delete(next, id)
	}
	for _, r := range st.Resources {
		if _, there := next[r.ID]; !there && k.Epochs[r.ID] == d.Order.Epoch {
			k.Past = append(k.Past, past{r.ID, r.Generation})
		}
	}
	k.Past = k.Past[max(0, len(k.Past)-pastMost):]
	maps.DeleteFunc(k.Epochs, func(id model.UUID, _ uint64) bool { _, there := next[id]; return !there })
	maps.DeleteFunc(k.Unmentioned, func(id model.UUID, _ []model.VolumeSpec) bool { _, there := next[id]; return !there })
	st.Resources = slices.SortedFunc(maps.Values(next), func(a, b model.ResourceSpec) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(string(a.ID), string(b.ID))
	})
	return taken
}

// late tells whether a spec is of the time before its incarnation was no longer mentioned.
func (k *kept) late(r model.ResourceSpec) bool {
	return slices.ContainsFunc(k.Past, func(p past) bool { return p.ID == r.ID && r.Generation <= p.Generation })
}

// miss notes the volumes that the replica had and that its new spec doesn't speak of.
func (k *kept) miss(r model.ResourceSpec, old []model.VolumeSpec) {
	var missed []model.VolumeSpec
	for _, v := range slices.Concat(k.Unmentioned[r.ID], old) {
		same := func(o model.VolumeSpec) bool { return o.ID == v.ID }
		if v.Want != model.Up || v.Pool == "" || !has(k.Initialised, v.ID) || slices.ContainsFunc(r.Volumes, same) || slices.ContainsFunc(missed, same) {
			continue
		}
		v.Initialised, v.Seed = true, model.NoSeed
		missed = append(missed, v)
	}
	if len(missed) == 0 {
		delete(k.Unmentioned, r.ID)
		return
	}
	if k.Unmentioned == nil {
		k.Unmentioned = map[model.UUID][]model.VolumeSpec{}
	}
	k.Unmentioned[r.ID] = missed
}

func (k *kept) mentions(id model.UUID) bool {
	return slices.ContainsFunc(k.State.Resources, func(r model.ResourceSpec) bool { return r.ID == id })
}

// forget what was kept of an incarnation that is gone.
func (k *kept) forget(r model.ResourceSpec) {
	for _, v := range r.Volumes {
		remove(&k.Initialised, v.ID)
		remove(&k.Data, v.ID)
	}
	delete(k.Forgotten, r.ID)
}

func has(ids []model.UUID, id model.UUID) bool {
	_, ok := slices.BinarySearch(ids, id)
	return ok
}

// add keeps the list sorted and tells whether id is new.
func add(ids *[]model.UUID, id model.UUID) bool {
	i, ok := slices.BinarySearch(*ids, id)
	if !ok {
		*ids = slices.Insert(*ids, i, id)
	}
	return !ok
}

func remove(ids *[]model.UUID, id model.UUID) {
	if i, ok := slices.BinarySearch(*ids, id); ok {
		*ids = slices.Delete(*ids, i, i+1)
	}
}
