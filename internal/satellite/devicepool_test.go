package satellite

import (
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/tool/lvm"
	"holdfast/internal/wire"
)

// order has the controller tell the node of device pools, and lets the node work until there is nothing left to do.
func (n *node) order(t *testing.T, specs ...model.DevicePoolSpec) {
	t.Helper()
	n.r.now = n.r.now.Add(2 * time.Minute)
	n.session++
	if _, ok := n.a.Hello(n.session, wire.Hello{Order: n.r.order, Features: wire.Features, NodeName: n.name}, n.r.now); !ok {
		t.Fatal("no session")
	}
	if _, err := n.a.Message(n.session, wire.Desired{Order: n.r.order, Seq: 1, Full: true, PoolsSet: true, DevicePools: specs}, n.r.now); err != nil {
		t.Fatal(err)
	}
	n.work()
}

func (n *node) work() {
	for range 50 {
		jobs := n.a.Due(n.r.now)
		if len(jobs) == 0 {
			return
		}
		for _, j := range jobs {
			n.a.Finish(j, n.a.RunJob(ctx, j), n.r.now)
		}
	}
}

func (n *node) devicePool(id model.UUID) (model.DevicePoolStatus, bool) {
	all := n.a.nodeReport().DevicePools
	if i := slices.IndexFunc(all, func(s model.DevicePoolStatus) bool { return s.ID == id }); i >= 0 {
		return all[i], true
	}
	return model.DevicePoolStatus{}, false
}

func (n *node) emptyDisks() (out []string) {
	for _, d := range n.a.nodeReport().Devices {
		out = append(out, d.Path)
	}
	return out
}

func TestDevicePool(t *testing.T) {
	r := newRig(t, model.DRBD9, "alpha")
	n := r.nodes[0]
	n.m.AddDisk("/dev/vdx", 4<<20)
	n.m.AddDisk("/dev/vdy", 4<<20)
	n.m.AddDisk("/dev/vdz", 512<<10)
	n.order(t)
	if got := n.emptyDisks(); !slices.Equal(got, []string{"/dev/vdx", "/dev/vdy"}) {
		t.Fatalf("empty disks %v: vdz has less than 1 GiB", got)
	}
	if n.a.nodeReport().Makes[0] != model.LVM {
		t.Fatal(n.a.nodeReport().Makes)
	}
	spec := model.DevicePoolSpec{ID: "o1", Kind: model.LVM, Group: "ssd", Devices: []string{"/dev/vdx"}}
	n.order(t, spec)
	if st, ok := n.devicePool("o1"); !ok || !st.Done || st.Reason != "" {
		t.Fatalf("%+v", st)
	}
	if got := n.emptyDisks(); !slices.Equal(got, []string{"/dev/vdy"}) {
		t.Fatal(got)
	}
	// Said again, after a restart too, it is done; the same name by another order isn't.
	n.kill()
	n.start()
	n.order(t, spec, model.DevicePoolSpec{ID: "o2", Kind: model.LVM, Group: "ssd", Devices: []string{"/dev/vdy"}})
	if st, _ := n.devicePool("o1"); !st.Done {
		t.Fatalf("%+v", st)
	}
	if st, _ := n.devicePool("o2"); st.Done || !strings.Contains(st.Reason, "there already") || n.m.Sign("/dev/vdy") != "" {
		t.Fatalf("%+v", st)
	}
	n.order(t)
	if len(n.a.nodeReport().DevicePools) != 0 {
		t.Fatal("orders that were taken back are reported")
	}
}

func TestDevicePoolTakesOnlyEmptyDevices(t *testing.T) {
	for name, use := range map[string]func(n *node) []string{
		"signature": func(n *node) []string { n.m.UseDisk("/dev/vdx", "ext4", "", ""); return []string{"/dev/vdx"} },
		"mounted":   func(n *node) []string { n.m.UseDisk("/dev/vdx", "", "/srv", ""); return []string{"/dev/vdx"} },
		"in use": func(n *node) []string {
			n.m.UseDisk("/dev/vdx", "", "", "/dev/mapper/other-lv")
			return []string{"/dev/vdx"}
		},
		"holder in sysfs": func(n *node) []string {
			n.m.MkdirAll("/sys/class/block/vdx/holders/dm-7", 0o755)
			return []string{"/dev/vdx"}
		},
		"the second is": func(n *node) []string {
			n.m.UseDisk("/dev/vdx", "crypto_LUKS", "", "")
			return []string{"/dev/vdy", "/dev/vdx"}
		},
		"twice":        func(n *node) []string { return []string{"/dev/vdy", "/dev/vdy"} },
		"not there":    func(n *node) []string { return []string{"/dev/vdq"} },
		"no path":      func(n *node) []string { return []string{"--force"} },
		"DRBD":         func(n *node) []string { n.m.AddDisk("/dev/drbd1000", 4<<20); return []string{"/dev/drbd1000"} },
		"ZFS volume":   func(n *node) []string { n.m.AddDisk("/dev/zd16", 4<<20); return []string{"/dev/zd16"} },
		"too small":    func(n *node) []string { n.m.AddDisk("/dev/vdz", 1<<19); return []string{"/dev/vdz"} },
		"wipefs fails": func(n *node) []string { n.m.Fail("wipefs", 100); return []string{"/dev/vdx"} },
		"none":         func(n *node) []string { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, model.DRBD9, "alpha")
			n := r.nodes[0]
			n.m.AddDisk("/dev/vdx", 4<<20)
			n.m.AddDisk("/dev/vdy", 4<<20)
			devices := use(n)
			before := n.m.Sign("/dev/vdx")
			n.order(t, model.DevicePoolSpec{ID: "o1", Kind: model.LVM, Group: "ssd", Devices: devices})
			if st, ok := n.devicePool("o1"); !ok || st.Done || st.Reason == "" {
				t.Fatalf("%+v", st)
			} else {
				t.Log(st.Reason)
			}
			if n.m.Sign("/dev/vdx") != before || n.m.Sign("/dev/vdy") != "" {
				t.Fatal("something was written")
			}
			// It is not tried again, though the disk were empty now.
			n.m.Fail("wipefs", 0)
			n.m.UseDisk("/dev/vdx", "", "", "")
			n.r.now = n.r.now.Add(time.Hour)
			n.work()
			if n.m.Sign("/dev/vdx") != "" {
				t.Fatal("it was tried again")
			}
		})
	}
}

// Without a session nothing is made: the order may have been taken back meanwhile.
func TestDevicePoolWaitsForASession(t *testing.T) {
	r := newRig(t, model.DRBD9, "alpha")
	n := r.nodes[0]
	n.m.AddDisk("/dev/vdx", 4<<20)
	n.m.CrashAfter(1000)
	n.session++
	n.a.Hello(n.session, wire.Hello{Order: r.order, Features: wire.Features, NodeName: n.name}, r.now)
	if _, err := n.a.Message(n.session, wire.Desired{Order: r.order, Seq: 1, Full: true, PoolsSet: true,
		DevicePools: []model.DevicePoolSpec{{ID: "o1", Kind: model.LVM, Group: "ssd", Devices: []string{"/dev/vdx"}}}}, r.now); err != nil {
		t.Fatal(err)
	}
	n.kill()
	n.start()
	n.work()
	if n.m.Sign("/dev/vdx") != "" {
		t.Fatal("made without a controller in sight")
	}
}

// Whatever step a crash or a power cut comes after: nothing is made twice, nothing is taken that isn't empty, and the order
// ends.
func TestDevicePoolCrashes(t *testing.T) {
	for _, cut := range []bool{false, true} {
		for at := 1; at <= 12; at++ {
			r := newRig(t, model.DRBD9, "alpha")
			n := r.nodes[0]
			n.m.AddDisk("/dev/vdx", 4<<20)
			n.m.AddDisk("/dev/vdy", 4<<20)
			n.order(t)
			spec := model.DevicePoolSpec{ID: "o1", Kind: model.LVM, Group: "ssd", Devices: []string{"/dev/vdx", "/dev/vdy"}}
			if cut {
				n.m.CutAfter(at)
			} else {
				n.m.CrashAfter(at)
			}
			n.session++
			n.a.Hello(n.session, wire.Hello{Order: r.order, Features: wire.Features, NodeName: n.name}, r.now)
			if _, err := n.a.Message(n.session, wire.Desired{Order: r.order, Seq: 1, Full: true, PoolsSet: true, DevicePools: []model.DevicePoolSpec{spec}}, r.now); err == nil {
				n.work()
			}
			n.m.CrashAfter(0)
			if cut {
				n.m.PowerOn()
				n.m.AddDisk("/dev/vdq", 1) // its folders in /sys are there again
				for _, d := range []string{"vdx", "vdy"} {
					n.m.MkdirAll("/sys/class/block/"+d+"/holders", 0o755)
				}
			}
			n.start()
			n.order(t, spec)
			st, ok := n.devicePool("o1")
			if !ok {
				t.Fatalf("cut %v after %d: no word", cut, at)
			}
			tags, err := lvm.Tool{Run: n.m}.VGTags(ctx, "ssd")
			if there := err == nil && slices.Equal(tags, []string{"holdfast.made.o1"}); st.Done != there {
				t.Errorf("cut %v after %d: %+v, but the group: %v %v", cut, at, st, tags, err)
			}
		}
	}
}
