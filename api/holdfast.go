package api

// The types of this file are Holdfast's additions. LINSTOR's clients ignore them.

// Status says why an object isn't as desired. It is left out when there is nothing to say.
type Status struct {
	// Generation counts the accepted changes of the object.
	Generation int64 `json:"generation,omitempty"`
	// Reported is the newest generation that the object's node has reported done.
	Reported int64 `json:"reported,omitempty"`
	// Condition is one word, for instance "ok", "working", "waiting", "failed", "quarantined", "deleting".
	Condition string `json:"condition,omitempty"`
	// Reasons say why the object isn't as desired, most important first.
	Reasons []Reason `json:"reasons,omitempty"`
	// Since is when the condition began, in ms.
	Since int64 `json:"since,omitempty"`
	// Waiting says in one whole line what is being waited for, ready to be shown.
	Waiting string `json:"waiting,omitempty"`
}

// Reason is one cause for a condition.
type Reason struct {
	// Kind is a stable word for programs.
	Kind       string `json:"kind,omitempty"`
	Message    string `json:"message"`
	Cause      string `json:"cause,omitempty"`
	Correction string `json:"correction,omitempty"`
	// Since is when the reason appeared, in ms.
	Since int64 `json:"since,omitempty"`
}

// NodeStatus is what Holdfast adds to a node. In a create request only Fingerprint is read: the satellite must show it.
type NodeStatus struct {
	// Fingerprint identifies the key of the node's satellite.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Version is the version of the satellite's program.
	Version string `json:"version,omitempty"`
	// DRBD is the version of the kernel's DRBD module, empty when it isn't loaded.
	DRBD string `json:"drbd,omitempty"`
	Status
}

// SyncStatus is what Holdfast adds to the replication state towards one peer while data is being resynchronised.
type SyncStatus struct {
	// OutOfSyncKib is what is left, in KiB.
	OutOfSyncKib *int64 `json:"out_of_sync_kib,omitempty"`
	// RateKibPerS is the current speed in KiB per second.
	RateKibPerS *int64 `json:"rate_kib_per_s,omitempty"`
}

// Query parameters that Holdfast adds to every changing request.
const (
	// QueryAsync ("async=true") answers once the change is stored, without waiting for nodes.
	QueryAsync = "async"
	// QueryLose ("lose=NAME") lets a request remove the last good copy of the definition NAME.
	QueryLose = "lose"
	// QueryPlan ("plan=true") shows what a request would do and does nothing.
	QueryPlan = "plan"
)
