package controller

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast/internal/config"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/pki"
	"holdfast/internal/store"
	"holdfast/internal/store/memory"
	"holdfast/internal/store/sqlite"
	"holdfast/internal/wire"
)

// server is a satellite behind real TLS that says of everything that it holds.
type server struct {
	id    *pki.Identity
	ln    net.Listener
	port  int
	name  string
	wg    sync.WaitGroup
	first func(*wire.Conn) bool // instead of Welcome; false: end the session
	ctx   context.Context
}

func newServer(t testing.TB, name string) *server {
	t.Helper()
	id, err := pki.NewIdentity(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", pki.ServeConfig(id))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cut := context.WithCancel(context.Background())
	s := &server{ctx: ctx, id: id, ln: ln, port: ln.Addr().(*net.TCPAddr).Port, name: name}
	s.wg.Go(func() {
		for {
			raw, err := ln.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() {
				defer context.AfterFunc(s.ctx, func() { raw.Close() })()
				s.serve(wire.NewConn(raw))
			})
		}
	})
	t.Cleanup(func() { cut(); ln.Close(); s.wg.Wait() })
	return s
}

func (s *server) serve(c *wire.Conn) {
	defer c.Close()
	m, err := c.Recv()
	if err != nil {
		return
	}
	if _, ok := m.(wire.Hello); !ok {
		return
	}
	c.Trust()
	if s.first != nil && !s.first(c) {
		return
	}
	if c.Send(wire.Welcome{Version: "test", Features: wire.Features, Uname: s.name}) != nil {
		return
	}
	state := &sat{name: s.name, specs: map[model.UUID]model.ResourceSpec{}}
	for {
		m, err := c.Recv()
		if err != nil {
			return
		}
		if p, ok := m.(wire.Ping); ok {
			err = c.Send(wire.Pong(p))
		}
		if d, ok := m.(wire.Desired); ok {
			err = c.Send(state.hold(d))
		}
		if err != nil {
			return
		}
	}
}

// hold keeps an order and makes the report on it.
func (s *sat) hold(d wire.Desired) wire.Report {
	r := wire.Report{AckSeq: d.Seq, Full: d.Full, Forgotten: d.Dropped}
	var ids []model.UUID
	for _, spec := range d.Resources {
		s.specs[spec.ID] = spec
		ids = append(ids, spec.ID)
	}
	for _, id := range d.Dropped {
		delete(s.specs, id)
	}
	r.Resources = s.statuses(ids)
	if d.PoolsSet {
		n := model.NodeReport{Uname: s.name, DRBD: model.DRBD9, DRBDVersion: "9.2.18", Providers: []model.ProviderKind{model.LVM, model.Diskless},
			Layers: []model.LayerKind{model.LayerDRBD, model.LayerStorage}}
		for _, p := range d.Pools {
			n.Pools = append(n.Pools, model.PoolStatus{UUID: p.UUID, Name: p.Name, FreeKiB: 1 << 40, TotalKiB: 1 << 40, SeenMS: 1})
		}
		r.Node = &n
	}
	return r
}

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// startController runs one on the store until the test ends, or stop is called.
func startController(t testing.TB, be store.Backend, cluster *pki.Cluster) (c *Controller, log *buffer, stop func()) {
	t.Helper()
	log = &buffer{}
	c, err := Open(t.Context(), Deps{Store: be, Cluster: cluster, Log: slog.New(slog.NewTextHandler(log, nil)), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	<-c.Ready()
	return c, log, stop
}

func newCluster(t testing.TB) *pki.Cluster {
	t.Helper()
	c, err := pki.NewCluster(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func do(t testing.TB, c *Controller, cmd core.Command) core.Reply {
	t.Helper()
	r, err := c.Do(t.Context(), cmd, false)
	if err != nil {
		t.Fatalf("%T: %v", cmd, err)
	}
	return r
}

// until polls the snapshot; each look is cheap.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	end := time.After(10 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("never: %s", what)
		}
	}
}

func (s *server) create(fingerprint string) core.NodeCreate {
	return core.NodeCreate{Name: s.name, Fingerprint: fingerprint, Interfaces: []model.NetInterface{{Name: "default", Address: "127.0.0.1", Port: s.port}}}
}

func pool(node string) core.PoolCreate {
	return core.PoolCreate{Node: node, Name: "swpool", Kind: "lvm", Props: map[string]string{model.PropPoolName: "sw_ssd"}}
}

func status(c *Controller, node string) model.NodeObserved { return *c.Snapshot().Node(node).Seen }

func TestOverTLS(t *testing.T) {
	cluster, be := newCluster(t), memory.New("")
	c, _, stop := startController(t, be, cluster)
	a, b := newServer(t, "alpha"), newServer(t, "bravo")
	do(t, c, a.create(""))
	do(t, c, b.create(b.id.Fingerprint().String()))
	for _, n := range []string{"alpha", "bravo"} {
		do(t, c, pool(n))
		until(t, n+" online with its pool", func() bool { return status(c, n).Status == model.StatusOnline && len(status(c, n).Pools) == 1 })
	}
	if got := c.Snapshot().Node("alpha").Fingerprint; got != a.id.Fingerprint().String() {
		t.Fatalf("learnt %q", got)
	}
	do(t, c, core.DefinitionCreate{Name: "backups"})
	do(t, c, core.VolumeCreate{Definition: "backups", SizeKiB: 65536})
	rep := do(t, c, core.Autoplace{Definition: "backups", Filter: model.SelectFilter{PlaceCount: 2}})
	if !has(rep.Notes, fault.Success, fault.Done, "'bravo'") || !c.Snapshot().Definition("backups").Volumes[0].Initialised {
		t.Fatal(texts(rep.Notes))
	}
	stop()
	if _, err := c.Do(t.Context(), core.DefinitionCreate{Name: "late"}, false); !fault.Is(err, fault.OutcomeUnknown) {
		t.Fatal(err)
	}
	// Another process on the same store: the satellites come back, nothing is lost.
	c, _, _ = startController(t, be, cluster)
	until(t, "both online again", func() bool {
		d := c.Snapshot().Definition("backups")
		return len(d.Seen) == 2 && status(c, "alpha").Status == model.StatusOnline && status(c, "bravo").Status == model.StatusOnline
	})
	if rep := do(t, c, core.DefinitionDelete{Name: "backups"}); !has(rep.Notes, fault.Success, fault.Done, "Deleted 'backups' on 'alpha'") {
		t.Fatal(texts(rep.Notes))
	}
}

func TestWrongFingerprint(t *testing.T) {
	c, _, _ := startController(t, memory.New(""), newCluster(t))
	a, other := newServer(t, "alpha"), newServer(t, "other")
	do(t, c, a.create(other.id.Fingerprint().String()))
	until(t, "refused", func() bool { return status(c, "alpha").Status == model.StatusAuthError })
	if r := status(c, "alpha").Reason; !strings.Contains(r, "fingerprint") {
		t.Fatal(r)
	}
}

func TestRefusedOverTLS(t *testing.T) {
	c, _, _ := startController(t, memory.New(""), newCluster(t))
	a := newServer(t, "alpha")
	a.first = func(w *wire.Conn) bool {
		_ = w.Send(wire.Refused{Why: wire.RefusedCluster, Text: "cluster c-9 owns it"})
		return false
	}
	do(t, c, a.create(""))
	until(t, "refused", func() bool { return status(c, "alpha").Status == model.StatusOtherController })
	if r := status(c, "alpha").Reason; r != "cluster c-9 owns it" {
		t.Fatal(r)
	}
}

// A satellite that sends what is no frame loses its session; the other one and the commands go on.
func TestGarbage(t *testing.T) {
	c, log, _ := startController(t, memory.New(""), newCluster(t))
	a, b := newServer(t, "alpha"), newServer(t, "bravo")
	a.first = func(w *wire.Conn) bool {
		_ = w.Send(wire.Welcome{Version: "test", Features: wire.Features})
		_, _ = w.Net().Write(bytes.Repeat([]byte{0xff}, 100))
		return false
	}
	do(t, c, a.create(""))
	do(t, c, b.create(""))
	until(t, "alpha is out", func() bool { return strings.Contains(log.String(), "the connection ended") })
	until(t, "bravo is in", func() bool { return status(c, "bravo").Status == model.StatusOnline })
	do(t, c, core.DefinitionCreate{Name: "still"})
}

func TestClientGoes(t *testing.T) {
	be := memory.New("")
	c, _, _ := startController(t, be, newCluster(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Do(ctx, core.DefinitionCreate{Name: "xx"}, false); err != nil && !fault.Is(err, fault.OutcomeUnknown) {
		t.Fatal(err)
	}
	do(t, c, core.DefinitionCreate{Name: "after"})
}

func TestReloadInShell(t *testing.T) {
	be := memory.New("")
	c, _, _ := startController(t, be, newCluster(t))
	be.UnknownNext(true)
	if _, err := c.Do(t.Context(), core.DefinitionCreate{Name: "maybe"}, false); !fault.Is(err, fault.OutcomeUnknown) {
		t.Fatal(err)
	}
	be.FailNextLoad(nil)
	do(t, c, core.DefinitionCreate{Name: "after"})
	if c.Snapshot().Definition("maybe") == nil {
		t.Fatal("the reload didn't show what was stored")
	}
}

// Run as the program does it, on SQLite.
func TestRun(t *testing.T) {
	cfg := config.DefaultController()
	cfg.StateDir = t.TempDir()
	cfg.Store.Path = filepath.Join(cfg.StateDir, "controller.db")
	cfg.REST.Listen = "127.0.0.1:0"
	for i := range 2 {
		ctx, stop := context.WithCancel(t.Context())
		name := "run-" + strconv.Itoa(i)
		err := Run(ctx, cfg, "test", slog.New(slog.DiscardHandler), func(ctx context.Context, ln net.Listener, c *Controller, _ config.Controller, _ *slog.Logger) error {
			defer stop()
			if i == 1 && c.Snapshot().Definition("run-0") == nil {
				return fmt.Errorf("lost")
			}
			_, err := c.Do(ctx, core.DefinitionCreate{Name: name}, false)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// benchNodes have ports for 10,000 resources of three replicas.
const benchNodes = 30

// BenchmarkCreate is one command, answered when it is durable, while the satellites answer their orders.
func BenchmarkCreate(b *testing.B) {
	for _, clients := range []int{1, 32} {
		for _, what := range []string{"definition", "spawned-3-replicas"} {
			b.Run(fmt.Sprintf("%s/clients=%d", what, clients), func(b *testing.B) { benchCreate(b, clients, what == "definition") })
		}
	}
}

func benchCreate(b *testing.B, clients int, bare bool) {
	be, err := sqlite.Open(b.Context(), sqlite.Options{Path: filepath.Join(b.TempDir(), "c.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer be.Close() //nolint:errcheck // a benchmark's
	c, _, stop := startController(b, be, newCluster(b))
	defer stop()
	for i := range benchNodes {
		n := fmt.Sprintf("node-%02d", i)
		do(b, c, newServer(b, n).create(""))
		do(b, c, pool(n))
		until(b, n+" online", func() bool { return status(c, n).Status == model.StatusOnline && len(status(c, n).Pools) == 1 })
	}
	do(b, c, core.GroupCreate{Name: "grp", Filter: model.SelectFilter{PlaceCount: 3}})
	do(b, c, core.VolumeGroupPut{Group: "grp", Create: true})
	b.ResetTimer()
	work := make(chan int)
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for i := range work {
				var cmd core.Command = core.DefinitionCreate{Name: fmt.Sprintf("rr%d", i)}
				if !bare {
					cmd = core.Spawn{Group: "grp", Name: fmt.Sprintf("rr%d", i), SizesKiB: []int64{65536}}
				}
				if _, err := c.Do(b.Context(), cmd, true); err != nil {
					b.Error(err)
					for range work { // the first says it all
					}
				}
			}
		})
	}
	for i := range b.N {
		work <- i
	}
	close(work)
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
}
