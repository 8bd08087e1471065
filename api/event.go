package api

// PromotionEvent is the data of "may-promote-change" (GET /v1/events/drbd/promotion).
type PromotionEvent struct {
	ResourceName string `json:"resource_name"`
	NodeName     string `json:"node_name"`
	MayPromote   bool   `json:"may_promote"`
}

// NodeEvent is the data of "node-create", "node-delete", "node-evacuate", "node-evicted" and "node-restored" (GET
// /v1/events/nodes).
type NodeEvent struct {
	Node Node `json:"node"`
}

// NodeModifiedEvent is the data of "node-modified".
type NodeModifiedEvent struct {
	OldNode Node `json:"old_node"`
	NewNode Node `json:"new_node"`
}
