package machine

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/tool/drbd"
	"holdfast/internal/tool/lvm"
	"holdfast/internal/tool/run"
	"holdfast/internal/tool/tooltest"
)

// replay runs a recorded command on the model, and wants the recorded answer.
// drbdadm's remark on which command it was that failed is left out.
func replay(t *testing.T, m *Machine, names ...string) {
	t.Helper()
	for _, n := range names {
		tr := tooltest.Load(t, n)
		got, err := m.Run(ctx, run.Cmd{Argv: strings.Fields(tr.Command)})
		if err != nil {
			t.Fatalf("%s: %v", n, err)
		}
		type answer struct {
			Exit           int
			Stdout, Stderr string
		}
		plain := func(r run.Result) answer {
			var errs []string
			for l := range strings.Lines(string(r.Stderr)) {
				if !strings.HasPrefix(l, "Command '") {
					errs = append(errs, strings.TrimRight(l, " \n"))
				}
			}
			return answer{r.Exit, string(r.Stdout), strings.Join(errs, "\n")}
		}
		if d := cmp.Diff(plain(tr.Result), plain(got)); d != "" {
			t.Errorf("%s: %s", n, d)
		}
	}
}

func TestReplayLVM(t *testing.T) {
	m := NewNetwork().Add("alpha", Options{VGs: map[string]int64{"sw_ssd": 2143289344 / 1024}})
	replay(t, m, "lvm/lvcreate", "lvm/lvcreate-exists", "lvm/lvcreate-rounded", "lvm/lvcreate-no-space", "lvm/lvcreate-bad-tag",
		"lvm/lvchange-missing", "lvm/lvchange-addtag", "lvm/lvchange-addtag-again", "lvm/lvchange-deltag", "lvm/lvchange-deltag-missing",
		"lvm/lvextend", "lvm/lvextend-same", "lvm/lvextend-smaller", "lvm/lvextend-no-space", "lvm/lvextend-missing",
		"lvm/lvchange-inactive", "lvm/lvs-inactive", "lvm/lvchange-active", "lvm/lvremove-vg-missing")
	if err := m.Hold("/dev/sw_ssd/backups_00000", true); err != nil {
		t.Fatal(err)
	}
	replay(t, m, "lvm/lvremove-open")
	if err := m.Hold("/dev/sw_ssd/backups_00000", false); err != nil {
		t.Fatal(err)
	}
	replay(t, m, "lvm/lvremove-odd", "lvm/lvremove", "lvm/lvremove-missing")
	m.VGGone("sw_ssd", true)
	replay(t, m, "lvm/vgs-none", "lvm/lvs-none", "lvm/lvcreate-vg-missing")
}

func TestReplayLoop(t *testing.T) {
	m := NewNetwork().Add("alpha", Options{})
	if err := m.MkdirAll("/var/lib/pool", 0o755); err != nil {
		t.Fatal(err)
	}
	replay(t, m, "losetup/list-none", "losetup/attach-missing")
	if err := m.Truncate("/var/lib/pool/a.img", 1<<20); err != nil {
		t.Fatal(err)
	}
	replay(t, m, "losetup/attach", "losetup/attach-again", "losetup/grow", "losetup/grow-missing", "losetup/detach-missing", "losetup/detach-open")
}

func TestReplayDRBD84(t *testing.T) {
	net := NewNetwork()
	now := time.Unix(0, 0)
	var ms []*Machine
	for i, name := range []string{"alpha", "bravo"} {
		m := net.Add(name, Options{Address: netip.AddrFrom4([4]byte{10, 77, 0, byte(i + 1)}), Module: "8.4.11", VGs: map[string]int64{"sw_ssd": 1 << 20}})
		m.AddLV("sw_ssd", "backups_00000", 65536)
		ms = append(ms, m)
	}
	node := func(m *Machine) drbd.Node {
		return drbd.Node{Name: m.name, Address: m.addr, Port: 7000, Volumes: []drbd.Volume{{Minor: 1000, Device: "/dev/sw_ssd/backups_00000"}}}
	}
	for _, m := range ms {
		b, err := drbd.Config(drbd.Resource{Name: "backups", Generation: drbd.Gen8, Local: m.name, Nodes: []drbd.Node{node(ms[0]), node(ms[1])}})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.WriteFile("/etc/drbd.d/backups.res", b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, b := ms[0], ms[1]
	tick := func(d time.Duration) { now = now.Add(d); net.Tick(now) }
	const T = "drbd84/"
	replay(t, a, T+"alpha-up-no-metadata", T+"alpha-down-after-failed-up", T+"alpha-none-events2-now", T+"alpha-dump-unknown", T+"resume-unknown-minor", T+"down-unknown", T+"adjust-no-file")
	for _, m := range ms {
		meta := drbd.Meta{Minor: 1000, Format: drbd.V08, Device: "/dev/sw_ssd/backups_00000"}
		if err := (drbd.Tool{Run: m}).CreateMetadata(ctx, meta, 0, true); err != nil {
			t.Fatal(err)
		}
	}
	replay(t, a, T+"alpha-up", T+"alpha-up-again", T+"alpha-primary-not-uptodate", T+"alpha-adjust-nothing")
	same := func(m *Machine, trace string) {
		t.Helper()
		want, err := drbd.ParseSnapshot(tooltest.Load(t, trace).Stdout)
		if err != nil {
			t.Fatal(err)
		}
		got, err := drbd.Tool{Run: m}.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for name, r := range want.Resources { // the model counts syncs otherwise; where the kernel counted nothing, it does neither
			for n, dev := range r.Devices {
				if g := got.Resources[name]; dev.Written > 0 && g != nil && g.Devices[n] != nil {
					g.Devices[n].Written = dev.Written
				}
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", trace, d)
		}
	}
	tick(time.Second)
	same(a, T+"alpha-alone-events2-now")
	replay(t, b, T+"bravo-up")
	tick(time.Second)
	same(a, T+"alpha-inconsistent-events2-now")
	same(b, T+"bravo-inconsistent-events2-now")
	replay(t, a, T+"alpha-primary-force")
	tick(time.Hour)
	same(a, T+"alpha-primary-events2-now")
	same(b, T+"bravo-primary-events2-now")
	replay(t, b, T+"bravo-primary-two")
	if err := a.Open("backups", 0); err != nil {
		t.Fatal(err)
	}
	replay(t, a, T+"alpha-secondary-open", T+"alpha-down-open", T+"alpha-adjust-after-down-open", T+"alpha-suspend-io")
	same(a, T+"alpha-suspended-events2-now")
	same(b, T+"bravo-suspended-events2-now")
	replay(t, a, T+"alpha-resume-io")
	replay(t, b, T+"bravo-disconnect")
	tick(time.Second)
	same(b, T+"bravo-disconnected-events2-now")
	replay(t, b, T+"bravo-connect")
}

func TestReplayThin(t *testing.T) {
	m := NewNetwork().Add("alpha", Options{VGs: map[string]int64{"sw_ssd": 2143289344 / 1024}})
	const T = "lvmthin/"
	report := func(name string) {
		t.Helper()
		groups := func(out []byte) []lvm.VG {
			gs, err := lvm.ParseReport(out)
			if err != nil {
				t.Fatal(err)
			}
			for i := range gs {
				gs[i].UUID, gs[i].PVs = "", nil
				for j := range gs[i].LVs {
					gs[i].LVs[j].UUID = ""
				}
			}
			return gs
		}
		tr := tooltest.Load(t, T+name)
		got, err := m.Run(ctx, run.Cmd{Argv: strings.Fields(tr.Command)})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(groups(tr.Stdout), groups(got.Stdout)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	fill := func(path string, mib int) {
		t.Helper()
		for range mib * 256 {
			if !m.WriteDisk(path) {
				t.Fatal(path)
			}
		}
	}
	replay(t, m, T+"create-pool-missing", T+"pool", T+"create", T+"create-rounded", T+"create-exists", T+"create-too-large")
	fill("/dev/sw_ssd/backups_00000", 32)
	replay(t, m, T+"snapshot", T+"snapshot-exists", T+"snapshot-missing", T+"restore")
	report("fullreport")
	replay(t, m, T+"extend", T+"extend-same", T+"extend-smaller", T+"activate-snapshot", T+"deactivate-snapshot", T+"copy-temp")
	if err := m.Hold("/dev/sw_ssd/backups_00000", true); err != nil {
		t.Fatal(err)
	}
	replay(t, m, T+"remove-open", T+"snapshot-open")
	if err := m.Hold("/dev/sw_ssd/backups_00000", false); err != nil {
		t.Fatal(err)
	}
	replay(t, m, T+"remove-origin", T+"rename", T+"rename-exists", T+"rename-missing", T+"untag", T+"remove-snapshot")
	// There the pool itself is active, here only by its volumes.
	m.PowerCut()
	m.PowerOn()
	report("fullreport-inactive")
	replay(t, m, T+"activate", T+"pool-nozero")
	report("fullreport-nozero")
	m.Operator("lvcreate", "--config", `devices { filter=["r|^/dev/drbd|"] }`, "-y", "-kn", "-Wn", "-n", "fill_00000", "-V", "300m", "--thinpool", "thin", "sw_ssd")
	m.FillThin("sw_ssd", "thin", 1<<20, 0)
	replay(t, m, T+"create-full", T+"snapshot-full", T+"extend-full")
}
