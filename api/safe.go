package api

// SafeToStop says whether a node may be stopped now (Holdfast's own: GET /v1/nodes/{node}/safe-to-stop).
type SafeToStop struct {
	Node string `json:"node"`
	// Safe: nothing would lose its last good copy or its quorum, and nothing is in use on the node.
	Safe   bool   `json:"safe"`
	Losses []Loss `json:"losses"`
}

// Loss is what one volume would lose.
type Loss struct {
	Resource string `json:"resource"`
	Volume   int    `json:"volume"`
	// Kind is last-copy, quorum, in-use or redundancy; the last alone doesn't speak against stopping.
	Kind string `json:"kind"`
	// Copies is how many good ones would remain.
	Copies  int    `json:"copies"`
	Message string `json:"message"`
}
