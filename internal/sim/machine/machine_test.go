package machine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/tool/drbd"
	"holdfast/internal/tool/lvm"
	"holdfast/internal/tool/run"
)

var ctx = context.Background()

const (
	dir  = "/var/lib/holdfast/res"
	conf = dir + "/web.res"
	dev  = "/dev/sw_ssd/web_00000"
)

// cluster is some machines with one resource's volume and file each.
type cluster struct {
	t   *testing.T
	net *Network
	gen drbd.Generation
	ms  []*Machine
	now time.Time

	redundancy string // quorum-minimum-redundancy
}

func newCluster(t *testing.T, gen drbd.Generation, nodes, diskless int) *cluster {
	c := &cluster{t: t, net: NewNetwork(), gen: gen, now: time.Unix(1000, 0)}
	module := map[drbd.Generation]string{drbd.Gen8: "8.4.11", drbd.Gen9: "9.2.18"}[gen]
	for i := range nodes {
		c.ms = append(c.ms, c.net.Add([]string{"alpha", "bravo", "charlie", "delta"}[i], Options{
			Address: netip.AddrFrom4([4]byte{10, 77, 0, byte(i + 1)}), Module: module, VGs: map[string]int64{"sw_ssd": 2 << 20}}))
	}
	for i, m := range c.ms {
		c.must(m.MkdirAll(dir, 0o755))
		c.write(m, nodes, diskless)
		if i >= nodes-diskless {
			continue
		}
		c.must(lvm.Tool{Run: m}.Create(ctx, "sw_ssd", "web_00000", 65536, "holdfast=1"))
		c.must(c.tool(m).CreateMetadata(ctx, drbd.Meta{Minor: 1000, Format: gen.Format(), Device: dev}, 7, true))
	}
	c.net.Tick(c.now)
	return c
}

// write writes a node's file for a cluster of that shape.
func (c *cluster) write(m *Machine, nodes, diskless int) {
	r := drbd.Resource{Name: "web", Generation: c.gen, Local: m.name, Secret: "s", Options: map[string]map[string]string{
		"net": {"protocol": "C"}, "options": {"quorum": "majority", "on-no-quorum": "io-error"}}}
	if c.redundancy != "" {
		r.Options["options"]["quorum-minimum-redundancy"] = c.redundancy
	}
	if nodes-diskless < 2 || c.gen == drbd.Gen8 {
		delete(r.Options["options"], "quorum")
	}
	for i := range nodes {
		n := drbd.Node{Name: c.ms[i].name, NodeID: i, Address: c.ms[i].addr, Port: 7000, Volumes: []drbd.Volume{{Minor: 1000, Device: dev}}}
		if i >= nodes-diskless {
			n.Diskless, n.Volumes[0].Device = true, ""
		}
		r.Nodes = append(r.Nodes, n)
	}
	b, err := drbd.Config(r)
	c.must(err)
	c.must(m.WriteFile(conf, b, 0o600))
}

func (c *cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) tool(m *Machine) drbd.Tool { return drbd.Tool{Run: m} }

func (c *cluster) at() drbd.Target { return drbd.Target{File: conf, Resource: "web"} }

func (c *cluster) tick(d time.Duration) {
	c.now = c.now.Add(d)
	c.net.Tick(c.now)
}

// up brings all up, makes the first machine's data the good ones and syncs.
func (c *cluster) up() {
	c.t.Helper()
	for _, m := range c.ms {
		c.must(c.tool(m).Adjust(ctx, c.at()))
	}
	c.tick(time.Second)
	c.must(c.tool(c.ms[0]).Primary(ctx, c.at(), true))
	c.tick(time.Minute)
	for _, m := range c.ms {
		s := c.state(m)
		for _, d := range s.Devices {
			if d.Disk != "UpToDate" && d.Client != "yes" {
				c.t.Fatalf("%s: %+v", m.name, d)
			}
		}
	}
}

func (c *cluster) state(m *Machine) *drbd.ResourceState {
	c.t.Helper()
	s, err := c.tool(m).Snapshot(ctx)
	c.must(err)
	if s.Resources["web"] == nil {
		c.t.Fatalf("%s: resource isn't up", m.name)
	}
	return s.Resources["web"]
}

func (c *cluster) writeN(m *Machine, n int) (ids []int) {
	c.t.Helper()
	for range n {
		id, err := m.Write("web", 0)
		c.must(err)
		ids = append(ids, id)
	}
	return ids
}

func (c *cluster) reads(m *Machine, ids ...int) {
	c.t.Helper()
	for _, id := range ids {
		if !m.Readable("web", 0, id) {
			c.t.Errorf("write %d isn't readable on %s", id, m.name)
		}
	}
}

func generations(t *testing.T, f func(t *testing.T, gen drbd.Generation)) {
	for _, g := range []drbd.Generation{drbd.Gen8, drbd.Gen9} {
		t.Run(fmt.Sprint("drbd", g), func(t *testing.T) { f(t, g) })
	}
}

func TestFailover(t *testing.T) {
	c := newCluster(t, drbd.Gen8, 2, 0)
	c.up()
	a, b := c.ms[0], c.ms[1]
	one := c.writeN(a, 3)
	a.PowerCut()
	c.tick(time.Second)
	c.must(c.tool(b).Primary(ctx, c.at(), false))
	two := c.writeN(b, 2)
	c.reads(b, append(one, two...)...)
	if _, err := a.Write("web", 0); !errors.Is(err, ErrNoVolume) {
		t.Error(err)
	}
	a.PowerOn()
	c.must(lvm.Tool{Run: a}.Activate(ctx, "sw_ssd", "web_00000"))
	c.must(c.tool(a).Adjust(ctx, c.at()))
	c.tick(0)
	if s := c.state(a); s.Connections[0].PeerDevices[0].Replication != "SyncTarget" || s.Devices[0].Disk != "Inconsistent" || s.Connections[0].PeerDevices[0].OutOfSyncKiB == 0 {
		t.Errorf("%+v %+v", s.Devices[0], s.Connections[0].PeerDevices[0])
	}
	c.tick(time.Minute)
	c.must(c.tool(b).Secondary(ctx, c.at()))
	c.must(c.tool(a).Primary(ctx, c.at(), false))
	c.reads(a, append(one, two...)...)
}

func TestSplitBrain(t *testing.T) {
	c := newCluster(t, drbd.Gen8, 2, 0)
	c.up()
	a, b := c.ms[0], c.ms[1]
	c.net.Cut("alpha", "bravo")
	x := c.writeN(a, 1) // who was cut off is noticed here
	c.must(c.tool(b).Primary(ctx, c.at(), false))
	y := c.writeN(b, 1)
	c.must(c.tool(a).Secondary(ctx, c.at()))
	c.must(c.tool(b).Secondary(ctx, c.at()))
	c.net.Heal("alpha", "bravo")
	c.tick(time.Minute)
	for _, m := range c.ms {
		if s := c.state(m).Connections[0]; s.Connection != "StandAlone" || s.Name != "" {
			t.Errorf("%s: %+v", m.name, s)
		}
	}
	if a.Readable("web", 0, y[0]) || b.Readable("web", 0, x[0]) {
		t.Error("split brain merged by itself")
	}
}

func TestOneSideBehind(t *testing.T) {
	generations(t, func(t *testing.T, gen drbd.Generation) {
		c := newCluster(t, gen, 3-int(9-gen), 1-int(9-gen)) // 9: with a diskless tie-breaker
		c.up()
		a, b := c.ms[0], c.ms[1]
		c.must(c.tool(b).Down(ctx, c.at()))
		c.tick(time.Second)
		ids := c.writeN(a, 4)
		if s := c.state(a); s.Connections[peerID(gen, 1)].PeerDevices[0].OutOfSyncKiB != 16 {
			t.Errorf("%+v", s.Connections[peerID(gen, 1)].PeerDevices[0])
		}
		c.must(c.tool(b).Adjust(ctx, c.at()))
		c.tick(0)
		if b.Readable("web", 0, ids[0]) && c.state(b).Devices[0].Disk == "UpToDate" {
			t.Error("UpToDate before the sync")
		}
		c.tick(time.Second)
		c.must(c.tool(a).Secondary(ctx, c.at()))
		c.must(c.tool(b).Primary(ctx, c.at(), false))
		c.reads(b, ids...)
	})
}

func peerID(gen drbd.Generation, id int) int {
	if gen == drbd.Gen8 {
		return 0
	}
	return id
}

// A sync that is cut off leaves the target knowing that it is behind.
func TestInterruptedSync(t *testing.T) {
	generations(t, func(t *testing.T, gen drbd.Generation) {
		c := newCluster(t, gen, 2, 0)
		for _, m := range c.ms {
			c.write(m, 2, 0)
		}
		c.net.RateKiB = 1000
		for _, m := range c.ms {
			c.must(c.tool(m).Adjust(ctx, c.at()))
		}
		a, b := c.ms[0], c.ms[1]
		c.tick(time.Second)
		c.must(c.tool(a).Primary(ctx, c.at(), true))
		c.tick(time.Second)
		left := c.state(a).Connections[peerID(gen, 1)].PeerDevices[0].OutOfSyncKiB
		b.PowerCut()
		c.tick(time.Second)
		b.PowerOn()
		c.must(lvm.Tool{Run: b}.Activate(ctx, "sw_ssd", "web_00000"))
		c.must(c.tool(b).Adjust(ctx, c.at()))
		if d := c.state(b).Devices[0].Disk; d != "Inconsistent" {
			t.Errorf("after a cut in mid-sync: %s", d)
		}
		if err := c.tool(b).Primary(ctx, c.at(), false); !errors.Is(err, drbd.ErrNeedUpToDate) {
			t.Errorf("promote: %v", err)
		}
		c.tick(0)
		if s := c.state(b).Connections[0].PeerDevices[0]; s.Replication != "SyncTarget" || s.OutOfSyncKiB > left+4096 {
			t.Errorf("%+v, had %d left", s, left)
		}
		c.tick(10 * time.Minute)
		if d := c.state(b).Devices[0].Disk; d != "UpToDate" {
			t.Error(d)
		}
	})
}

func TestQuorum9(t *testing.T) {
	c := newCluster(t, drbd.Gen9, 3, 0)
	c.up()
	a, b, d := c.ms[0], c.ms[1], c.ms[2]
	ids := c.writeN(a, 2)
	c.net.Cut("alpha", "bravo")
	c.net.Cut("alpha", "charlie")
	if _, err := a.Write("web", 0); !errors.Is(err, ErrIO) {
		t.Errorf("write without quorum: %v", err)
	}
	c.must(c.tool(b).Primary(ctx, c.at(), false))
	ids = append(ids, c.writeN(b, 3)...)
	c.reads(d, ids...)
	if err := c.tool(a).Primary(ctx, c.at(), false); err != nil {
		t.Log(err)
	}
	c.must(c.tool(a).Secondary(ctx, c.at()))
	if err := c.tool(a).Primary(ctx, c.at(), false); !errors.Is(err, drbd.ErrNeedUpToDate) {
		t.Errorf("promoted without quorum: %v", err)
	}
	c.net.Heal("alpha", "bravo")
	c.net.Heal("alpha", "charlie")
	c.tick(time.Second)
	c.tick(time.Minute)
	c.tick(time.Minute)
	for _, m := range c.ms {
		c.reads(m, ids...)
		for _, p := range c.state(m).Peers() {
			if p.Connection != "Connected" {
				t.Errorf("%s to %s: %s", m.name, p.Name, p.Connection)
			}
		}
	}
}

// Who should have a disk and has none votes all the same, by 9.2.18's calc_quorum, and remembers nothing: two that see only
// it would each have quorum. With quorum-minimum-redundancy neither has.
func TestEmptyVoter9(t *testing.T) {
	for _, redundancy := range []string{"", "majority"} {
		c := newCluster(t, drbd.Gen9, 3, 0)
		c.up()
		c.redundancy = redundancy
		for _, m := range c.ms {
			c.write(m, 3, 0)
			c.must(c.tool(m).Adjust(ctx, c.at()))
		}
		a, b, empty := c.ms[0], c.ms[1], c.ms[2]
		ok(t, empty, "drbdadm -c "+conf+" detach web")
		c.net.Cut("bravo", "alpha")
		c.net.Cut("bravo", "charlie")
		c.tick(time.Second)
		_, err := a.Write("web", 0)
		a.PowerCut()
		c.net.Heal("bravo", "charlie")
		c.tick(time.Second)
		promoted := c.tool(b).Primary(ctx, c.at(), false) == nil
		if hole := redundancy == ""; (err == nil) != hole || promoted != hole {
			t.Errorf("redundancy %q: alpha writes: %v; bravo, which hasn't got it, is promoted: %v", redundancy, err, promoted)
		}
	}
}

func TestDisklessClient9(t *testing.T) {
	c := newCluster(t, drbd.Gen9, 3, 1)
	c.up()
	a, b, client := c.ms[0], c.ms[1], c.ms[2]
	c.must(c.tool(a).Secondary(ctx, c.at()))
	if s := c.state(client).Devices[0]; s.Disk != "Diskless" || s.Client != "yes" || s.SizeKiB == 0 {
		t.Errorf("%+v", s)
	}
	c.must(client.Open("web", 0)) // promotes
	ids := c.writeN(client, 2)
	a.PowerCut()
	c.tick(time.Second)
	ids = append(ids, c.writeN(client, 2)...) // the tie-breaker keeps quorum
	c.reads(client, ids...)
	c.reads(b, ids...)
	if err := c.tool(client).Secondary(ctx, c.at()); !errors.Is(err, drbd.ErrInUse) {
		t.Errorf("%v", err)
	}
	client.Close("web", 0)
	a.PowerOn()
	c.must(lvm.Tool{Run: a}.Activate(ctx, "sw_ssd", "web_00000"))
	c.must(c.tool(a).Adjust(ctx, c.at()))
	c.tick(0)
	c.tick(time.Minute)
	c.reads(a, ids...)
	if role := c.state(client).Role; role != "Secondary" {
		t.Error(role)
	}
}

func TestSkipFirstSync(t *testing.T) {
	generations(t, func(t *testing.T, gen drbd.Generation) {
		c := newCluster(t, gen, 2, 0)
		a, b := c.ms[0], c.ms[1]
		c.must(c.tool(a).Adjust(ctx, c.at()))
		if err := c.tool(a).SkipInitialSync(ctx, c.at(), 0); !errors.Is(err, drbd.ErrWrongState) {
			t.Errorf("alone: %v", err)
		}
		c.must(c.tool(b).Adjust(ctx, c.at()))
		c.tick(0)
		c.must(c.tool(a).SkipInitialSync(ctx, c.at(), 0))
		if err := c.tool(b).SkipInitialSync(ctx, c.at(), 0); !errors.Is(err, drbd.ErrWrongState) {
			t.Errorf("again: %v", err)
		}
		c.must(c.tool(b).Primary(ctx, c.at(), false))
		x, _ := a.Read("web", 0)
		y, _ := b.Read("web", 0)
		if x.Base == y.Base {
			t.Error("two volumes' old contents are the same: skipping a sync would never be seen")
		}
	})
}

func TestGuardsOfTheKernel(t *testing.T) {
	generations(t, func(t *testing.T, gen drbd.Generation) {
		c := newCluster(t, gen, 2, 0)
		a, b := c.ms[0], c.ms[1]
		ta, tb := c.tool(a), c.tool(b)
		c.must(ta.CheckFile(ctx, c.at()))
		c.must(ta.Up(ctx, c.at()))
		if err := ta.Up(ctx, c.at()); !errors.Is(err, drbd.ErrAlreadyExists) {
			t.Errorf("up again: %v", err)
		}
		if err := ta.Primary(ctx, c.at(), false); !errors.Is(err, drbd.ErrNeedUpToDate) {
			t.Errorf("promote Inconsistent: %v", err)
		}
		if err := tb.Secondary(ctx, c.at()); !errors.Is(err, drbd.ErrUnknownResource) {
			t.Errorf("not up: %v", err)
		}
		c.must(ta.Down(ctx, c.at()))
		c.must(ta.Down(ctx, c.at()))
		c.up()
		if err := tb.Primary(ctx, c.at(), false); !errors.Is(err, drbd.ErrOtherPrimary) {
			t.Errorf("second Primary: %v", err)
		}
		c.must(a.Open("web", 0))
		if err := ta.Down(ctx, c.at()); !errors.Is(err, drbd.ErrInUse) {
			t.Errorf("down while open: %v", err)
		}
		a.Close("web", 0)
		if err := (lvm.Tool{Run: a}).Remove(ctx, "sw_ssd", "web_00000"); !errors.Is(err, lvm.ErrInUse) {
			t.Errorf("remove under DRBD: %v", err)
		}
		meta := drbd.Meta{Minor: 1000, Format: gen.Format(), Device: dev}
		if err := ta.CreateMetadata(ctx, meta, 7, true); !errors.Is(err, drbd.ErrAttached) {
			t.Errorf("create-md while attached: %v", err)
		}
		c.must(tb.Down(ctx, c.at()))
		c.tick(time.Second)
		if err := ta.Detach(ctx, c.at(), 0); !errors.Is(err, drbd.ErrNeedUpToDate) {
			t.Errorf("detach of the last: %v", err)
		}
		if in, err := tb.ReadMetadata(ctx, meta); err != nil || !in.Unclean {
			t.Errorf("metadata after a stop: %+v %v", in, err)
		}
		meta.Format = map[drbd.Generation]drbd.Format{drbd.Gen8: drbd.V09, drbd.Gen9: drbd.V08}[gen]
		if _, err := tb.ReadMetadata(ctx, meta); !errors.Is(err, drbd.ErrNoMetadata) {
			t.Errorf("the other format's: %v", err)
		}
		if f, _, err := tb.HasMetadata(ctx, 1000, dev); f != gen.Format() || err != nil {
			t.Error(f, err)
		}
	})
}

// A node that came up with another module, or none, or lost its metadata.
func TestWrongModule(t *testing.T) {
	c := newCluster(t, drbd.Gen8, 2, 0)
	c.up()
	b := c.ms[1]
	b.SetModule("9.2.18")
	if in, err := drbd.Detect(ctx, b); err != nil || in.Generation != drbd.Gen8 || !in.Loaded {
		t.Errorf("the loaded module must win: %+v %v", in, err)
	}
	b.PowerCut()
	b.PowerOn()
	c.must(lvm.Tool{Run: b}.Activate(ctx, "sw_ssd", "web_00000"))
	if in, err := drbd.Detect(ctx, b); err != nil || in.Generation != drbd.Gen9 || in.Loaded {
		t.Errorf("%+v %v", in, err)
	}
	if err := c.tool(b).Adjust(ctx, c.at()); !errors.Is(err, drbd.ErrNoMetadata) {
		t.Errorf("%v", err)
	}
	b.SetModule("")
	b.PowerCut()
	b.PowerOn()
	if in, err := drbd.Detect(ctx, b); err != nil || in.Generation != drbd.Absent || in.Utils == "" {
		t.Errorf("%+v %v", in, err)
	}
	if _, err := c.tool(b).Snapshot(ctx); !errors.Is(err, drbd.ErrNoModule) {
		t.Errorf("%v", err)
	}
}

func TestOneNode(t *testing.T) {
	generations(t, func(t *testing.T, gen drbd.Generation) {
		c := newCluster(t, gen, 1, 0)
		c.up()
		a := c.ms[0]
		ids := c.writeN(a, 2)
		// A second joins later, and gets everything.
		b := c.net.Add("bravo", Options{Address: netip.MustParseAddr("10.77.0.2"), Module: a.module, VGs: map[string]int64{"sw_ssd": 2 << 20}})
		c.ms = append(c.ms, b)
		c.must(b.MkdirAll(dir, 0o755))
		c.must(lvm.Tool{Run: b}.Create(ctx, "sw_ssd", "web_00000", 65536))
		c.must(c.tool(b).CreateMetadata(ctx, drbd.Meta{Minor: 1000, Format: gen.Format(), Device: dev}, 7, true))
		for _, m := range c.ms {
			c.write(m, 2, 0)
			c.must(c.tool(m).Adjust(ctx, c.at()))
		}
		c.tick(0)
		c.tick(time.Hour)
		c.reads(b, ids...)
		x, _ := a.Read("web", 0)
		y, _ := b.Read("web", 0)
		if d := cmp.Diff(x, y); d != "" {
			t.Error(d)
		}
	})
}

// What events2 says live folds to what it says when asked, all through a life.
func TestStreamMatchesSnapshot(t *testing.T) {
	generations(t, func(t *testing.T, gen drbd.Generation) {
		c := newCluster(t, gen, 2, 0)
		a, b := c.ms[0], c.ms[1]
		rc, err := a.Stream(ctx, drbd.EventsArgv())
		c.must(err)
		s := rc.(*Stream)
		live := drbd.NewState()
		check := func(when string) {
			t.Helper()
			lines, _ := s.Lines()
			for _, l := range lines {
				e, err := drbd.ParseEvent(l)
				c.must(err)
				if _, err := live.Apply(e); err != nil {
					t.Fatalf("%s: %v", when, err)
				}
			}
			asked, err := c.tool(a).Snapshot(ctx)
			c.must(err)
			got := live.Clone()
			for _, st := range []*drbd.State{asked, got} {
				for _, r := range st.Resources {
					for id, k := range r.Connections {
						if gen == drbd.Gen8 && k.Connection == "StandAlone" {
							delete(r.Connections, id) // a stream has none
						}
						for _, p := range k.PeerDevices {
							p.OutOfSyncKiB, p.DonePercent, p.HasDonePercent = 0, 0, false // progress makes no event
						}
					}
				}
			}
			if d := cmp.Diff(asked, got); d != "" {
				t.Errorf("%s: %s", when, d)
			}
		}
		check("nothing")
		ta, tb := c.tool(a), c.tool(b)
		steps := []func(){
			func() { c.must(ta.Adjust(ctx, c.at())) },
			func() { c.must(tb.Adjust(ctx, c.at())) },
			func() { c.tick(0) },
			func() { c.must(ta.Primary(ctx, c.at(), true)) },
			func() { c.tick(time.Millisecond) },
			func() { c.tick(time.Hour) },
			func() { c.must(ta.SuspendIO(ctx, 1000)) },
			func() { c.must(ta.ResumeIO(ctx, 1000)) },
			func() { c.must(ta.Disconnect(ctx, c.at(), "")) },
			func() { c.must(ta.Connect(ctx, c.at(), "")) },
			func() { c.tick(time.Hour) },
			func() { c.tick(time.Hour) },
			func() { c.must(ta.Detach(ctx, c.at(), 0)) },
			func() { c.must(ta.Attach(ctx, c.at(), 0)) },
			func() { c.tick(time.Hour) },
			func() { c.must(ta.Secondary(ctx, c.at())) },
			func() { b.PowerCut() },
			func() { c.tick(time.Hour) },
			func() { c.must(ta.Down(ctx, c.at())) },
		}
		for i, f := range steps {
			f()
			check(fmt.Sprint("step ", i))
		}
		if len(live.Resources) != 0 {
			t.Error(live.Names())
		}
		a.Crash()
		if _, ended := s.Lines(); !ended {
			t.Error("the stream outlives its process")
		}
	})
}

func TestCrashAfterEachEffect(t *testing.T) {
	life := func(m *Machine, c *cluster) error {
		l, d := lvm.Tool{Run: m}, c.tool(m)
		return errors.Join(
			l.Create(ctx, "sw_ssd", "db_00000", 4096, "holdfast=2"),
			d.Adjust(ctx, c.at()),
			d.Primary(ctx, c.at(), true),
			d.Down(ctx, c.at()),
			l.Remove(ctx, "sw_ssd", "db_00000"),
			m.Remove(conf),
		)
	}
	for _, hard := range []bool{false, true} {
		n := 0
		for ; ; n++ {
			c := newCluster(t, drbd.Gen8, 2, 0)
			m := c.ms[0]
			before := m.Effects()
			if hard {
				m.CutAfter(n + 1)
			} else {
				m.CrashAfter(n + 1)
			}
			err := life(m, c)
			if err == nil {
				break
			}
			if !errors.Is(err, run.ErrCrashed) {
				t.Fatalf("after effect %d: %v", n+1, err)
			}
			if got := m.Effects() - before; got != n+1 {
				t.Fatalf("%d effects happened, want %d", got, n+1)
			}
			if m.Running() {
				t.Fatal("still running")
			}
			if _, err := m.ReadFile(conf); !errors.Is(err, run.ErrCrashed) {
				t.Fatal(err)
			}
			m.PowerOn()
			m.RestartProcess()
			lvs := m.LVs("sw_ssd")
			if n == 0 && !slices.Contains(lvs, "db_00000") {
				t.Error("the first effect isn't there")
			}
			if k := m.KernelResources(); hard && len(k) != 0 {
				t.Error("kernel state survived a power cut")
			}
		}
		if n < 10 {
			t.Errorf("only %d effects", n)
		}
	}
}

func TestFaults(t *testing.T) {
	c := newCluster(t, drbd.Gen8, 2, 0)
	m := c.ms[0]
	d := c.tool(m)
	m.Fail("drbdadm adjust", 1)
	var x *run.ExitError
	if err := d.Adjust(ctx, c.at()); !errors.As(err, &x) {
		t.Error(err)
	}
	c.must(d.Adjust(ctx, c.at()))
	m.Hang("lvm fullreport", true)
	var h *run.HungError
	if _, err := (lvm.Tool{Run: m}).VG(ctx, "sw_ssd"); !errors.As(err, &h) {
		t.Error(err)
	}
	m.Hang("lvm fullreport", false)
	g, err := lvm.Tool{Run: m}.VG(ctx, "sw_ssd")
	if v, ok := g.LV("web_00000"); err != nil || !ok || v.Tags[0] != "holdfast=1" || !v.Active || v.Path != dev {
		t.Errorf("%+v %v", g, err)
	}
	m.VGGone("sw_ssd", true)
	if _, err := (lvm.Tool{Run: m}).VG(ctx, "sw_ssd"); !errors.Is(err, lvm.ErrVGNotFound) {
		t.Error(err)
	}
	m.VGGone("sw_ssd", false)
	m.DiskFull(true)
	if err := m.WriteFile(conf, nil, 0o600); err == nil {
		t.Error("wrote to a full disk")
	}
	// 8.4: to suspend what has no disk hangs for ever.
	c.must(d.Detach(ctx, c.at(), 0))
	if err := d.SuspendIO(ctx, 1000); !errors.As(err, &h) {
		t.Error(err)
	}
	if err := d.Down(ctx, c.at()); !errors.As(err, &h) {
		t.Error(err)
	}
	if _, err := (run.Host)(m).Run(ctx, run.Cmd{Argv: []string{"no-such"}}); !errors.Is(err, run.ErrNotFound) {
		t.Error(err)
	}
}

// A plain `lvs` hangs on a suspended Primary; ours doesn't.
func TestFilterMatters(t *testing.T) {
	c := newCluster(t, drbd.Gen8, 2, 0)
	c.up()
	m := c.ms[0]
	c.must(c.tool(m).SuspendIO(ctx, 1000))
	if _, err := (lvm.Tool{Run: m}).VG(ctx, "sw_ssd"); err != nil {
		t.Error(err)
	}
	var h *run.HungError
	if _, err := m.Run(ctx, run.Cmd{Argv: []string{"lvs", "--reportformat", "json", "--units", "b", "--nosuffix", "-o", "lv_name"}}); !errors.As(err, &h) {
		t.Error(err)
	}
}

func TestReplay(t *testing.T) {
	trace := func() []string {
		c := newCluster(t, drbd.Gen9, 3, 1)
		c.up()
		c.writeN(c.ms[0], 3)
		c.net.Cut("alpha", "bravo")
		c.tick(time.Second)
		var all []string
		for _, m := range c.ms {
			all = append(all, m.Log()...)
			s, err := m.Run(ctx, run.Cmd{Argv: []string{"drbdsetup", "events2", "--now", "--statistics"}})
			c.must(err)
			all = append(all, string(s.Stdout))
		}
		return all
	}
	if d := cmp.Diff(trace(), trace()); d != "" {
		t.Error(d)
	}
}

// Read on a stream waits for what comes, and ends with the process.
func TestStreamBlocks(t *testing.T) {
	c := newCluster(t, drbd.Gen8, 2, 0)
	a := c.ms[0]
	s, err := a.Stream(ctx, drbd.EventsArgv())
	c.must(err)
	lines := make(chan string)
	go func() {
		defer close(lines)
		for sc := bufio.NewScanner(s); sc.Scan(); {
			lines <- sc.Text()
		}
	}()
	if l := <-lines; l != "exists -" {
		t.Error(l)
	}
	c.must(c.tool(a).Adjust(ctx, c.at()))
	if l := <-lines; !strings.HasPrefix(l, "create resource name:web role:Secondary") {
		t.Error(l)
	}
	a.PowerCut()
	for range lines { // ends
	}
}
