package drbd

import (
	"holdfast/internal/model"
	"holdfast/internal/tool/drbd"
)

// WithoutDisk tells whether the config is that incarnation's and gives the node no disk.
func WithoutDisk(config []byte, id model.UUID, node string) bool {
	if Owner(config) != id {
		return false
	}
	r, err := drbd.Parse(config)
	if err != nil {
		return false
	}
	n, ok := r.Node(node)
	return ok && n.Diskless
}
