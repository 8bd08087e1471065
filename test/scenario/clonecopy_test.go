package scenario

import (
	"strings"
	"testing"
	"time"
)

// A volume in a volume group without a thin pool is copied while it is written to: what was there before is in the clone on both
// nodes, and nothing is left of the snapshot. One that is deleted on the way leaves nothing either. The extents are large: the
// device has more than the definition says, and that is copied too.
func TestCloneByCopy(t *testing.T) {
	needFull(t)
	w := alone(t)
	w.extents("32M")
	w.define("r0", "40M")
	w.onBoth(w.cloned("swpool", 60), 60)
	w.until(time.Minute, "nothing is left but the two", func() (bool, string) {
		out := w.on("alpha", "lvs --noheadings -o lv_name") + w.on("bravo", "lvs --noheadings -o lv_name")
		return !strings.Contains(out, "clone") && !strings.Contains(out, "copy") && !strings.Contains(out, "r2"), out
	})
	w.lin("resource-definition delete r0 r1")
	w.extents("4M")
}

// extents makes the empty volume groups anew, with extents of that size.
func (w *world) extents(size string) {
	w.t.Helper()
	for _, n := range []string{"alpha", "bravo"} {
		w.on(n, "pv=$(vgs --noheadings -o pv_name sw_ssd) && vgremove -qy sw_ssd && vgcreate -q -s "+size+" sw_ssd $pv")
	}
}
