package steps

import (
	"strings"
	"testing"

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
