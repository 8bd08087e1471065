package core_test

import (
	"strings"
	"testing"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
)

// A replica that is good by its own word proves nothing while it is connected to nobody and the other is good, too: it may
// have been left behind. Where the other is known not to be good, or its node is away, its word is all there is.
func TestGoodAndAloneProvesNothing(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		for _, c := range []struct {
			name, alpha, state string
			away, refused      bool
		}{
			{"both good, apart", model.DiskUpToDate, model.StandAlone, false, true},
			{"both good, one is looked for", model.DiskUpToDate, "Connecting", false, true},
			{"both good, connected", model.DiskUpToDate, model.Connected, false, false},
			{"alpha isn't good", model.DiskInconsistent, model.StandAlone, false, false},
			{"alpha is away", model.DiskUpToDate, "Connecting", true, false},
		} {
			w := deployed(t, gen)
			w.see("alpha", "backups", c.alpha, nil)
			w.see("bravo", "backups", model.DiskUpToDate, func(st *model.ResourceStatus) { st.Peers = []model.PeerStatus{{Node: "alpha", State: c.state}} })
			if c.away {
				w.off("alpha")
			}
			_, err := w.try(core.ResourceDelete{Definition: "backups", Node: "alpha"})
			if c.refused != (err != nil && strings.Contains(fault.Of(err).Cause, "connected to nobody")) || !c.refused && err != nil {
				t.Errorf("generation %d, %s: %v", gen, c.name, err)
			}
		}
	}
}
