package scenario

import (
	"strings"
	"testing"
	"time"
)

// A replica is taken down and stays on its disk while the volume is written to elsewhere; it stays down when its machine boots. Taken up
// again it catches up.
func TestDeactivate(t *testing.T) {
	w := shared(t)
	w.create("r0", "32M", 2)
	w.upToDate("r0", 2)
	dev := w.device("r0")
	w.on("alpha", "drbdadm primary r0")
	progress, stop := w.busy("alpha", dev, 32)
	w.says("resource list", "InUse") // the controller knows by now
	w.refused("resource deactivate alpha r0", "in use")
	w.lin("resource deactivate bravo r0")
	w.until(time.Minute, "bravo's is down", func() (bool, string) {
		out, _ := w.Machine("bravo").Sh(w.ctx, "drbdsetup status 2>/dev/null | grep -v '^#'")
		return !strings.Contains(out, "r0"), out
	})
	w.goesOn(progress)
	if full() {
		w.kill("bravo")
		w.powerOn("bravo")
		w.online()
		w.goesOn(progress)
	}
	w.keptButDown("bravo", "r0")
	w.says("resource list", "INACTIVE")
	sum := stop()
	w.on("alpha", "drbdadm secondary r0")
	w.lin("resource activate bravo r0")
	w.upToDate("r0", 2)
	w.holds("bravo", "r0", sum)
}
