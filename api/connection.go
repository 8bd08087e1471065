package api

// NodeConnection is what is set for the connections between two nodes.
type NodeConnection struct {
	NodeA string `json:"node_a"`
	NodeB string `json:"node_b"`
	Props Props  `json:"props,omitempty"`
}

// NodeConnectionModify changes it.
type NodeConnectionModify struct{ PropsModify }

// ResourceConnection is what is set for the connection between two resources of a definition.
type ResourceConnection struct {
	NodeA string   `json:"node_a"`
	NodeB string   `json:"node_b"`
	Props Props    `json:"props,omitempty"`
	Flags []string `json:"flags,omitempty"`
	Port  *int     `json:"port,omitempty"`
}

// ResourceConnectionModify changes it.
type ResourceConnectionModify struct{ PropsModify }
