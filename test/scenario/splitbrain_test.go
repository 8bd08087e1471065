package scenario

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/api"
	"holdfast/client"
)

// Both sides are written to while the network between them is cut. Afterwards `resource diagnose` names it, offers only the
// unused side to be given up, and its commands, typed as they are, mend it.
func TestSplitBrain(t *testing.T) {
	w := shared(t)
	w.create("r0", "32M", 2)
	w.upToDate("r0", 2)
	dev := w.device("r0")
	if err := w.Cut("alpha", "bravo"); err != nil {
		t.Fatal(err)
	}
	w.connected("alpha", "r0", false)
	w.connected("bravo", "r0", false)
	w.on("bravo", "drbdadm primary r0")
	w.write("bravo", dev, 4)
	w.on("bravo", "drbdadm secondary r0")
	w.on("alpha", "drbdadm primary r0")
	sum := w.write("alpha", dev, 8)
	if err := w.Heal("alpha", "bravo"); err != nil {
		t.Fatal(err)
	}
	w.online()
	var found api.Condition
	w.until(40*time.Second, "diagnose names the split brain", func() (bool, string) {
		list, err := w.api.Conditions(w.ctx, client.Filter{Resources: []string{"r0"}})
		if i := slices.IndexFunc(list, func(c api.Condition) bool { return c.Kind == "split-brain" }); i >= 0 {
			found = list[i]
			return true, ""
		}
		return false, fmt.Sprint(list, err)
	})
	if len(found.Mends) != 1 || found.Mends[0].LosesNothing || !strings.Contains(found.Mends[0].Loses, "bravo") {
		t.Fatalf("%+v", found)
	}
	t.Log(w.lin("resource diagnose r0"))
	for _, c := range found.Mends[0].Commands {
		w.on(c.NodeName, c.Command)
	}
	w.upToDate("r0", 2)
	if out := w.lin("resource diagnose r0"); out != "Nothing is wrong.\n" {
		t.Error(out)
	}
	w.on("alpha", "drbdadm secondary r0")
	w.on("bravo", "drbdadm primary r0")
	w.check("bravo", dev, 8, sum)
}
