package core

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/plan/place"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// A replica without a disk that has been in use for DrbdOptions/auto-diskful minutes gets one, as LINSTOR's does (linstor-features,
// timers). With DrbdOptions/auto-diskful-allow-cleanup (on, by default) it takes the place of another, unless the group's place count
// asks for one more: that one goes when the new one is UpToDate. A tie-breaker that is in use counts as well.

// diskfulAfter is how long one without a disk is in use before it gets one; false: it never does. A year is the most.
func diskfulAfter(s *state.Snapshot, d *state.Definition) (time.Duration, bool) {
	minutes := autoProps(s, d, "DrbdOptions/auto-diskful", -1)
	return time.Duration(min(minutes, 366*24*60)) * time.Minute, minutes >= 0
}

// wantsDisk is a replica without a disk for which there is something to note or to do.
type wantsDisk struct {
	def     model.UUID
	replica model.UUID
	used    bool // it is in use
	due     bool
}

// wantDisks lists them. What a node that is away would say of its own isn't known: it stays as it is.
func wantDisks(s *state.Snapshot, now time.Time) (out []wantsDisk) {
	ms := now.UnixMilli()
	s.Definitions(func(d *state.Definition) bool {
		after, on := diskfulAfter(s, d)
		idle := d.Deleting || d.RollingBack() != nil || d.Cloning.Unmade()
		for i := range d.Resources {
			r := &d.Resources[i]
			st := d.Seen[r.UUID]
			if !r.Diskless || r.Deleting || st == nil || s.Node(r.Node) == nil {
				continue
			}
			w := wantsDisk{def: d.UUID, replica: r.UUID, used: on && !idle && st.InUse}
			w.due = w.used && r.UsedMS != 0 && ms >= r.UsedMS+after.Milliseconds()
			if w.due || w.used != (r.UsedMS != 0) {
				out = append(out, w)
			}
		}
		return true
	})
	return out
}

// giveDisks gives disks to those that are due, and notes since when others are in use.
func giveDisks(tx *state.Tx, env Env) (notes []fault.Note, err error) {
	for _, w := range wantDisks(tx.Snapshot(), env.Now) {
		d := tx.Snapshot().DefinitionByID(w.def)
		m := d.ResourceDefinition.Clone()
		r := m.Replica(w.replica)
		switch {
		case w.due:
			note, why := giveDisk(tx.Snapshot(), env, d, m, r)
			if why == "" {
				notes = append(notes, note)
				break
			}
			if r.NoDisk == why {
				continue
			}
			m = d.ResourceDefinition.Clone() // as it was
			m.Replica(w.replica).NoDisk = why
		case w.used:
			r.UsedMS = env.Now.UnixMilli()
		default:
			r.UsedMS, r.NoDisk = 0, ""
		}
		if err := tx.PutDefinition(m); err != nil {
			return nil, err
		}
	}
	return notes, nil
}

// giveDisk changes m so that r, which is m's, gets a disk; why says why it can't.
func giveDisk(s *state.Snapshot, env Env, d *state.Definition, m *model.ResourceDefinition, r *model.Resource) (note fault.Note, why string) {
	n := s.Node(r.Node)
	for _, old := range makesWay(s, d) {
		rest := *d
		rest.ResourceDefinition = d.ResourceDefinition.Clone()
		rest.ResourceDefinition.Replica(old.UUID).Successor = r.UUID
		pool, no := diskFor(s, &rest, n)
		if no != "" {
			continue
		}
		try := m.Clone()
		if replace(s, env, d, try, old.UUID, n, pool) == nil {
			*m = *try
			return info(fault.Modify, fault.Resource, refsOf(d.Name, n.Name), "Resource '%s' gets a disk on node '%s', where it is in use, and leaves node '%s' then.", d.Name, n.Name, old.Node), ""
		}
	}
	pool, why := diskFor(s, d, n)
	if why != "" {
		return fault.Note{}, why
	}
	if _, err := addDisk(s, env, d, m, n, r, pool); err != nil {
		return fault.Note{}, fault.Why(err)
	}
	return info(fault.Modify, fault.Resource, refsOf(d.Name, n.Name), "Resource '%s' gets a disk on node '%s', where it is in use.", d.Name, n.Name), ""
}

// diskFor chooses the storage pool on the node by the group's rules; why says why there is none.
func diskFor(s *state.Snapshot, d *state.Definition, n *state.Node) (pool, why string) {
	q := another(s, d)
	q.Filter.Nodes = []string{n.Name}
	res := place.Place(s, q)
	if res.Chosen != nil {
		return res.Chosen[0].Pool, ""
	}
	for _, no := range res.Refused {
		if model.Key(no.Node) == model.Key(n.Name) {
			if no.Pool != "" {
				no.Why = "pool " + no.Pool + ": " + no.Why
			}
			why = strings.TrimPrefix(why+"; "+no.Why, "; ")
		}
	}
	return "", cmp.Or(why, "it isn't one of the nodes asked for")
}

// makesWay lists the replicas that may go for another, the best choice first: what isn't UpToDate, then what lies in the pool with
// the least free space. None: all are to stay. One that is in use stays, and one whose node is emptied goes anyway.
func makesWay(s *state.Snapshot, d *state.Definition) (out []*model.Resource) {
	g := s.Group(d.Group)
	if g == nil || g.Filter.PlaceCount == 0 {
		return nil
	}
	have := 0
	free := map[model.UUID]int64{}
	for i := range d.Resources {
		r := &d.Resources[i]
		n, st := s.Node(r.Node), d.Seen[r.UUID]
		if !r.Diskful() || r.Successor != "" || plan.Evicted(s, r) {
			continue
		}
		have++
		if r.Inactive || st != nil && st.InUse || n == nil || n.Evacuate ||
			!props.On("DrbdOptions/auto-diskful-allow-cleanup", true, r.Props, n.Props, d.Props, g.Props, s.Controller().Props) {
			continue
		}
		for _, v := range r.Volumes {
			if p := n.Pool(v.Pool); p != nil {
				free[r.UUID], _ = place.Free(s, n, p)
			}
		}
		out = append(out, r)
	}
	if have < g.Filter.PlaceCount {
		return nil
	}
	slices.SortStableFunc(out, func(a, b *model.Resource) int {
		if x, y := plan.UpToDate(d, a), plan.UpToDate(d, b); x != y {
			return map[bool]int{false: -1, true: 1}[x]
		}
		return cmp.Compare(free[a.UUID], free[b.UUID])
	})
	return out
}

// another asks for one more replica with a disk, where there may be one without, by the group's rules.
func another(s *state.Snapshot, d *state.Definition) place.Request {
	q := place.Request{Definition: d, Count: 1, OverDiskless: true, SizesKiB: sizes(d)}
	if g := s.Group(d.Group); g != nil {
		q.Filter = g.Filter.Clone()
	}
	return q
}

// sizes are those of the backing devices of one replica, in KiB.
func sizes(d *state.Definition) (kib []int64) {
	for i := range d.Volumes {
		if !d.Volumes[i].Deleting {
			kib = append(kib, d.Backing(&d.Volumes[i]))
		}
	}
	return kib
}
