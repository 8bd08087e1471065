package steps

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/model"
)

// A storage that goes back only to its newest snapshot refuses another while nothing is taken down yet; once others may have gone
// back it is tried all the same.
func TestCantGoBack(t *testing.T) {
	w := newWorld(backups(1))
	settled(t, w)
	v := w.spec.Volumes[0]
	d := w.devices[v.Pool+"/"+v.Backing]
	w.spec.Rollback = &model.RollbackSpec{ID: "rb", Copies: []model.CopySpec{{ID: "s1", Number: v.Number, Pool: v.Pool, Name: "monday", Of: v.ID, Device: v.Backing}}}
	for newest, refused := range map[model.UUID]bool{"": true, "s2": true, "s1": false} {
		d.Newest, d.NewestLabel = "vol@newest", newest
		p := w.plan()
		if got := p.Phase == model.Failed && len(p.Steps) == 0 && strings.Contains(p.Reason, "vol@newest"); got != refused {
			t.Errorf("the newest one is %q: %+v", newest, p)
		}
	}
	d.NewestLabel = "s2"
	w.spec.Rollback.Go = true
	if p := w.plan(); len(p.Steps) == 0 {
		t.Errorf("others have gone back: %+v", p)
	}
}

// Of copies that may differ one replica keeps its own; the metadata of the others are made anew after each has gone back, so that DRBD
// fills them. What a sync once made equal doesn't count any more, on any of them.
func TestRollbackFills(t *testing.T) {
	for _, anew := range []bool{false, true} {
		w := newWorld(backups(1))
		settled(t, w)
		v := w.spec.Volumes[0]
		w.spec.Rollback = &model.RollbackSpec{ID: "rb", Go: true, Fill: true, Anew: anew,
			Copies: []model.CopySpec{{ID: "s1", Number: v.Number, Pool: v.Pool, Name: "monday", Of: v.ID, Device: v.Backing}}}
		seen := w.seen()
		seen.Kernel, seen.ConfigThere = nil, false
		seen.Record = Record{There: true, Exchange: Exchange{Peer: "p", Synced: map[model.UUID]model.UUID{v.ID: "p"}}}
		expect := func(what string, rolled model.RolledState, want ...Kind) Plan {
			t.Helper()
			p := Next(w.spec, seen, w.node)
			if diff := cmp.Diff(want, kinds(p)); diff != "" || p.Rolled != rolled {
				t.Errorf("anew %v, %s: %+v %s", anew, what, p, diff)
			}
			return p
		}
		if p := expect("at first", model.Stopped, WriteRecord); p.Steps[0].Record.Exchange.Synced != nil || p.Steps[0].Record.Exchange.Peer != "p" {
			t.Errorf("%+v", p.Steps[0].Record)
		}
		seen.Record.Exchange.Synced = nil
		expect("then", model.Stopped, RollbackDevice)
		seen.Rolled = "rb"
		if anew {
			if p := expect("gone back", model.Stopped, CreateMetadata); p.Steps[0].Of != "rb" || p.Steps[0].Path == "" {
				t.Errorf("%+v", p.Steps[0])
			}
			seen.Anew = "rb"
		}
		expect("at last", model.Rolled)
	}
}
