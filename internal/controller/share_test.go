package controller

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/model"
)

// A status says the same as it was reported, in the definition's strings, and leaves the report alone.
func TestShared(t *testing.T) {
	d := &model.ResourceDefinition{UUID: "d1", Name: "backups", Resources: []model.Resource{
		{UUID: "r1", Node: "alpha", Volumes: []model.Volume{{UUID: "v1", Number: 0}}}, {UUID: "r2", Node: "Bravo"}}}
	report := func() *model.ResourceStatus {
		c := strings.Clone
		return &model.ResourceStatus{Definition: model.UUID(c("d1")), Name: c("backups"), ID: model.UUID(c("r1")), Generation: 7, Phase: model.Done,
			Volumes: []model.VolumeStatus{{ID: model.UUID(c("v1")), Disk: "UpToDate"}, {ID: "other", Number: 1}},
			Peers:   []model.PeerStatus{{Node: c("Bravo"), State: "Connected"}, {Node: "bravo"}, {Node: "charlie"}}}
	}
	st := report()
	got := shared(d, st)
	if diff := cmp.Diff(report(), got); diff != "" {
		t.Fatal(diff)
	}
	for _, s := range [][2]string{{string(got.Definition), string(d.UUID)}, {got.Name, d.Name}, {string(got.ID), string(d.Resources[0].UUID)},
		{string(got.Volumes[0].ID), string(d.Resources[0].Volumes[0].UUID)}, {got.Peers[0].Node, d.Resources[1].Node}} {
		if unsafe.StringData(s[0]) != unsafe.StringData(s[1]) {
			t.Errorf("%q is held twice", s[0])
		}
	}
	if &got.Volumes[0] == &st.Volumes[0] || &got.Peers[0] == &st.Peers[0] {
		t.Error("it shares memory with the report")
	}
	other := report()
	other.ID, other.Definition = "r9", "d9"
	if got := shared(d, other); got.ID != "r9" || got.Definition != "d9" {
		t.Errorf("%+v", got)
	}
}
