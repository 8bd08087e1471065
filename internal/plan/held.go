package plan

import (
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// HeldBy names the replica that has all that r has, one of 8.4 that goes and has made room for another: r's node says so, and that
// one is UpToDate by the report of its current session, and connected to the other one that stays, which is, too. Then nobody needs
// to look again: to meet, those two would have to part, and 8.4 may take r for a stranger. "": there is none, or there is a fourth
// replica: 8.4 lets in whoever calls, and what r has may be on that one instead.
func HeldBy(s *state.Snapshot, d *state.Definition, r *model.Resource) model.UUID {
	st := d.Seen[r.UUID]
	if d.DRBD != model.DRBD8 || !r.Deleting || len(d.Resources) != 3 || st == nil || st.InUse || st.Within == "" {
		return ""
	}
	good := func(o *model.Resource) bool {
		return o != nil && other(d, r, o) && !Evicted(s, o) && UpToDate(d, o)
	}
	o := d.Replica(st.Within)
	if !good(o) {
		return ""
	}
	for i := range d.Resources {
		x := &d.Resources[i]
		if x.UUID != o.UUID && good(x) && sees(d, o, x) {
			return o.UUID
		}
	}
	return ""
}
