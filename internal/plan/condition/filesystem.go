package condition

import (
	"fmt"

	"holdfast/internal/model"
	"holdfast/internal/plan"
)

// fileSystems: a node that says that all is done, and of a file system that it was told to make nothing, doesn't know of them.
func (l *look) fileSystems() {
	for i := range l.d.Volumes {
		vd := &l.d.Volumes[i]
		r := plan.Maker(l.d.ResourceDefinition, vd)
		if vd.Making != model.MakingWanted || vd.Deleting || r == nil {
			continue
		}
		st := l.seen(r)
		if st == nil || st.Phase != model.Done || st.Generation < l.d.Generation {
			continue
		}
		f := plan.FileSystem(l.s, l.d.ResourceDefinition, vd)
		if v := st.Volume(vd.Number); v != nil && !v.FileSystem && f != nil {
			l.add(Condition{Kind: NoFileSystem, Node: r.Node, Volume: vd.Number, SinceMS: st.SinceMS,
				Message:  fmt.Sprintf("The file system of volume %d isn't made.", vd.Number),
				Evidence: []string{fmt.Sprintf("the satellite on %s is of a release that makes none", r.Node)},
				Mends: []Mend{{What: "Make it by hand, where it is Primary, and take the property away.", Loses: "what is on the volume, if anything is",
					Commands: []Command{{r.Node, "mkfs." + f.Type + " " + v.Device}, {Line: "linstor resource-definition set-property " + l.d.Name + " FileSystem/Type"}}}}})
		}
	}
}
