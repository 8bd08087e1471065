package satellite

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/obs"
	"holdfast/internal/pki"
	"holdfast/internal/sim/machine"
	"holdfast/internal/wire"
)

// served is a satellite behind a real listener, on a model machine.
type served struct {
	t    *testing.T
	addr string
	dir  string
	m    *machine.Machine
}

func serve(t *testing.T) *served {
	s := &served{t: t, dir: t.TempDir()}
	net0 := machine.NewNetwork()
	s.m = net0.Add("alpha", machine.Options{Address: address(0), Module: "8.4.11", VGs: map[string]int64{"sw_ssd": 2 << 20}})
	n := &node{r: &rig{t: t, now: time.Now()}, name: "alpha", m: s.m}
	n.start() // for its boot id
	id, created, err := pki.OpenSatellite(s.dir, time.Now(), rand.Reader)
	if err != nil || !created {
		t.Fatal(created, err)
	}
	srv, err := NewServer(s.m, Config{Node: "alpha", StateDir: s.dir, ConfigDir: cfg.ConfigDir, Version: "test"}, id, obs.Discard())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		s.m.EndStreams()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

func newCluster(t *testing.T) *pki.Cluster {
	c, err := pki.NewCluster(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// dial shakes hands and says hello.
func (s *served) dial(c *pki.Cluster, h wire.Hello) (*wire.Conn, wire.Message) {
	s.t.Helper()
	raw, err := tls.Dial("tcp", s.addr, pki.DialConfig(c, pki.Pin{}))
	if err != nil {
		s.t.Fatal(err)
	}
	conn := wire.NewConn(raw)
	s.t.Cleanup(func() { conn.Close() })
	h.ClusterID, h.ClusterCA, h.Features, h.NodeName = model.UUID(c.ID), c.CA(), wire.Features, "alpha"
	if err := conn.Send(h); err != nil {
		s.t.Fatal(err)
	}
	m, err := conn.Recv()
	if err != nil {
		s.t.Fatal(err)
	}
	return conn, m
}

func first(c *wire.Conn, t *testing.T, want func(wire.Report) bool) wire.Report {
	t.Helper()
	for {
		m, err := c.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if r, ok := m.(wire.Report); ok && want(r) {
			return r
		}
	}
}

func TestServer(t *testing.T) {
	s := serve(t)
	us, them := newCluster(t), newCluster(t)
	order := model.Order{Epoch: 1, Instance: "i1"}
	if _, m := s.dial(us, wire.Hello{Order: order}); m.(wire.Refused).Why != wire.RefusedClaim {
		t.Errorf("not claimed yet: %+v", m)
	}
	conn, m := s.dial(us, wire.Hello{Order: order, Claim: true})
	if w, ok := m.(wire.Welcome); !ok || w.Uname != "alpha" || w.BootID == "" {
		t.Fatalf("%+v", m)
	}
	rep := first(conn, t, func(r wire.Report) bool { return r.Full })
	if rep.Node == nil || rep.Node.DRBD != model.DRBD8 {
		t.Errorf("%+v", rep.Node)
	}
	// Another cluster, claiming or not, and a copy of our controller: refused, and our session goes on.
	for _, claim := range []bool{true, false} {
		if _, m := s.dial(them, wire.Hello{Order: order, Claim: claim}); m.(wire.Refused).Why != wire.RefusedCluster || !strings.Contains(m.(wire.Refused).Text, us.ID) {
			t.Errorf("another cluster: %+v", m)
		}
	}
	if _, m := s.dial(us, wire.Hello{Order: model.Order{Epoch: 1, Instance: "copy"}}); m.(wire.Refused).Why != wire.RefusedInstance {
		t.Errorf("a copy: %+v", m)
	}
	spec := model.ResourceSpec{Definition: "d", Name: "scratch", ID: "r", Generation: 1, Volumes: []model.VolumeSpec{
		{ID: "v", SizeKiB: 65536, BackingKiB: 65536, Pool: "swpool", Backing: "scratch_00000"}}}
	if err := conn.Send(wire.Desired{Order: order, Seq: 1, Full: true, PoolsSet: true, Resources: []model.ResourceSpec{spec},
		Pools: []model.PoolSpec{{UUID: "p", Name: "swpool", Kind: model.LVM, Backing: "sw_ssd"}}}); err != nil {
		t.Fatal(err)
	}
	rep = first(conn, t, func(r wire.Report) bool { return len(r.Resources) > 0 && r.Resources[0].Phase == model.Done })
	if v := rep.Resources[0].Volume(0); rep.AckSeq != 1 || v == nil || v.Disk != model.DiskCreated || v.Device != "/dev/sw_ssd/scratch_00000" {
		t.Errorf("%+v", rep)
	}
	if err := conn.Send(wire.Ping{Nonce: 7}); err != nil {
		t.Fatal(err)
	}
	for {
		m, err := conn.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if p, ok := m.(wire.Pong); ok {
			if p.Nonce != 7 {
				t.Error(p)
			}
			break
		}
	}
	// What isn't a frame ends that session, and no more.
	if _, err := conn.Net().Write([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := conn.Recv(); err != nil {
			break
		}
	}
	conn, m = s.dial(us, wire.Hello{Order: order})
	if _, ok := m.(wire.Welcome); !ok {
		t.Fatalf("%+v", m)
	}
	// A copy of the controller, started beside it, is refused though its epoch is higher; one that starts anew takes over.
	anew := wire.Hello{Order: model.Order{Epoch: 2, Instance: "i2"}}
	if _, m := s.dial(us, anew); m.(wire.Refused).Why != wire.RefusedInstance {
		t.Fatalf("%+v", m)
	}
	conn.Close()
	var next *wire.Conn
	for { // until the satellite has noticed
		next, m = s.dial(us, anew)
		if w, ok := m.(wire.Welcome); ok {
			if w.HighestEpoch != 2 {
				t.Fatalf("%+v", w)
			}
			break
		}
	}
	rep = first(next, t, func(r wire.Report) bool { return r.Full })
	if len(rep.Resources) != 1 || rep.Resources[0].Phase != model.Done {
		t.Errorf("%+v", rep)
	}
	// Released on the node, it is nobody's.
	if _, err := pki.UpdateClaim(s.dir, func(c pki.Claim) (pki.Claim, error) { return pki.Claim{}, nil }); err != nil {
		t.Fatal(err)
	}
	if _, m := s.dial(us, wire.Hello{Order: model.Order{Epoch: 3, Instance: "i3"}, Claim: true}); m.(wire.Refused).Why != wire.RefusedClaim {
		t.Errorf("%+v", m)
	}
}
