package bench

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/obs"
	"holdfast/internal/pki"
	"holdfast/internal/satellite"
	"holdfast/internal/sim/machine"
	"holdfast/internal/wire"
)

// Satellite runs a satellite with n resources on a model machine until all are done, and prints its resident MiB. The
// model machine and the stand-in controller are in the same process, so the figure is an upper bound.
func Satellite(ctx context.Context, n int, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dir, err := os.MkdirTemp("", "holdfast-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	m := machine.NewNetwork().Add("alpha", machine.Options{Address: netip.MustParseAddr("10.77.0.1"), Module: "9.2.18", VGs: map[string]int64{"sw_ssd": 64 << 20}})
	id, _, err := pki.OpenSatellite(dir, time.Now(), rand.Reader)
	if err != nil {
		return err
	}
	if err := m.MkdirAll("/proc/sys/kernel/random", 0o755); err != nil {
		return err
	}
	if err := m.WriteFile("/proc/sys/kernel/random/boot_id", []byte("bench\n"), 0o444); err != nil {
		return err
	}
	srv, err := satellite.NewServer(m, satellite.Config{Node: "alpha", StateDir: dir, ConfigDir: "/var/lib/holdfast.d", Version: "bench"}, id, obs.Discard())
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { _ = srv.Serve(ctx, l) }()
	if err := drive(ctx, l.Addr().String(), n); err != nil {
		return err
	}
	debug.FreeOSMemory()
	rss, err := RSS(os.Getpid())
	fmt.Fprintf(out, "%.1f\n", rss)
	return err
}

// drive is a controller that wants n resources and waits until they are there.
func drive(ctx context.Context, addr string, n int) error {
	cluster, err := pki.NewCluster(time.Now(), rand.Reader)
	if err != nil {
		return err
	}
	c, err := tls.Dial("tcp", addr, pki.DialConfig(cluster, pki.Pin{}))
	if err != nil {
		return err
	}
	conn := wire.NewConn(c)
	defer conn.Close()
	order := model.Order{Epoch: 1, Instance: "bench"}
	if err := conn.Send(wire.Hello{Order: order, ClusterID: model.UUID(cluster.ID), ClusterCA: cluster.CA(), Version: "bench", Features: wire.Features, NodeName: "alpha", Claim: true}); err != nil {
		return err
	}
	conn.Trust()
	want := wire.Desired{Order: order, Seq: 1, Full: true, PoolsSet: true, Pools: []model.PoolSpec{{UUID: "p", Name: "swpool", Kind: model.LVM, Backing: "sw_ssd"}}}
	for i := range n {
		want.Resources = append(want.Resources, model.ResourceSpec{Definition: model.UUID(fmt.Sprintf("d%d", i)), Name: defName(i), ID: model.UUID(fmt.Sprintf("r%d", i)), Generation: 1,
			DRBD: &model.DRBDSpec{Generation: model.DRBD9, Secret: "bench", PeerSlots: 7, Address: "10.77.0.1", Port: 7000 + i},
			Volumes: []model.VolumeSpec{{ID: model.UUID(fmt.Sprintf("v%d", i)), Minor: 1000 + i, SizeKiB: 16384, BackingKiB: 20480, Pool: "swpool",
				Backing: model.BackingName(defName(i), 0), Seed: model.SeedSync}}})
	}
	if err := conn.Send(want); err != nil {
		return err
	}
	done := map[model.UUID]bool{}
	told := false
	ready := 0
	deadline := time.Now().Add(2 * time.Minute)
	for len(done) < n && ctx.Err() == nil {
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d resources were done after 2 minutes", len(done), n)
		}
		m, err := conn.Recv()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case wire.Refused:
			return fmt.Errorf("refused: %s", m.Text)
		case wire.Report:
			for _, st := range m.Resources {
				switch {
				case told && st.Generation == 2 && st.Phase == model.Done:
					done[st.ID] = true
				case !told && len(st.Volumes) > 0 && st.Volumes[0].MDReady:
					done[st.ID] = true
				}
			}
			if ready = len(done); !told && ready == n {
				told, done = true, map[model.UUID]bool{}
				want.Seq, want.Full = 2, false
				for i := range want.Resources {
					want.Resources[i].Generation = 2
					want.Resources[i].Volumes[0].Initialised = true
				}
				if err := conn.Send(want); err != nil {
					return err
				}
			}
		}
		if err := conn.Send(wire.Ping{Nonce: 1}); err != nil {
			return err
		}
	}
	return ctx.Err()
}
