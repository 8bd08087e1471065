package rest

import "testing"

// What this release has none of is listed as LINSTOR lists nothing: the CSI driver looks for a snapshot among the remotes'
// backups before it takes one, and the web UI and the Python client iterate over these.
func TestListsOfWhatThereIsNoneOf(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	for path, want := range map[string]string{
		"/v1/remotes":         `{"s3_remotes":[],"linstor_remotes":[],"ebs_remotes":[]}`,
		"/v1/remotes/s3":      `[]`,
		"/v1/remotes/linstor": `[]`,
		"/v1/remotes/ebs":     `[]`,
		"/v1/schedules":       `{"data":[]}`,
		"/v1/view/schedules-by-resource?active-only=True": `{"data":[]}`,
		"/v1/view/schedules-by-resource/backups":          `{"data":[]}`,
		"/v1/view/backup/queue?snap_to_node=True":         `{"node_queues":[],"snap_queues":[]}`,
		"/v1/files?content=true":                          `[]`,
	} {
		if got := w.must(200, "GET", path, ""); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	w.must(404, "GET", "/v1/view/schedules-by-resource/nothing", "")
}
