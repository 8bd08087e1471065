package nodestate

import (
	"strconv"

	"holdfast/internal/model"
	"holdfast/internal/props"
)

// throttle of a volume's backing device, each limit by the first level that has it; nil: none. One of 0 or less takes away what
// a farther level says.
func throttle(levels ...map[string]string) *model.Throttle {
	var t model.Throttle
	for key, to := range map[string]*int64{"read": &t.ReadBytes, "write": &t.WriteBytes, "read_iops": &t.ReadOps, "write_iops": &t.WriteOps} {
		if v, ok := props.First("sys/fs/blkio_throttle_"+key, levels...); ok {
			if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > 0 {
				*to = n
			}
		}
	}
	if t == (model.Throttle{}) {
		return nil
	}
	return &t
}
