package api

// Verify is the newest comparison of a resource's replicas (GET /v1/view/verifies; Holdfast's own).
type Verify struct {
	ResourceName string `json:"resource_name"`
	// NodeName is where the replica is whose blocks are compared with all its peers'.
	NodeName string `json:"node_name"`
	// State is WAITING, RUNNING, DONE or FAILED.
	State string `json:"state"`
	// By is user or schedule.
	By string `json:"by"`
	// Asked and Ended are in ms since 1970 UTC; Ended 0: not yet.
	Asked int64 `json:"asked"`
	Ended int64 `json:"ended,omitempty"`
	// DonePercent of the volume that is least far.
	DonePercent float64 `json:"done_percent,omitempty"`
	// Reason is why it waits, failed, or was begun anew.
	Reason string `json:"reason,omitempty"`
	// Restarts is how often it was broken off and begun anew.
	Restarts int           `json:"restarts,omitempty"`
	Found    []VerifyFound `json:"found,omitempty"`
}

// VerifyFound is what a verify found to differ between two replicas.
type VerifyFound struct {
	VolumeNumber int    `json:"volume_number"`
	NodeName     string `json:"node_name"`
	PeerName     string `json:"peer_name"`
	OutOfSyncKib int64  `json:"out_of_sync_kib"`
}
