package lvm

import "strings"

// DefaultReject names the devices that LVM must never open: those that stand
// on top of what Holdfast made. Opening a suspended DRBD Primary hangs for
// ever, and a volume group that a user keeps inside a volume is not ours.
var DefaultReject = []string{"^/dev/drbd", "^/dev/loop", "^/dev/mapper/holdfast-", "^/dev/zd", "^/dev/zvol/"}

// filterConfig is the value of --config. Both filters are given: a devices
// file turns `filter` off, and `global_filter` alone is ignored by nobody.
//
// There must be no final "a|.*|". LVM accepts a device as soon as one of its
// names matches an accept pattern, and udev gives a DRBD device many names
// (/dev/disk/by-uuid/... ); with that pattern an `lvs` hung on a suspended
// Primary in the lab. Names that match nothing don't count, so reject patterns
// alone leave every other device accepted.
func filterConfig(allow, reject []string) string {
	var b strings.Builder
	for i, key := range []string{"filter", "global_filter"} {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(key + "=[")
		n := 0
		add := func(kind, pattern string) {
			if n > 0 {
				b.WriteByte(',')
			}
			n++
			b.WriteString(`"` + kind + "|" + pattern + `|"`)
		}
		for _, p := range allow {
			add("a", p)
		}
		for _, p := range reject {
			add("r", p)
		}
		b.WriteByte(']')
	}
	return "devices { " + b.String() + " }"
}
