package rest

import (
	"testing"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// One that waits for its turn says so.
func TestSnapshotWaits(t *testing.T) {
	d := &state.Definition{ResourceDefinition: &model.ResourceDefinition{Name: "mail"}}
	sn := &model.Snapshot{Name: "monday", State: model.SnapshotSuspending, Waits: true}
	if v := snapshotView(d, sn); v.Holdfast == nil || v.Holdfast.Condition != "waiting" || v.Holdfast.Waiting == "" || len(v.Flags) != 0 {
		t.Errorf("%+v", v)
	}
	sn.Waits = false
	if v := snapshotView(d, sn); v.Holdfast != nil {
		t.Errorf("%+v", v.Holdfast)
	}
}
