package lvm

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/tool/run"
	"holdfast/internal/tool/tooltest"
)

var ctx = context.Background()

func TestVG(t *testing.T) {
	p := tooltest.Play(t, "lvm/fullreport")
	g, err := Tool{Run: p}.VG(ctx, "sw_ssd")
	if err != nil {
		t.Fatal(err)
	}
	if g.Name != "sw_ssd" || g.SizeBytes != 2143289344 || g.FreeBytes != 1593835520 || g.ExtentBytes != 4<<20 || len(g.PVs) != 1 {
		t.Errorf("%+v", g)
	}
	v, ok := g.LV("backups_00000")
	want := LV{Name: "backups_00000", UUID: v.UUID, SizeBytes: 536870912, Active: true, Path: "/dev/sw_ssd/backups_00000",
		Attr: "-wi-a-----", Tags: []string{"holdfast", "holdfast:incarnation=0001"}}
	if d := cmp.Diff(want, v); !ok || d != "" {
		t.Error(d)
	}
	cfg := p.Argv[0][slicesIndex(p.Argv[0], "--config")+1]
	if want := `devices { filter=["r|^/dev/drbd|","r|^/dev/loop|","r|^/dev/mapper/holdfast-|","r|^/dev/zd|","r|^/dev/zvol/|"] global_filter=["r|^/dev/drbd|","r|^/dev/loop|","r|^/dev/mapper/holdfast-|","r|^/dev/zd|","r|^/dev/zvol/|"] }`; cfg != want {
		t.Errorf("config %s", cfg)
	}
	// What was recorded is what we ask, apart from the filter.
	got := strings.Join(append(append([]string{}, p.Argv[0][:2]...), p.Argv[0][4:]...), " ")
	if want := tooltest.Load(t, "lvmthin/fullreport").Command; got != want {
		t.Errorf("argv %s\nrecorded %s", got, want)
	}
}

func slicesIndex(s []string, v string) int {
	for i, x := range s {
		if x == v {
			return i
		}
	}
	return -1
}

func TestFilterHasNoCatchAll(t *testing.T) {
	c := filterConfig([]string{"^/dev/loop7$"}, DefaultReject)
	if !strings.HasPrefix(c, `devices { filter=["a|^/dev/loop7$|","r|^/dev/drbd|"`) || strings.Contains(c, "a|.*|") {
		t.Error(c)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		trace string
		call  func(Tool) error
		want  error
	}{
		{"fullreport-vg-missing", func(t Tool) error { _, err := t.VG(ctx, "sw_ssd"); return err }, ErrVGNotFound},
		{"lvcreate", func(t Tool) error { return t.Create(ctx, "sw_ssd", "a", 1) }, nil},
		{"lvcreate-rounded", func(t Tool) error { return t.Create(ctx, "sw_ssd", "a", 1) }, nil},
		{"lvcreate-exists", func(t Tool) error { return t.Create(ctx, "sw_ssd", "a", 1) }, ErrExists},
		{"lvcreate-no-space", func(t Tool) error { return t.Create(ctx, "sw_ssd", "a", 1) }, ErrNoSpace},
		{"lvcreate-vg-missing", func(t Tool) error { return t.Create(ctx, "sw_ssd", "a", 1) }, ErrVGNotFound},
		{"lvremove", func(t Tool) error { return t.Remove(ctx, "sw_ssd", "a") }, nil},
		{"lvremove-missing", func(t Tool) error { return t.Remove(ctx, "sw_ssd", "a") }, ErrNotFound},
		{"lvremove-mounted", func(t Tool) error { return t.Remove(ctx, "sw_ssd", "a") }, ErrInUse},
		{"lvremove-open", func(t Tool) error { return t.Remove(ctx, "sw_ssd", "a") }, ErrInUse},
		{"lvremove-held", func(t Tool) error { return t.Remove(ctx, "sw_ssd", "a") }, ErrInUse},
		{"lvremove-vg-missing", func(t Tool) error { return t.Remove(ctx, "sw_ssd", "a") }, ErrVGNotFound},
		{"lvchange-missing", func(t Tool) error { return t.AddTag(ctx, "sw_ssd", "a", "x") }, ErrNotFound},
		{"lvchange-addtag-again", func(t Tool) error { return t.AddTag(ctx, "sw_ssd", "a", "x") }, nil},
		{"lvchange-inactive-mounted", func(t Tool) error { return t.Deactivate(ctx, "sw_ssd", "a") }, ErrInUse},
		{"lvextend", func(t Tool) error { return t.Extend(ctx, "sw_ssd", "a", 1) }, nil},
		{"lvextend-same", func(t Tool) error { return t.Extend(ctx, "sw_ssd", "a", 1) }, nil},
		{"lvextend-smaller", func(t Tool) error { return t.Extend(ctx, "sw_ssd", "a", 1) }, nil},
		{"lvextend-missing", func(t Tool) error { return t.Extend(ctx, "sw_ssd", "a", 1) }, ErrNotFound},
		{"lvextend-no-space", func(t Tool) error { return t.Extend(ctx, "sw_ssd", "a", 1) }, ErrNoSpace},
	} {
		err := c.call(Tool{Run: tooltest.Play(t, "lvm/"+c.trace)})
		if !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", c.trace, err, c.want)
		}
	}
}

func TestBadNamesRunNothing(t *testing.T) {
	x := Tool{Run: &tooltest.Player{}}
	for _, err := range []error{
		x.Create(ctx, "vg", "-y", 1), x.Create(ctx, "vg/..", "a", 1), x.Create(ctx, "vg", "a", 1, "b(d"), x.Create(ctx, "vg", "a", 1, "-x"),
		x.Remove(ctx, "vg", "a b"), x.Remove(ctx, "vg", ""), x.AddTag(ctx, "vg", "a", ""), x.Activate(ctx, "..", "a"),
	} {
		if !errors.Is(err, ErrBadName) {
			t.Errorf("%v", err)
		}
	}
	if err := x.Create(ctx, "vg", "a", 0); err == nil {
		t.Error("size 0 taken")
	}
}

func TestCreateArgv(t *testing.T) {
	p := &tooltest.Player{Results: []run.Result{{}}}
	if err := (Tool{Run: p}).Create(ctx, "sw_ssd", "web_00000", 524288, "holdfast=12", "x/y:z"); err != nil {
		t.Fatal(err)
	}
	want := []string{"-y", "-Wy", "-Zy", "-n", "web_00000", "-L", "524288k", "--addtag", "holdfast=12", "--addtag", "x/y:z", "sw_ssd"}
	if d := cmp.Diff(want, p.Argv[0][3:]); d != "" {
		t.Error(d)
	}
}

func TestRoundUp(t *testing.T) {
	for _, c := range [][3]int64{{1, 4 << 20, 4096}, {4096, 4 << 20, 4096}, {4097, 4 << 20, 8192}, {10, 0, 10}, {10241, 4 << 20, 12288}} {
		if got := RoundUp(c[0], c[1]); got != c[2] {
			t.Errorf("RoundUp(%d, %d) = %d", c[0], c[1], got)
		}
	}
}
