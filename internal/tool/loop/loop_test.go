package loop

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/tool/tooltest"
)

var ctx = context.Background()

func TestList(t *testing.T) {
	for trace, want := range map[string][]Device{
		"losetup/list-none":    nil,
		"losetup/list-short":   {{Path: "/dev/loop1", File: "/var/lib/pool/b c.img"}, {Path: "/dev/loop0", File: "/var/lib/pool/a.img"}},
		"losetup/list-deleted": {{Path: "/dev/loop1", File: "/var/lib/pool/b c.img", Deleted: true}, {Path: "/dev/loop0", File: "/var/lib/pool/a.img"}},
	} {
		got, err := Tool{Run: tooltest.Play(t, trace)}.List(ctx)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v %s", trace, err, d)
		}
	}
	if got, err := ParseList(nil); got != nil || err != nil { // other versions print nothing
		t.Error(got, err)
	}
	if _, err := ParseList([]byte("loop0")); err == nil {
		t.Error("nonsense taken")
	}
}

func TestAttachDetach(t *testing.T) {
	if dev, err := (Tool{Run: tooltest.Play(t, "losetup/attach-again")}).Attach(ctx, "/var/lib/pool/a.img"); dev != "/dev/loop0" || err != nil {
		t.Error(dev, err)
	}
	for _, c := range []struct {
		trace string
		call  func(Tool) error
		want  error
	}{
		{"attach-missing", func(t Tool) error { _, err := t.Attach(ctx, "/x"); return err }, ErrNoFile},
		{"detach", func(t Tool) error { return t.Detach(ctx, "/dev/loop0") }, nil},
		{"detach-open", func(t Tool) error { return t.Detach(ctx, "/dev/loop0") }, nil},
		{"detach-missing", func(t Tool) error { return t.Detach(ctx, "/dev/loop0") }, ErrNotFound},
		{"grow", func(t Tool) error { return t.SetCapacity(ctx, "/dev/loop0") }, nil},
		{"grow-missing", func(t Tool) error { return t.SetCapacity(ctx, "/dev/loop0") }, ErrNotFound},
	} {
		if err := c.call(Tool{Run: tooltest.Play(t, "losetup/"+c.trace)}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.trace, err)
		}
	}
	x := Tool{Run: &tooltest.Player{}}
	if _, err := x.Attach(ctx, "-d"); !errors.Is(err, ErrBadName) {
		t.Error(err)
	}
	if err := x.Detach(ctx, "-D"); !errors.Is(err, ErrBadName) {
		t.Error(err)
	}
}
