package scenario

import (
	"strings"
	"testing"
	"time"
)

// A volume in a volume group without a thin pool is copied while it is written to: what was there before is in the clone on both
// nodes, and nothing is left of the snapshot. One that is deleted on the way leaves nothing either.
func TestCloneByCopy(t *testing.T) {
	needFull(t)
	w := alone(t)
	w.define("r0", "48M")
	w.onBoth(w.cloned("swpool"))
	w.until(time.Minute, "nothing is left but the two", func() (bool, string) {
		out := w.on("alpha", "lvs --noheadings -o lv_name") + w.on("bravo", "lvs --noheadings -o lv_name")
		return !strings.Contains(out, "clone") && !strings.Contains(out, "copy") && !strings.Contains(out, "r2"), out
	})
	w.lin("resource-definition delete r0 r1")
}
