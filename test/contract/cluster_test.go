package contract

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast/internal/controller"
	"holdfast/internal/pki"
	"holdfast/internal/rest"
	"holdfast/internal/satellite"
	"holdfast/internal/sim/machine"
	"holdfast/internal/store/memory"
	"holdfast/internal/tool/run"
)

// cluster is a real controller with its REST API, and real satellites on model machines with DRBD 9, all in this process:
// TLS between them, HTTP in front, a store in memory.
type cluster struct {
	url   string
	nodes []string // name=address:port

	ctx  context.Context
	wg   sync.WaitGroup
	log  *slog.Logger
	sats map[string]*sat
}

// sat is a satellite that can be stopped and started again on its machine.
type sat struct {
	m    *machine.Machine
	dir  string
	addr string
	stop func() // waits for its end
}

// loopback addresses of the satellites; DRBD's endpoints are model ones and bind nothing.
func address(i int) netip.Addr { return netip.AddrFrom4([4]byte{127, 77, 0, byte(i + 1)}) }

func start(t *testing.T, names ...string) *cluster {
	t.Helper()
	c := &cluster{sats: map[string]*sat{}}
	var out logs
	c.log = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))
	ctx, stop := context.WithCancel(context.Background())
	c.ctx = ctx
	t.Cleanup(func() {
		stop()
		c.wg.Wait()
		if t.Failed() {
			t.Logf("log of controller and satellites:\n%s", out.tail(16<<10))
		}
	})

	network := machine.NewNetwork()
	network.RateKiB = 256 << 10 // a second
	for i, name := range names {
		m := network.Add(name, machine.Options{Address: address(i), Module: "9.2.18", VGs: map[string]int64{"sw_ssd": 4 << 20}, Zpools: map[string]int64{"tank/volumes": 4 << 20}})
		check(t, m.MkdirAll("/srv/files", 0o755))
		check(t, m.MkdirAll("/proc/sys/kernel/random", 0o755))
		check(t, m.WriteFile("/proc/sys/kernel/random/boot_id", []byte("boot-1\n"), 0o644))
		c.sats[name] = &sat{m: m, dir: t.TempDir(), addr: netip.AddrPortFrom(address(i), 0).String()}
		c.startSatellite(t, name)
		c.nodes = append(c.nodes, name+"="+c.sats[name].addr)
	}
	c.wg.Go(func() { // model time follows the clock
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case now := <-tick.C:
				network.Tick(now)
			case <-ctx.Done():
				return
			}
		}
	})

	keys, _, err := pki.OpenCluster(t.TempDir(), time.Now(), rand.Reader)
	check(t, err)
	ctl, err := controller.Open(ctx, controller.Deps{Store: memory.New(string(keys.ID)), Cluster: keys, Log: c.log, Version: "test"})
	check(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	c.wg.Go(func() {
		if err := ctl.Run(ctx); err != nil {
			c.log.Error("controller ended", "err", err)
		}
	})
	c.wg.Go(func() {
		h := rest.New(ctl, rest.Info{Version: "test", GitHash: "none", BuildTime: time.Unix(1770000000, 0).UTC()}, rest.Limits{}, c.log)
		select {
		case <-ctl.Ready():
		case <-ctx.Done():
		}
		if err := rest.Serve(ctx, ln, h, rest.Limits{}, c.log); err != nil {
			c.log.Error("REST API ended", "err", err)
		}
	})
	c.url = "linstor://" + ln.Addr().String()
	return c
}

// startSatellite starts it, or starts it again at the same address.
func (c *cluster) startSatellite(t *testing.T, name string) {
	t.Helper()
	x := c.sats[name]
	id, _, err := pki.OpenSatellite(x.dir, time.Now(), rand.Reader)
	check(t, err)
	s, err := satellite.NewServer(versions{x.m}, satellite.Config{Node: name, StateDir: x.dir, ConfigDir: "/var/lib/holdfast.d", Program: "holdfast", Version: "test"}, id, c.log.With("on", name))
	check(t, err)
	ln, err := net.Listen("tcp", x.addr)
	check(t, err)
	x.addr = ln.Addr().String()
	ctx, stop := context.WithCancel(c.ctx)
	done := make(chan struct{})
	x.stop = func() { stop(); <-done }
	c.wg.Go(func() {
		defer close(done)
		if err := s.Serve(ctx, ln); err != nil {
			c.log.Error("satellite ended", "on", name, "err", err)
		}
	})
}

// versions answers where a program is only asked whether it is there and the model machine doesn't know the question.
type versions struct{ run.Host }

func (h versions) Run(ctx context.Context, c run.Cmd) (run.Result, error) {
	switch strings.Join(c.Argv, " ") {
	case "lvm version", "losetup --version":
		return run.Result{}, nil
	}
	return h.Host.Run(ctx, c)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// logs keeps what is logged, for a test that fails.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) tail(n int) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buf.Bytes()
	return bytes.Clone(b[max(0, len(b)-n):])
}
