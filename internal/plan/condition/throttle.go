package condition

import "fmt"

// throttles: limits that a node can't keep.
func (l *look) throttles() {
	for _, r := range l.live {
		st := l.seen(r)
		if st == nil {
			continue
		}
		for _, v := range st.Volumes {
			if v.NotThrottled != "" {
				l.add(Condition{Kind: NotThrottled, Node: r.Node, Volume: v.Number, SinceMS: st.SinceMS,
					Message: fmt.Sprintf("Volume %d isn't limited on %s as sys/fs/blkio_throttle_* ask.", v.Number, r.Node), Evidence: []string{v.NotThrottled},
					Mends: []Mend{{What: "Limit the program that uses the volume instead (IOReadBandwidthMax=, IOWriteBandwidthMax= of its systemd unit), and take the properties away.", LosesNothing: true}}})
			}
		}
	}
}
