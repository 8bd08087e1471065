package api

// Condition is something wrong with a resource (GET /v1/view/conditions; Holdfast's own): what, the evidence, ways out.
type Condition struct {
	// Kind is a stable word: split-brain, standalone, stuck-resync, lost-quorum, suspended-io, failed-disk, no-good-copy, unmet,
	// behind, unseen, out-of-sync, held.
	Kind         string `json:"kind"`
	ResourceName string `json:"resource_name"`
	NodeName     string `json:"node_name,omitempty"`
	// PeerName is the other node where it is between two.
	PeerName string `json:"peer_name,omitempty"`
	// VolumeNumber is left away where it is of the whole replica.
	VolumeNumber *int `json:"volume_number,omitempty"`
	// Since is when its node reported it, in ms; 0 unknown.
	Since    int64    `json:"since,omitempty"`
	Message  string   `json:"message"`
	Evidence []string `json:"evidence,omitempty"`
	Mends    []Mend   `json:"mends,omitempty"`
}

// Mend is a way out of a condition.
type Mend struct {
	Message string `json:"message"`
	// LosesNothing is proven by the evidence; else Loses says what is given up.
	LosesNothing bool          `json:"loses_nothing"`
	Loses        string        `json:"loses,omitempty"`
	Commands     []MendCommand `json:"commands,omitempty"`
}

// MendCommand is to be typed on NodeName, or anywhere if there is none.
type MendCommand struct {
	NodeName string `json:"node_name,omitempty"`
	Command  string `json:"command"`
}
