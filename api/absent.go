package api

// What LINSTOR lists and this release has none of. The lists are written even though they are empty: clients iterate over
// them.

// Remotes are where backups go: GET /v1/remotes.
type Remotes struct {
	S3Remotes      []Remote `json:"s3_remotes"`
	LinstorRemotes []Remote `json:"linstor_remotes"`
	EbsRemotes     []Remote `json:"ebs_remotes"`
}

// Remote is one place for backups.
type Remote struct {
	RemoteName string `json:"remote_name"`
}

// Schedules is GET /v1/schedules, and with ScheduledResource in it GET /v1/view/schedules-by-resource.
type Schedules struct {
	Data []Schedule `json:"data"`
}

// Schedule says when backups are made.
type Schedule struct {
	ScheduleName string `json:"schedule_name"`
}

// BackupQueues is GET /v1/view/backup/queue.
type BackupQueues struct {
	NodeQueues []BackupQueue `json:"node_queues"`
	SnapQueues []BackupQueue `json:"snap_queues"`
}

// BackupQueue is what waits for a node.
type BackupQueue struct {
	NodeName string `json:"node_name"`
}

// ExternalFile is a file of a user that nodes write: GET /v1/files.
type ExternalFile struct {
	Path    string `json:"path"`
	Content string `json:"content,omitempty"` // base64
}
