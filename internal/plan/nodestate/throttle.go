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
	for _, l := range [...]struct {
		key string
		to  *int64
	}{{"sys/fs/blkio_throttle_read", &t.ReadBytes}, {"sys/fs/blkio_throttle_write", &t.WriteBytes},
		{"sys/fs/blkio_throttle_read_iops", &t.ReadOps}, {"sys/fs/blkio_throttle_write_iops", &t.WriteOps}} {
		if v, ok := props.First(l.key, levels...); ok {
			if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > 0 {
				*l.to = n
			}
		}
	}
	if t == (model.Throttle{}) {
		return nil
	}
	return &t
}
