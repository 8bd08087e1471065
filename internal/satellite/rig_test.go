package satellite

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/sim/machine"
	"holdfast/internal/tool/run"
	"holdfast/internal/wire"
)

const bootFile = "/proc/sys/kernel/random/boot_id"

var ctx = context.Background()

// rig is some model machines with a satellite each, and a controller that only remembers milestones.
type rig struct {
	t     *testing.T
	net   *machine.Network
	now   time.Time
	nodes []*node
	order model.Order
}

// node is a machine, its satellite (nil while it is dead) and what the controller knows of it.
type node struct {
	r       *rig
	name    string
	m       *machine.Machine
	a       *Agent
	stream  *machine.Stream
	pools   []model.PoolSpec
	specs   []model.ResourceSpec
	status  map[model.UUID]model.ResourceStatus
	report  model.NodeReport
	away    bool // no controller in sight
	seq     uint64
	session uint64
	told    string // what was sent last
	trace   []string
	deaf    bool // DRBD's events don't arrive for now
	boots   int
	holds   JobKind  // jobs of this kind end when let go of
	letGo   []func() // those
}

var cfg = Config{StateDir: "/var/lib/holdfast", ConfigDir: "/var/lib/holdfast.d", Program: "holdfast", Version: "test"}

func newRig(t *testing.T, gen model.DRBDGeneration, names ...string) *rig {
	r := &rig{t: t, net: machine.NewNetwork(), now: time.Unix(1000, 0), order: model.Order{Epoch: 1, Instance: "i1"}}
	module := map[model.DRBDGeneration]string{model.DRBD8: "8.4.11", model.DRBD9: "9.2.18"}[gen]
	for i, name := range names {
		m := r.net.Add(name, machine.Options{Address: address(i), Module: module, VGs: map[string]int64{"sw_ssd": 2 << 20, "other": 1 << 20}})
		n := &node{r: r, name: name, m: m, pools: []model.PoolSpec{{UUID: "p1", Name: "swpool", Kind: model.LVM, Backing: "sw_ssd"}}}
		r.nodes = append(r.nodes, n)
		n.start()
	}
	r.net.Tick(r.now)
	return r
}

func address(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 77, 0, byte(i + 1)}) }

// start starts the satellite on a machine that is on.
func (n *node) start() {
	n.r.t.Helper()
	n.m.RestartProcess()
	if _, err := n.m.ReadFile(bootFile); err != nil {
		n.boots++
		n.m.MkdirAll("/proc/sys/kernel/random", 0o755)
		n.m.WriteFile(bootFile, fmt.Appendf(nil, "boot-%d\n", n.boots), 0o644)
	}
	c := cfg
	c.Node = n.name
	a, err := New(n.m, c, n.r.now)
	if err != nil {
		if errors.Is(err, run.ErrCrashed) {
			return
		}
		n.r.t.Fatal(err)
	}
	n.a, n.stream, n.told = a, nil, ""
	n.status = map[model.UUID]model.ResourceStatus{}
}

// kill ends the process; cut ends the machine.
func (n *node) kill() { n.m.Crash(); n.a = nil }

func (n *node) cut() { n.m.PowerCut(); n.a = nil }

func (n *node) boot() { n.m.PowerOn(); n.start() }

// meet opens a session if there is none and says what changed.
func (n *node) meet() {
	if n.away {
		if n.session != 0 {
			n.a.Lost(n.session)
			n.session = 0
		}
		return
	}
	if n.a.Session() == 0 {
		n.session++
		answer, ok := n.a.Hello(n.session, wire.Hello{Order: n.r.order, Features: wire.Features, NodeName: n.name}, n.r.now)
		if !ok {
			n.trace = append(n.trace, fmt.Sprintf("refused: %+v", answer))
			return
		}
		n.told, n.seq = "", 0
	}
	n.session = n.a.Session()
	if now := fmt.Sprintf("%+v", n.specs) + fmt.Sprint(n.pools); now != n.told {
		full := n.told == ""
		n.told = now
		n.seq++
		d := wire.Desired{Order: n.r.order, Seq: n.seq, Full: full, Pools: n.pools, PoolsSet: true, Resources: n.specs}
		for id := range n.status {
			if !slices.ContainsFunc(n.specs, func(s model.ResourceSpec) bool { return s.ID == id }) {
				d.Dropped = append(d.Dropped, id)
			}
		}
		if _, err := n.a.Message(n.session, d, n.r.now); err != nil && !errors.Is(err, run.ErrCrashed) {
			n.r.t.Fatal(err)
		}
	}
}

// hear takes reports in and remembers milestones.
func (n *node) hear() {
	for _, m := range n.a.Outbox(n.r.now) {
		rep := m.(wire.Report)
		if rep.Full {
			clear(n.status)
		}
		if rep.Node != nil {
			n.report = *rep.Node
		}
		for _, id := range rep.Forgotten {
			delete(n.status, id)
		}
		for _, st := range rep.Resources {
			n.status[st.ID] = st
			for i := range n.specs {
				s := &n.specs[i]
				if s.ID != st.ID {
					continue
				}
				for j := range s.Volumes {
					if v := st.Volume(s.Volumes[j].Number); v != nil && v.MDReady && !s.Volumes[j].Initialised && s.Volumes[j].Pool != "" {
						s.Volumes = slices.Clone(s.Volumes)
						s.Volumes[j].Initialised = true
						s.Generation++
					}
				}
			}
		}
	}
}

// step lets the node do all that is due now, and tells whether it did anything.
func (n *node) step() (busy bool) {
	if n.a == nil {
		return false
	}
	if !n.m.Running() {
		n.a = nil
		return true
	}
	n.meet()
	if n.stream == nil && n.a.StreamDue(n.r.now) {
		s, err := n.m.Stream(ctx, EventsArgv())
		n.a.StreamStarted(n.r.now)
		if err != nil {
			n.a.StreamEnded(n.r.now)
		} else {
			n.stream = s.(*machine.Stream)
		}
	}
	if n.stream != nil && !n.deaf {
		lines, ended := n.stream.Lines()
		for _, l := range lines {
			busy = true
			if err := n.a.OnEvent(l, n.r.now); err != nil {
				n.r.t.Fatalf("%s: %v", n.name, err)
			}
		}
		if ended {
			n.stream = nil
			n.a.StreamEnded(n.r.now)
		}
	}
	for _, j := range n.a.Due(n.r.now) {
		busy = true
		n.trace = append(n.trace, fmt.Sprintf("%s: %s", n.r.now.Format("05.0"), j))
		res := n.a.RunJob(ctx, j)
		if res.Err != nil {
			n.trace = append(n.trace, fmt.Sprintf("     %v", res.Err))
		}
		if !n.m.Running() {
			n.a = nil
			return true
		}
		if j.Kind == n.holds {
			n.letGo = append(n.letGo, func() { n.a.Finish(j, res, n.r.now) })
			continue
		}
		n.a.Finish(j, res, n.r.now)
	}
	n.hear()
	return busy
}

// run lets time pass.
func (r *rig) run(d time.Duration) {
	r.t.Helper()
	for end := r.now.Add(d); r.now.Before(end); {
		for rounds := 0; ; rounds++ {
			busy := false
			for _, n := range r.nodes {
				busy = n.step() || busy
			}
			if !busy {
				break
			}
			if rounds > 500 {
				r.t.Fatalf("no rest:\n%s", r.traces())
			}
		}
		r.now = r.now.Add(250 * time.Millisecond)
		r.net.Tick(r.now)
	}
}

func (r *rig) traces() string {
	var b strings.Builder
	for _, n := range r.nodes {
		fmt.Fprintf(&b, "== %s\n", n.name)
		tr := n.trace
		if len(tr) > 60 {
			tr = tr[len(tr)-60:]
		}
		b.WriteString(strings.Join(tr, "\n") + "\n")
		for id, st := range n.status {
			fmt.Fprintf(&b, "   %s: %+v\n", id, st)
		}
	}
	return b.String()
}

// deploy tells every node of a resource, the first being its source.
func (r *rig) deploy(name string, gen model.DRBDGeneration, seed model.Seed, volumes int) {
	for i, n := range r.nodes {
		s := model.ResourceSpec{Definition: model.UUID("def-" + name), Name: name, ID: model.UUID(name + "-on-" + n.name), Generation: 1,
			DRBD: &model.DRBDSpec{Generation: gen, Secret: "secret", PeerSlots: 7, NodeID: i, Address: address(i).String(), Port: 7000,
				Options: map[string]map[string]string{"Net": {"protocol": "C"}}}}
		for k, p := range r.nodes {
			if k != i {
				s.DRBD.Peers = append(s.DRBD.Peers, model.PeerSpec{Node: p.name, ID: model.UUID(name + "-on-" + p.name), NodeID: k, Address: address(k).String(), Port: 7000})
			}
		}
		for v := range volumes {
			vs := model.VolumeSpec{ID: model.UUID(fmt.Sprintf("%s-%d-on-%s", name, v, n.name)), Number: v, Minor: 1000 + v, SizeKiB: 64 << 10,
				BackingKiB: model.BackingKiB(64<<10, gen, 7), Pool: "swpool", Backing: model.BackingName(name, v)}
			if i == 0 {
				vs.Seed = seed
			}
			s.Volumes = append(s.Volumes, vs)
		}
		n.specs = append(n.specs, s)
	}
}

// remove orders a node to remove its replica of that name.
func (n *node) remove(name string, change func(*model.ResourceSpec)) {
	for i := range n.specs {
		s := &n.specs[i]
		if s.Name != name {
			continue
		}
		s.Want = model.Gone
		s.Generation++
		s.Volumes = slices.Clone(s.Volumes)
		for j := range s.Volumes {
			s.Volumes[j].Want = model.Gone
		}
		if change != nil {
			change(s)
		}
	}
}

func whole(s *model.ResourceSpec) { s.WholeDefinition = true }

func (n *node) of(name string) model.ResourceStatus { return n.status[model.UUID(name+"-on-"+n.name)] }

// upToDate checks that the resource is up and good everywhere.
func (r *rig) upToDate(name string) {
	r.t.Helper()
	for _, n := range r.nodes {
		st := n.of(name)
		if st.Phase != model.Done || !st.UpToDate() {
			r.t.Fatalf("%s on %s isn't UpToDate: %+v\n%s", name, n.name, st, r.traces())
		}
	}
}

// nothingLeft checks that a node has nothing of ours.
func (n *node) nothingLeft() {
	n.r.t.Helper()
	files, err := n.m.ReadDir(cfg.ConfigDir)
	if len(files) > 0 {
		n.r.t.Errorf("%s: config files %v %v", n.name, files, err)
	}
	if recs, _ := n.m.ReadDir(cfg.recordDir()); len(recs) > 0 {
		n.r.t.Errorf("%s: records %v", n.name, recs)
	}
	if lvs := n.m.LVs("sw_ssd"); len(lvs) > 0 {
		n.r.t.Errorf("%s: LVs %v", n.name, lvs)
	}
	if k := n.m.KernelResources(); len(k) > 0 {
		n.r.t.Errorf("%s: kernel %v", n.name, k)
	}
	if n.r.t.Failed() {
		n.r.t.Log(n.r.traces())
	}
}

func cmd(argv ...string) run.Cmd { return run.Cmd{Argv: argv} }

// volume is what the node said of a volume; empty if nothing.
func (n *node) volume(name string, number int) model.VolumeStatus {
	st := n.of(name)
	if v := st.Volume(number); v != nil {
		return *v
	}
	return model.VolumeStatus{}
}
