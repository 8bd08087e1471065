package condition

import (
	"fmt"

	"holdfast/internal/model"
)

// snapshots: what was to be made by itself, and wasn't.
func (l *look) snapshots() {
	d := l.d
	if x := d.Cloning; x.Failed() {
		l.add(Condition{Kind: CloneFailed, Volume: -1, SinceMS: x.SinceMS, Message: "It was to be a clone of " + x.SourceName + ", which failed.",
			Evidence: []string{x.Reason},
			Mends: []Mend{{What: "Delete it, and clone again.", LosesNothing: true, Commands: []Command{
				{Line: "linstor resource-definition delete " + d.Name}, {Line: "linstor resource-definition clone " + x.SourceName + " " + d.Name}}}}})
	}
	c := Condition{Kind: AutoSnapshot, Volume: -1, Message: "The snapshot that was due by AutoSnapshot/RunEvery isn't there; it is tried again."}
	if d.Auto.Reason != "" {
		c.Evidence = append(c.Evidence, d.Auto.Reason)
	}
	if sn := d.LastAuto(); sn != nil && sn.State == model.SnapshotFailed {
		c.SinceMS = sn.CreatedMS
		c.Evidence = append(c.Evidence, fmt.Sprintf("%s failed: %s", sn.Name, sn.Reason))
	}
	if c.Evidence != nil {
		c.Mends = []Mend{{What: "Mend what the evidence names, or switch them off.", LosesNothing: true,
			Commands: []Command{{Line: "linstor resource-definition set-property " + d.Name + " AutoSnapshot/RunEvery 0"}}}}
		l.add(c)
	}
}
