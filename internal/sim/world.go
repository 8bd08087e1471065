package sim

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/sim/machine"
	"holdfast/internal/wire"
)

const clusterID = model.UUID("c0c0c0c0-0000-4000-8000-000000000001")

// world is one seed's.
type world struct {
	cfg  Config
	seed uint64
	rng  *rand.Rand
	ids  *rand.ChaCha8
	step int

	start, now time.Time
	ticked     time.Time

	net   *machine.Network
	nodes []*node
	main  *ctl // the users'
	rival *ctl // a second one, or nil
	conns []*conn
	pipe  *codec

	lastSession uint64 // of agents
	instances   int
	ctlSteps    int // what a controller did, or was said to or by it
	choices     []choice
	settling    bool
	idle        bool // nothing has moved for a while

	profile profile
	rare    *rand.Rand // of what happens seldom, so that the rest of a seed stays as it was
	luks    encryption
	fs      filesystems
	users   users
	oracle  oracle
	faults  faults

	failure *Failure
	reasons map[string]int
	hash    uint64
}

// profile is what the seed chose for all of its run.
type profile struct {
	gen       []string // DRBD module of each node
	files     []bool   // pool of a directory instead of a volume group
	pools     []model.ProviderKind
	zeroes    []bool // its thin pool zeroes what it gives out
	events    int
	faults    int  // percent of the events
	apart     bool // nodes often don't see each other while their volumes are used
	steps     int  // how many scheduler steps between two events, on average
	snapshots bool // users take some
	poolKiB   int64
}

func newWorld(seed uint64, cfg Config) *world {
	w := emptyWorld(seed, cfg)
	if cfg.scene != nil {
		cfg.scene.choose(w)
	} else {
		w.chooseProfile()
		w.luks.init(seed)
		w.fs.init(seed)
	}
	w.profile.poolKiB = poolKiB
	w.populate()
	return w
}

func emptyWorld(seed uint64, cfg Config) *world {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	w := &world{cfg: cfg, seed: seed, rng: rand.New(rand.NewPCG(seed, 0x484f4c44)), ids: rand.NewChaCha8(key),
		start: time.UnixMilli(1_750_000_000_000).UTC(), net: machine.NewNetwork(), reasons: map[string]int{}}
	w.now = w.start
	w.ticked = w.start
	w.pipe = newCodec()
	return w
}

// populate makes machines and a controller as the profile says.
func (w *world) populate() {
	for i, gen := range w.profile.gen {
		w.addNode(i, gen)
	}
	w.net.Tick(w.now)
	w.oracle.init()
	w.users.init()
	w.main = w.newCtl("c1")
}

var nodeNames = []string{"alpha", "bravo", "charlie"}

func (w *world) chooseProfile() {
	p := &w.profile
	n := 2 + w.rng.IntN(2)
	gen := []string{"8.4.11", "9.2.18"}[w.rng.IntN(2)]
	for range n {
		p.gen = append(p.gen, gen)
		p.files = append(p.files, w.chance(20))
	}
	p.choosePools(w.seed)
	if n == 3 && w.chance(10) {
		p.gen[w.rng.IntN(n)] = []string{"8.4.11", "9.2.18", ""}[w.rng.IntN(3)]
	}
	p.events = 20 + w.rng.IntN(71)
	if w.cfg.Events > 0 {
		p.events = w.cfg.Events
	}
	p.apart = w.chance(30)
	p.faults = []int{10, 25, 45}[w.rng.IntN(3)]
	if p.snapshots = w.chance(35); p.snapshots {
		p.takesSnapshots(w.seed)
	}
	p.steps = []int{3, 10, 30}[w.rng.IntN(3)]
	w.faults.choose(w)
	// Syncs that take their time: 16 MiB in 1 to 16 s.
	w.net.RateKiB = []int64{100 << 10, 16 << 10, 1 << 10}[w.rng.IntN(3)]
	w.net.SyncDelay = time.Duration(w.seed%2) * time.Second / 2
}

func (w *world) address(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 77, 0, byte(i + 1)}) }

// chance is true in percent of the cases.
func (w *world) chance(percent int) bool { return w.rng.IntN(100) < percent }

func pick[T any](w *world, of []T) T { return of[w.rng.IntN(len(of))] }

// logf adds a line to the trace.
func (w *world) logf(format string, args ...any) {
	if w.cfg.Trace == nil {
		return
	}
	line := fmt.Sprintf("%5d %8.3f  %s\n", w.step, w.now.Sub(w.start).Seconds(), fmt.Sprintf(format, args...))
	h := fnv.New64a()
	h.Write([]byte(line))
	w.hash = w.hash*1099511628211 ^ h.Sum64()
	w.cfg.Trace.Write([]byte(line))
}

// machineLogs puts what the machines did into the trace.
func (w *world) machineLogs() {
	if w.cfg.Trace == nil {
		return
	}
	for _, n := range w.nodes {
		for _, l := range n.m.LogSince(n.logged) {
			n.logged++
			w.logf("  %s: %s", n.name, l)
		}
	}
}

// broken notes a broken invariant; the first one counts.
func (w *world) broken(invariant, format string, args ...any) {
	if w.failure != nil {
		return
	}
	w.failure = &Failure{Seed: w.seed, Event: w.step, Invariant: invariant, Text: fmt.Sprintf(format, args...)}
	w.logf("BROKEN %s: %s", invariant, w.failure.Text)
}

// codec sends each message through its wire form.
type codec struct {
	buf  loopback
	conn *wire.Conn
}

func newCodec() *codec {
	c := &codec{}
	c.conn = wire.NewConn(&c.buf)
	c.conn.Trust()
	return c
}

func (c *codec) through(m wire.Message) (wire.Message, error) {
	if err := c.conn.Send(m); err != nil {
		return nil, err
	}
	return c.conn.Recv()
}
