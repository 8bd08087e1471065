package satellite

import (
	"holdfast/internal/model"
	"holdfast/internal/satellite/steps"
)

// dropped forgets what was kept of disks that were removed by order while their replica stays. Nobody asks for that
// incarnation any more once the controller has heard of it; if it can't be written now, the next save has it.
func (a *Agent) dropped(s model.ResourceSpec, seen steps.Seen) {
	changed := false
	for _, v := range s.Volumes {
		if steps.WithoutDisk(s, seen, v) && (has(a.kept.Initialised, v.ID) || has(a.kept.Data, v.ID)) {
			remove(&a.kept.Initialised, v.ID)
			remove(&a.kept.Data, v.ID)
			changed = true
		}
	}
	if changed {
		a.save()
	}
}
