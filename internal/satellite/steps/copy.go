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
	if at < v.BackingKiB {
		s.Kind, s.FromKiB, s.SizeKiB = CopyData, at, min(part, v.BackingKiB-at)
	}
	w := do(s)
	w.Reason = copyReason(v, at)
	return w
}

func copyReason(v model.VolumeSpec, at int64) string {
	return fmt.Sprintf("volume %d is being copied: %d of %d KiB are done", v.Number, at, v.BackingKiB)
}
