package steps

import (
	"fmt"

	"holdfast/internal/model"
)

// CopyPartKiB is how much is copied at a time: between two parts the node looks whether that is still wanted, and says how far
// it has come.
const CopyPartKiB = 256 << 10

// copying goes on with a device that is made by copying a snapshot (pool.Copier), which this process has begun.
func (p *planner) copying(v model.VolumeSpec) Plan {
	at, part := p.seen.Volumes[v.Number].CopiedKiB, int64(CopyPartKiB)
	if p.node.CopyPartKiB > 0 {
		part = p.node.CopyPartKiB
	}
	s := p.volumeStep(FinishCopy, v)
	s.From = v.From
	whole := max(v.BackingKiB, p.seen.Volumes[v.Number].Device.SizeKiB) // large extents, and somebody may have written to all of them
	if at < whole {
		s.Kind, s.FromKiB, s.SizeKiB = CopyData, at, min(part, whole-at)
	}
	w := do(s)
	w.Reason = fmt.Sprintf("volume %d is being copied: %d of %d KiB are done", v.Number, at, whole)
	return w
}
