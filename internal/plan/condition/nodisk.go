package condition

import "fmt"

// noDisks: disks that were to come by themselves, and didn't.
func (l *look) noDisks() {
	for _, r := range l.live {
		if r.NoDisk != "" {
			l.add(Condition{Kind: NoDisk, Node: r.Node, Volume: -1, SinceMS: r.UsedMS,
				Message:  fmt.Sprintf("It is in use on %s without a disk, and gets none by DrbdOptions/auto-diskful; it is tried again.", r.Node),
				Evidence: []string{r.NoDisk},
				Mends: []Mend{{What: "Mend what the evidence names, or choose the storage pool yourself.", LosesNothing: true,
					Commands: []Command{{Line: fmt.Sprintf("linstor resource toggle-disk %s %s --storage-pool POOL", r.Node, l.d.Name)}}}}})
		}
	}
}
