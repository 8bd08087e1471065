package throttle_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"holdfast/internal/sim/machine"
	"holdfast/internal/tool/throttle"
)

func TestSet(t *testing.T) {
	m := machine.NewNetwork().Add("alpha", machine.Options{Address: netip.AddrFrom4([4]byte{10, 77, 0, 1})})
	tool := throttle.Tool{Run: m}
	ctx := context.Background()
	if err := tool.Set(ctx, "253:1", throttle.Limits{ReadBytes: 1}); !errors.Is(err, throttle.ErrNoHierarchy) || tool.There() {
		t.Errorf("%v", err)
	}
	m.AddThrottles()
	if err := tool.Set(ctx, "253:1", throttle.Limits{ReadBytes: 1}); err != nil || !tool.There() {
		t.Error(err)
	}
	for _, n := range []string{"", "253", "253:1 5\n8:0", "-1:1"} {
		if err := tool.Set(ctx, n, throttle.Limits{}); !errors.Is(err, throttle.ErrBadArg) {
			t.Errorf("%q: %v", n, err)
		}
	}
	if err := tool.Set(ctx, "253:1", throttle.Limits{WriteOps: -1}); !errors.Is(err, throttle.ErrBadArg) {
		t.Error(err)
	}
}
