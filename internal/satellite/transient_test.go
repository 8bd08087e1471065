package satellite

import (
	"testing"
	"time"

	"holdfast/internal/model"
)

// A change that DRBD refuses because another is under way is made a moment later, and nobody hears of a failure.
func TestTransientState(t *testing.T) {
	r, _, bravo, _ := moved(t)
	bravo.m.Fail("drbdadm adjust", 2)
	r.peerOf(bravo, "alpha", false)
	for range 40 {
		r.run(250 * time.Millisecond)
		if st := bravo.of("backups"); st.Phase == model.Failed || st.Phase == model.Blocked {
			t.Fatalf("%+v", st)
		}
	}
	if st := bravo.of("backups"); st.Phase != model.Done || st.Peers[0].Node != "alpha" || st.Peers[0].State != model.Connected {
		t.Errorf("%+v", st)
	}
}
