package machine

import (
	"testing"

	"holdfast/internal/tool/drbd"
)

// 8.4, both of the same data generation: the one that counts from an older one in its bitmap was the source of a sync, and
// what it wrote since is there alone (drbd_uuid_compare of 8.4.11, rules 34 to 37).
func TestCompareSourceOfAnOlderSync(t *testing.T) {
	end := func(bitmap uint64) side {
		return side{md: &metadata{format: drbd.V08, current: 7}, slot: &slot{uuid: bitmap}, good: true, best: true}
	}
	for _, c := range []struct {
		a, b uint64
		want verdict
	}{{0, 0, same}, {5, 0, aAhead}, {0, 5, bAhead}, {5, 6, same}} {
		if got := compare(end(c.a), end(c.b), true); got != c.want {
			t.Errorf("%d and %d: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
