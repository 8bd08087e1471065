package lvm

import (
	"errors"
	"strings"
	"testing"

	"holdfast/internal/tool/tooltest"
)

func TestThinReport(t *testing.T) {
	for _, c := range []struct {
		trace      string
		data, meta float64
		measured   bool
		zero       byte
		health     byte
	}{
		{"fullreport", 12.5, 11.43, true, 'z', '-'},
		{"fullreport-inactive", 0, 0, false, 'z', '-'},
		{"fullreport-nozero", 12.5, 11.43, true, '-', '-'},
		{"fullreport-full", 100, 12.99, true, '-', 'D'},
		{"fullreport-freed", 12.5, 11.43, true, '-', '-'},
	} {
		g, err := Tool{Run: tooltest.Play(t, "lvmthin/"+c.trace)}.VG(ctx, "sw_ssd")
		if err != nil {
			t.Fatal(err)
		}
		p, ok := g.LV("thin")
		if !ok || !p.ThinPool() || p.DataPercent != c.data || p.MetaPercent != c.meta || p.Measured != c.measured || p.Flag(8) != c.zero || p.Flag(9) != c.health {
			t.Errorf("%s: %+v", c.trace, p)
		}
		if v, ok := g.LV("backups_00000.snap1"); !ok || v.Pool != "thin" || v.Active || v.Flag(10) != 'k' || v.ThinPool() {
			t.Errorf("%s: %+v", c.trace, v)
		}
	}
}

func TestThinCommands(t *testing.T) {
	create := func(t Tool) error {
		return t.CreateThin(ctx, "sw_ssd", "thin", "backups_00000", 65536, "holdfast:v1")
	}
	for _, c := range []struct {
		trace string
		call  func(Tool) error
		want  error
		exact bool // what was recorded is what we run
	}{
		{"create", create, nil, true},
		{"create-exists", create, ErrExists, true},
		{"create-pool-missing", create, ErrPoolNotFound, false},
		{"create-too-large", create, nil, false},
		{"create-full", create, ErrNoSpace, false},
		{"snapshot", func(t Tool) error {
			return t.SnapshotThin(ctx, "sw_ssd", "backups_00000", "backups_00000.snap1", false, "holdfast:s1")
		}, nil, true},
		{"snapshot-exists", func(t Tool) error {
			return t.SnapshotThin(ctx, "sw_ssd", "backups_00000", "backups_00000.snap1", false, "holdfast:s1")
		}, ErrExists, true},
		{"snapshot-missing", func(t Tool) error {
			return t.SnapshotThin(ctx, "sw_ssd", "none_00000", "none_00000.snap1", false, "holdfast:s1")
		}, ErrNotFound, true},
		{"snapshot-full", func(t Tool) error {
			return t.SnapshotThin(ctx, "sw_ssd", "copy_00000", "copy_00000.late", false, "holdfast:s5")
		}, ErrNoSpace, true},
		{"restore", func(t Tool) error {
			return t.SnapshotThin(ctx, "sw_ssd", "backups_00000.snap1", "copy_00000", true, "holdfast:v4")
		}, nil, true},
		{"extend", func(t Tool) error { return t.Extend(ctx, "sw_ssd", "backups_00000", 131072) }, nil, true},
		{"extend-same", func(t Tool) error { return t.Extend(ctx, "sw_ssd", "backups_00000", 131072) }, nil, true},
		{"extend-smaller", func(t Tool) error { return t.Extend(ctx, "sw_ssd", "backups_00000", 65536) }, nil, true},
		{"remove-open", func(t Tool) error { return t.Remove(ctx, "sw_ssd", "backups_00000") }, ErrInUse, true},
		{"remove-origin", func(t Tool) error { return t.Remove(ctx, "sw_ssd", "backups_00000") }, nil, true},
		{"rename", func(t Tool) error { return t.Rename(ctx, "sw_ssd", "backups_00000+rollback", "backups_00000") }, nil, true},
		{"rename-exists", func(t Tool) error { return t.Rename(ctx, "sw_ssd", "backups_00000", "odd_00000") }, ErrExists, true},
		{"rename-missing", func(t Tool) error { return t.Rename(ctx, "sw_ssd", "none_00000", "odd_00001") }, ErrNotFound, true},
	} {
		p := tooltest.Play(t, "lvmthin/"+c.trace)
		if err := c.call(Tool{Run: p}); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", c.trace, err, c.want)
		}
		argv := p.Argv[0]
		got := strings.Join(append(append([]string{}, argv[:1]...), argv[3:]...), " ") // without --config
		if want := tooltest.Load(t, "lvmthin/"+c.trace).Command; c.exact && got != want {
			t.Errorf("%s: argv %s\nrecorded %s", c.trace, got, want)
		}
	}
	if err := (Tool{Run: &tooltest.Player{}}).CreateThin(ctx, "vg", "-T", "a", 1); !errors.Is(err, ErrBadName) {
		t.Error(err)
	}
}
