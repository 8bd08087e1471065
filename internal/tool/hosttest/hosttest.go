// Package hosttest is the conformance suite of a run.Host with LVM, loop
// devices and DRBD on it: the model machine passes it in process, real
// machines pass it in the lab. What it says of DRBD holds for both
// generations.
package hosttest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/tool/drbd"
	"holdfast/internal/tool/loop"
	"holdfast/internal/tool/lvm"
	"holdfast/internal/tool/run"
)

// Node is a machine under test.
type Node struct {
	run.Host
	Name    string     // its `uname -n`
	Address netip.Addr // where peers reach it
	VG      string     // a volume group with at least 200 MiB free
	Dir     string     // a folder of the test's own, which needn't exist
	// Until lets time pass until cond holds, or fails the test.
	Until func(t *testing.T, what string, cond func() bool)
}

// Minor and Port of the suite's resource; nothing else may have them.
const (
	Minor = 1990
	Port  = 7990
)

var ctx = context.Background()

type step struct {
	*testing.T
	node Node
	lvm  lvm.Tool
	drbd drbd.Tool
	loop loop.Tool
	gen  drbd.Generation
}

func begin(t *testing.T, n Node) step {
	t.Helper()
	s := step{T: t, node: n, lvm: lvm.Tool{Run: n}, drbd: drbd.Tool{Run: n}, loop: loop.Tool{Run: n}}
	in, err := drbd.Detect(ctx, n)
	s.ok("detect DRBD", err)
	if in.Generation == drbd.Absent || in.Utils == "" {
		t.Fatalf("no DRBD on %s: %+v", n.Name, in)
	}
	s.gen = in.Generation
	s.ok("load", drbd.Load(ctx, n))
	if in, err = drbd.Detect(ctx, n); err != nil || !in.Loaded || in.Generation != s.gen {
		t.Fatalf("after loading: %+v %v", in, err)
	}
	s.ok("mkdir", n.MkdirAll(n.Dir, 0o755))
	return s
}

func (s step) ok(what string, err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("%s: %v", what, err)
	}
}

func (s step) is(what string, err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("%s: %v, want %v", what, err, want)
	}
}

func (s step) state() *drbd.ResourceState {
	s.Helper()
	st, err := s.drbd.Snapshot(ctx)
	s.ok("snapshot", err)
	return st.Resources["conform"]
}

func (s step) target() drbd.Target {
	return drbd.Target{File: path.Join(s.node.Dir, "conform.res"), Resource: "conform"}
}

func (s step) device() string { return "/dev/" + s.node.VG + "/conform_00000" }

// Files checks the FS part.
func Files(t *testing.T, n Node) {
	s := step{T: t, node: n}
	s.ok("mkdir", n.MkdirAll(n.Dir+"/a/b", 0o755))
	s.ok("mkdir again", n.MkdirAll(n.Dir+"/a/b", 0o755))
	p := n.Dir + "/a/b/f"
	for _, text := range []string{"one", "two"} {
		s.ok("write", n.WriteFile(p, []byte(text), 0o600))
	}
	if b, err := n.ReadFile(p); err != nil || string(b) != "two" {
		t.Errorf("read: %q %v", b, err)
	}
	s.ok("rename", n.Rename(p, p+"2"))
	_, err := n.ReadFile(p)
	s.is("read what was renamed", err, fs.ErrNotExist)
	if st, err := n.Stat(p); err != nil || st.Exists {
		t.Errorf("stat: %+v %v", st, err)
	}
	s.ok("truncate", n.Truncate(n.Dir+"/a/b/sparse", 8<<20))
	s.is("shrink", n.Truncate(n.Dir+"/a/b/sparse", 4<<20), run.ErrShrink)
	if st, err := n.Stat(n.Dir + "/a/b/sparse"); err != nil || st.Size != 8<<20 || st.Allocated > 1<<20 {
		t.Errorf("stat: %+v %v", st, err)
	}
	names, err := n.ReadDir(n.Dir + "/a/b")
	if err != nil || !slices.Equal(names, []string{"f2", "sparse"}) {
		t.Errorf("list: %v %v", names, err)
	}
	for _, f := range []string{"/a/b/f2", "/a/b/sparse", "/a/b", "/a"} {
		s.ok("remove", n.Remove(n.Dir+f))
	}
	s.is("remove again", n.Remove(n.Dir+"/a"), fs.ErrNotExist)
	if err := n.WriteFile(n.Dir+"/none/f", nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("write into no folder: %v", err)
	}
	_, err = n.Run(ctx, run.Cmd{Argv: []string{"no-such-program"}})
	s.is("no such program", err, run.ErrNotFound)
}

// LVM checks volumes.
func LVM(t *testing.T, n Node) {
	s := step{T: t, node: n, lvm: lvm.Tool{Run: n}}
	l := s.lvm
	g, err := l.VG(ctx, n.VG)
	s.ok("report", err)
	before := g.FreeBytes
	_, err = l.VG(ctx, "no_such_vg")
	s.is("missing group", err, lvm.ErrVGNotFound)
	size := lvm.RoundUp(5000, g.ExtentBytes)
	s.ok("create", l.Create(ctx, n.VG, "conform_lv", 5000, "holdfast:test=1", "a/b"))
	s.is("create again", l.Create(ctx, n.VG, "conform_lv", 5000), lvm.ErrExists)
	s.is("create too large", l.Create(ctx, n.VG, "conform_big", 1<<40), lvm.ErrNoSpace)
	s.is("create nowhere", l.Create(ctx, "no_such_vg", "x", 5000), lvm.ErrVGNotFound)
	g, err = l.VG(ctx, n.VG)
	s.ok("report", err)
	v, _ := g.LV("conform_lv")
	if v.SizeBytes != size*1024 || !v.Active || !slices.Equal(v.Tags, []string{"a/b", "holdfast:test=1"}) || v.Path != "/dev/"+n.VG+"/conform_lv" || g.FreeBytes != before-size*1024 {
		t.Errorf("%+v, %d bytes free, %d before", v, g.FreeBytes, before)
	}
	s.ok("tag", l.AddTag(ctx, n.VG, "conform_lv", "x"))
	s.ok("tag again", l.AddTag(ctx, n.VG, "conform_lv", "x"))
	s.ok("untag", l.DelTag(ctx, n.VG, "conform_lv", "a/b"))
	s.ok("untag again", l.DelTag(ctx, n.VG, "conform_lv", "a/b"))
	s.ok("extend", l.Extend(ctx, n.VG, "conform_lv", size+1))
	s.ok("extend to the same", l.Extend(ctx, n.VG, "conform_lv", size+1))
	s.ok("extend to less", l.Extend(ctx, n.VG, "conform_lv", size))
	s.is("extend too far", l.Extend(ctx, n.VG, "conform_lv", 1<<40), lvm.ErrNoSpace)
	s.ok("deactivate", l.Deactivate(ctx, n.VG, "conform_lv"))
	s.ok("deactivate again", l.Deactivate(ctx, n.VG, "conform_lv"))
	g, err = l.VG(ctx, n.VG)
	s.ok("report", err)
	if v, _ = g.LV("conform_lv"); v.Active || v.SizeBytes != (size+g.ExtentBytes/1024)*1024 || !slices.Equal(v.Tags, []string{"holdfast:test=1", "x"}) {
		t.Errorf("%+v", v)
	}
	s.ok("activate", l.Activate(ctx, n.VG, "conform_lv"))
	s.ok("activate again", l.Activate(ctx, n.VG, "conform_lv"))
	s.ok("remove", l.Remove(ctx, n.VG, "conform_lv"))
	for what, err := range map[string]error{
		"remove": l.Remove(ctx, n.VG, "conform_lv"), "extend": l.Extend(ctx, n.VG, "conform_lv", 1), "activate": l.Activate(ctx, n.VG, "conform_lv"),
		"tag": l.AddTag(ctx, n.VG, "conform_lv", "x"), "deactivate": l.Deactivate(ctx, n.VG, "conform_lv"),
	} {
		s.is(what+" the missing", err, lvm.ErrNotFound)
	}
}

// Loop checks loop devices.
func Loop(t *testing.T, n Node) {
	s := step{T: t, node: n, loop: loop.Tool{Run: n}}
	s.ok("mkdir", n.MkdirAll(n.Dir, 0o755))
	img := n.Dir + "/loop file.img"
	_, err := s.loop.Attach(ctx, img)
	s.is("attach the missing", err, loop.ErrNoFile)
	s.ok("truncate", n.Truncate(img, 8<<20))
	dev, err := s.loop.Attach(ctx, img)
	s.ok("attach", err)
	again, err := s.loop.Attach(ctx, img)
	if err != nil || again != dev {
		t.Errorf("attach again: %s %v, had %s", again, err, dev)
	}
	size := func() string {
		r, err := n.Run(ctx, run.Cmd{Argv: []string{"blockdev", "--getsize64", dev}})
		s.ok("size", err)
		return strings.TrimSpace(string(r.Stdout))
	}
	if got := size(); got != fmt.Sprint(8<<20) {
		t.Error(got)
	}
	s.ok("grow", n.Truncate(img, 16<<20))
	s.ok("set capacity", s.loop.SetCapacity(ctx, dev))
	if got := size(); got != fmt.Sprint(16<<20) {
		t.Error(got)
	}
	has := func(want loop.Device) bool {
		ds, err := s.loop.List(ctx)
		s.ok("list", err)
		return slices.Contains(ds, want)
	}
	if !has(loop.Device{Path: dev, File: img}) {
		t.Error("not listed")
	}
	s.ok("remove the file", n.Remove(img))
	if !has(loop.Device{Path: dev, File: img, Deleted: true}) {
		t.Error("not listed as deleted")
	}
	s.ok("detach", s.loop.Detach(ctx, dev))
	s.is("detach again", s.loop.Detach(ctx, dev), loop.ErrNotFound)
	s.is("set capacity of nothing", s.loop.SetCapacity(ctx, dev), loop.ErrNotFound)
	if has(loop.Device{Path: dev, File: img, Deleted: true}) {
		t.Error("still listed")
	}
}

// resource is the suite's, for one node or two.
func (s step) resource(nodes ...Node) drbd.Resource {
	r := drbd.Resource{Name: "conform", Generation: s.gen, Local: s.node.Name, Secret: "conform", Options: map[string]map[string]string{
		"net": {"protocol": "C", "ping-int": "1"}, "disk": {"al-extents": "67"}, "peer-device": {"c-plan-ahead": "0", "resync-rate": "400M"}}}
	for i, n := range nodes {
		r.Nodes = append(r.Nodes, drbd.Node{Name: n.Name, NodeID: i, Address: n.Address, Port: Port,
			Volumes: []drbd.Volume{{Minor: Minor, Device: "/dev/" + n.VG + "/conform_00000"}}})
	}
	return r
}

func (s step) prepare(nodes ...Node) {
	s.Helper()
	s.Cleanup(func() {
		if s.Failed() { // leave nothing behind
			s.drbd.DownByName(ctx, "conform")
			s.lvm.Remove(ctx, s.node.VG, "conform_00000")
		}
	})
	b, err := drbd.Config(s.resource(nodes...))
	s.ok("config", err)
	s.ok("write the file", s.node.WriteFile(s.target().File, b, 0o600))
	s.ok("check the file", s.drbd.CheckFile(ctx, s.target()))
	s.ok("create", s.lvm.Create(ctx, s.node.VG, "conform_00000", 32768, "holdfast:test=2"))
}

func (s step) meta() drbd.Meta {
	return drbd.Meta{Minor: Minor, Format: s.gen.Format(), Device: s.device()}
}

func (s step) finish() {
	s.Helper()
	s.ok("down", s.drbd.Down(ctx, s.target()))
	if s.state() != nil {
		s.Error("still up")
	}
	s.ok("remove", s.lvm.Remove(ctx, s.node.VG, "conform_00000"))
	s.ok("remove the file", s.node.Remove(s.target().File))
}

// DRBDAlone takes a resource with one node through its life.
func DRBDAlone(t *testing.T, n Node) {
	s := begin(t, n)
	d, at, m := s.drbd, s.target(), s.meta()
	s.prepare(n)
	_, err := d.ReadMetadata(ctx, m)
	s.is("metadata of an empty disk", err, drbd.ErrNoMetadata)
	missing := m
	missing.Device = "/dev/" + n.VG + "/no_such_lv"
	_, err = d.ReadMetadata(ctx, missing)
	s.is("metadata of no disk", err, drbd.ErrNoDevice)
	s.is("primary before up", d.Primary(ctx, at, false), drbd.ErrUnknownResource)
	s.is("adjust without metadata", d.Adjust(ctx, at), drbd.ErrNoMetadata)
	if r := s.state(); r == nil || r.Devices[0].Disk != "Diskless" || r.Devices[0].Minor != Minor {
		t.Errorf("after adjust without metadata: %+v", r)
	}
	s.ok("create metadata", d.CreateMetadata(ctx, m, 7, true))
	if in, err := d.ReadMetadata(ctx, m); err != nil || !in.Fresh || in.Unclean {
		t.Errorf("%+v %v", in, err)
	}
	s.is("create metadata unforced", d.CreateMetadata(ctx, m, 7, false), drbd.ErrHasMetadata)
	other := m
	if other.Format = drbd.V08; m.Format == drbd.V08 {
		other.Format = drbd.V09
	}
	s.is("create metadata of the other format unforced", d.CreateMetadata(ctx, other, 7, false), drbd.ErrHasMetadata)
	if f, _, err := d.HasMetadata(ctx, Minor, m.Device); err != nil || f != m.Format {
		t.Errorf("%q %v", f, err)
	}
	s.ok("adjust", d.Adjust(ctx, at))
	s.ok("adjust again", d.Adjust(ctx, at))
	s.is("up again", d.Up(ctx, at), drbd.ErrAlreadyExists)
	r := s.state()
	if r.Role != "Secondary" || r.Devices[0].Disk != "Inconsistent" || r.Devices[0].SizeKiB < 32000 || r.Devices[0].SizeKiB >= 32768 || r.Suspended != "no" {
		t.Errorf("%+v %+v", r, r.Devices[0])
	}
	s.is("primary of Inconsistent", d.Primary(ctx, at, false), drbd.ErrNeedUpToDate)
	s.is("skip sync alone", d.SkipInitialSync(ctx, at, 0), drbd.ErrWrongState)
	s.is("create metadata while attached", d.CreateMetadata(ctx, m, 7, true), drbd.ErrAttached)
	_, err = d.ReadMetadata(ctx, m)
	s.is("read metadata while attached", err, drbd.ErrAttached)
	s.is("remove under DRBD", s.lvm.Remove(ctx, n.VG, "conform_00000"), lvm.ErrInUse)
	s.is("deactivate under DRBD", s.lvm.Deactivate(ctx, n.VG, "conform_00000"), lvm.ErrInUse)
	s.ok("force", d.Primary(ctx, at, true))
	s.ok("primary again", d.Primary(ctx, at, false))
	if r := s.state(); r.Role != "Primary" || r.Devices[0].Disk != "UpToDate" {
		t.Errorf("%+v %+v", r, r.Devices[0])
	}
	s.is("detach of the last, in use", d.Detach(ctx, at, 0), drbd.ErrNeedUpToDate)
	s.ok("suspend", d.SuspendIO(ctx, Minor))
	if got := s.state().Suspended; got != "user" {
		t.Error(got)
	}
	_, err = s.lvm.VG(ctx, n.VG)
	s.ok("report while suspended", err)
	s.ok("resume", d.ResumeIO(ctx, Minor))
	s.ok("resume again", d.ResumeIO(ctx, Minor))
	s.is("resume of nothing", d.ResumeIO(ctx, Minor+1), drbd.ErrUnknownResource)
	s.ok("secondary", d.Secondary(ctx, at))
	s.ok("secondary again", d.Secondary(ctx, at))
	s.ok("extend", s.lvm.Extend(ctx, n.VG, "conform_00000", 65536))
	was := s.state().Devices[0].SizeKiB
	s.ok("resize", d.ResizeAlone(ctx, Minor))
	if got := s.state().Devices[0].SizeKiB; got <= was || got < 65000 {
		t.Errorf("resized from %d to %d KiB", was, got)
	}
	s.ok("detach the last, unused", d.Detach(ctx, at, 0)) // nothing but our guard prevents it
	s.ok("detach again", d.Detach(ctx, at, 0))
	if got := s.state().Devices[0].Disk; got != "Diskless" {
		t.Error(got)
	}
	s.ok("attach", d.Attach(ctx, at, 0))
	s.is("attach again", d.Attach(ctx, at, 0), drbd.ErrAlreadyExists)
	s.ok("down", d.Down(ctx, at))
	s.ok("down again", d.Down(ctx, at))
	s.ok("down by name", d.DownByName(ctx, "conform"))
	if in, err := d.ReadMetadata(ctx, m); err != nil || !in.Unclean {
		t.Errorf("after a clean stop: %+v %v", in, err)
	}
	s.ok("up", d.Up(ctx, at))
	if got := s.state().Devices[0].Disk; got != "UpToDate" {
		t.Errorf("after coming back: %s", got)
	}
	s.ok("down", d.Down(ctx, at))
	// A new incarnation on the same disk.
	s.is("create metadata over old ones unforced", d.CreateMetadata(ctx, m, 7, false), drbd.ErrHasMetadata)
	s.is("create metadata of the other format over old ones unforced", d.CreateMetadata(ctx, other, 7, false), drbd.ErrHasMetadata)
	if in, err := d.ReadMetadata(ctx, m); err != nil || !in.Unclean {
		t.Errorf("after what was refused: %+v %v", in, err)
	}
	s.ok("create metadata over old ones", d.CreateMetadata(ctx, m, 7, true))
	s.ok("remove", s.lvm.Remove(ctx, n.VG, "conform_00000"))
	s.is("adjust without a disk", d.Adjust(ctx, at), drbd.ErrNoDevice)
	s.ok("down", d.Down(ctx, at))
	// A new volume in the same place shows nothing of the old.
	s.ok("create", s.lvm.Create(ctx, n.VG, "conform_00000", 32768))
	if f, in, err := d.HasMetadata(ctx, Minor, m.Device); f != "" || err != nil {
		t.Errorf("new volume has metadata: %q %+v %v", f, in, err)
	}
	broken := at
	broken.File = path.Join(n.Dir, "broken.res")
	s.ok("write a broken file", n.WriteFile(broken.File, []byte("resource \"conform\" { bogus 1; }\n"), 0o600))
	s.is("broken file", d.CheckFile(ctx, broken), drbd.ErrParse)
	s.is("broken file", d.Adjust(ctx, broken), drbd.ErrParse)
	s.ok("remove it", n.Remove(broken.File))
	s.is("no file", d.Adjust(ctx, broken), drbd.ErrNoFile)
	unknown := at
	unknown.Resource = "nobody"
	s.is("unknown", d.Adjust(ctx, unknown), drbd.ErrUnknownResource)
	s.finish()
}

// DRBDPair takes a resource with two nodes through its life: first sync,
// roles, disconnect, what changed meanwhile, detach, one node away.
func DRBDPair(t *testing.T, a, b Node) {
	x, y := begin(t, a), begin(t, b)
	both := []step{x, y}
	for _, s := range both {
		s.prepare(a, b)
		s.ok("create metadata", s.drbd.CreateMetadata(ctx, s.meta(), 7, true))
		s.ok("adjust", s.drbd.Adjust(ctx, s.target()))
	}
	conn := func(s step) *drbd.ConnectionState {
		for _, c := range s.state().Peers() {
			return c
		}
		return &drbd.ConnectionState{}
	}
	until := func(what string, cond func() bool) { t.Helper(); a.Until(t, what, cond) }
	until("connected", func() bool { return conn(x).Connection == "Connected" && conn(y).Connection == "Connected" })
	until("seen as Inconsistent", func() bool {
		p := conn(x).PeerDevices[0]
		return p != nil && p.PeerDisk == "Inconsistent" && p.Replication == "Established"
	})
	if x.gen == drbd.Gen8 {
		x.ok("force", x.drbd.Primary(ctx, x.target(), true))
	} else {
		x.ok("start first sync", x.drbd.ForceSync(ctx, Minor))
		if r := x.state(); r.Role != "Secondary" || r.Devices[0].Disk != "UpToDate" {
			t.Errorf("after the first sync started: %+v %+v", r, r.Devices[0])
		}
		x.is("start first sync again", x.drbd.ForceSync(ctx, Minor), drbd.ErrWrongState)
		x.ok("promote", x.drbd.Primary(ctx, x.target(), false))
	}
	good := func(s step) func() bool {
		return func() bool {
			r := s.state()
			return r.Devices[0].Disk == "UpToDate" && r.UpToDatePeer(0) && !r.Syncing() && conn(s).PeerDevices[0].OutOfSyncKiB == 0
		}
	}
	until("synced", good(x))
	until("synced, seen from the target", good(y))
	y.is("second Primary", y.drbd.Primary(ctx, y.target(), false), drbd.ErrOtherPrimary)
	y.is("skip sync too late", y.drbd.SkipInitialSync(ctx, y.target(), 0), drbd.ErrWrongState)
	if got := conn(y).Role; got != "Primary" {
		t.Errorf("peer's role %s", got)
	}
	x.ok("secondary", x.drbd.Secondary(ctx, x.target()))
	y.ok("swap", y.drbd.Primary(ctx, y.target(), false))
	y.ok("swap back", y.drbd.Secondary(ctx, y.target()))
	x.ok("detach", x.drbd.Detach(ctx, x.target(), 0))
	until("seen as Diskless", func() bool { return conn(y).PeerDevices[0].PeerDisk == "Diskless" })
	x.ok("adjust attaches", x.drbd.Adjust(ctx, x.target()))
	until("back", func() bool { return good(x)() && good(y)() })
	x.ok("disconnect", x.drbd.Disconnect(ctx, x.target(), ""))
	until("peer waits", func() bool { return conn(y).Connection == "Connecting" })
	if c := conn(x); c.Connection != "StandAlone" {
		t.Errorf("%+v", c)
	}
	x.ok("adjust reconnects", x.drbd.Adjust(ctx, x.target()))
	until("connected again", func() bool { return good(x)() && good(y)() })
	y.ok("down", y.drbd.Down(ctx, y.target()))
	until("seen as gone", func() bool { return conn(x).Connection == "Connecting" && !x.state().UpToDatePeer(0) })
	if x.gen == drbd.Gen8 { // no quorum: it stays good, and may be promoted
		x.ok("primary alone", x.drbd.Primary(ctx, x.target(), false))
	}
	y.ok("up", y.drbd.Up(ctx, y.target()))
	until("back", func() bool { return good(x)() && good(y)() })
	// Split brain: both were Primary without the other.
	if x.gen == drbd.Gen8 {
		x.ok("secondary", x.drbd.Secondary(ctx, x.target()))
		for _, s := range both {
			s.drbd.Disconnect(ctx, s.target(), "")
		}
		for _, s := range both {
			s.ok("primary alone", s.drbd.Primary(ctx, s.target(), false))
			s.ok("secondary", s.drbd.Secondary(ctx, s.target()))
		}
		for _, s := range both {
			s.ok("adjust", s.drbd.Adjust(ctx, s.target()))
		}
		until("split brain", func() bool {
			return conn(x).Connection == "StandAlone" && conn(y).Connection == "StandAlone"
		})
	}
	for _, s := range both {
		s.finish()
	}
}
