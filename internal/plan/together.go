package plan

import (
	"fmt"
	"slices"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// Together keeps those of the replicas that have the same data, for a snapshot of them: with the resource in use, those
// connected to where it is; else all, if each is connected to each, and, with all, to every other one that says that it is good:
// who takes no part because its disk leaves or its pool can't may have the newest writes. apart are the nodes of the others; why
// says what that means.
func Together(d *state.Definition, cand []*model.Resource, all bool) (same []*model.Resource, apart []string, why string) {
	if !d.HasDRBD() || len(cand) == 0 {
		return cand, nil, ""
	}
	used := ""
	for _, r := range cand {
		ok := true
		for i := range d.Resources {
			if o := &d.Resources[i]; inUse(d, o) {
				used = o.Node
				ok = ok && linked(d, o, r)
			}
		}
		if ok {
			same = append(same, r)
		} else {
			apart = append(apart, r.Node)
		}
	}
	if used != "" {
		if len(apart) > 0 {
			why = fmt.Sprintf("DRBD on %s isn't connected to %s, where the resource is in use.", strings.Join(apart, " and "), used)
		}
		return same, apart, why
	}
	others := cand
	if all {
		others = slices.Clone(cand)
		for i := range d.Resources {
			if r := &d.Resources[i]; !slices.Contains(cand, r) && saysGood(d, r) {
				others = append(others, r)
			}
		}
	}
	for _, a := range cand {
		for _, b := range others {
			if !linked(d, a, b) {
				apart = []string{a.Node, b.Node}
				return nil, apart, "The replicas on " + strings.Join(apart, " and ") + " aren't connected, and none is in use: nobody knows which one is newer."
			}
		}
	}
	return cand, nil, ""
}

// apart says why the copies of a snapshot, whose I/O stands still everywhere, wouldn't have all that was written; "" if they will.
// What was written while two were cut off from each other, the one who wrote knew of by then.
func apart(d *state.Definition, sn *model.Snapshot) string {
	var from []*model.Resource
	for _, k := range sn.Copies {
		if r := d.Replica(k.Replica); r != nil {
			from = append(from, r)
		}
	}
	_, _, why := Together(d, from, sn.Together)
	return strings.TrimSuffix(why, ".")
}

// linked tells whether two are connected and both say so: the one of them that was cut off may hear of it later.
func linked(d *state.Definition, a, b *model.Resource) bool {
	return a.UUID == b.UUID || sees(d, a, b) && sees(d, b, a)
}

// sees tells whether one says that it is connected to the other.
func sees(d *state.Definition, from, to *model.Resource) bool {
	st := d.Seen[from.UUID]
	if st == nil {
		return false
	}
	p := st.Peer(to.Node)
	return p != nil && p.State == model.Connected
}

// saysGood tells whether a volume of the replica is UpToDate by its own word.
func saysGood(d *state.Definition, r *model.Resource) bool {
	st := d.Seen[r.UUID]
	return st != nil && slices.ContainsFunc(st.Volumes, func(v model.VolumeStatus) bool { return v.Disk == model.DiskUpToDate })
}
