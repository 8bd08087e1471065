package model

// RollbackState is where a rollback stands.
//
//	Stopping --all replicas are down--> Rolling --all have the snapshot's content--> (forgotten: they come up again)
//	    |
//	    +--> Failed: a node went away, or somebody uses it; nothing was changed
//
// From Rolling there is no way back, some may be rolled back already: it is tried until it holds.
type RollbackState string

const (
	RollbackStopping RollbackState = "stopping"
	RollbackRolling  RollbackState = "rolling"
	RollbackFailed   RollbackState = "failed"
)

// Rollback gives a definition's volumes the content that they had when a snapshot was taken. The replicas' own metadata go
// back with it: all of them come up as after a power cut at that moment.
type Rollback struct {
	ID       UUID
	Snapshot UUID
	State    RollbackState
	Reason   string // of Failed
	// Keeps is the one replica that keeps the content of its copy, where copies may differ (Snapshot.Unheld): the others are filled
	// from it. "": all keep theirs.
	Keeps UUID
}

// RollingBack is the rollback that isn't over, or nil.
func (d *ResourceDefinition) RollingBack() *Rollback {
	if d.Rollback == nil || d.Rollback.State == RollbackFailed {
		return nil
	}
	return d.Rollback
}

// RollbackSpec is a replica's part: it is to be down, and with Go to get the content of Copies (Of and Device name its own
// devices). A node may do so again until it is told to come up.
type RollbackSpec struct {
	ID     UUID
	Go     bool
	Copies []CopySpec
	// Fill: the copies of the replicas may differ. With Anew this one's metadata are then made anew, so that it gets all from the
	// one that keeps its content.
	Fill, Anew bool
}

// RolledState is how far a node is with it.
type RolledState uint8

const (
	NotStopped RolledState = iota
	Stopped                // nothing of it is in the kernel
	Rolled
)

// RollbackStatus of the rollback that is wanted.
type RollbackStatus struct {
	ID    UUID
	State RolledState
}
