package nodestate

import (
	"testing"

	"holdfast/internal/model"
)

func TestThrottleLevels(t *testing.T) {
	const k = "sys/fs/blkio_throttle_"
	near := map[string]string{k + "read": "1000", k + "write_iops": "0"}
	far := map[string]string{k + "read": "5", k + "write": "70", k + "write_iops": "8", k + "read_iops": "-1"}
	if got := throttle(nil, near, far); got == nil || *got != (model.Throttle{ReadBytes: 1000, WriteBytes: 70}) {
		t.Errorf("%+v", got)
	}
	if got := throttle(nil, map[string]string{k + "read": "0"}); got != nil {
		t.Errorf("%+v", got)
	}
}
