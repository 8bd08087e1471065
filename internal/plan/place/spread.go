package place

import (
	"hash/fnv"

	"holdfast/internal/model"
)

// spread gives each pair of definition and node a fixed number, so that replicas without a disk, which need no space,
// don't all go to the same node.
func spread(def, node model.UUID) float64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(def))
	_, _ = h.Write([]byte(node))
	return float64(h.Sum32())
}
