package bench

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"holdfast/internal/model"
	"holdfast/internal/pki"
	"holdfast/internal/wire"
)

// standIn is a satellite that says it did what it was told.
type standIn struct{ name string }

// serve answers a controller until ctx ends.
func (s *standIn) serve(ctx context.Context, l net.Listener, conf *tls.Config) {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go s.session(ctx, tls.Server(c, conf))
	}
}

func (s *standIn) session(ctx context.Context, c *tls.Conn) {
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	conn := wire.NewConn(c)
	m, err := conn.Recv()
	if _, ok := m.(wire.Hello); err != nil || !ok {
		return
	}
	conn.Trust()
	if conn.Send(wire.Welcome{Version: "bench", Features: wire.Features, Uname: s.name, BootID: "1"}) != nil {
		return
	}
	first := true
	for {
		m, err := conn.Recv()
		if err != nil {
			return
		}
		var answer wire.Message
		switch m := m.(type) {
		case wire.Ping:
			answer = wire.Pong(m)
		case wire.Desired:
			answer = s.done(m, first)
			first = false
		default:
			continue
		}
		if conn.Send(answer) != nil {
			return
		}
	}
}

func (s *standIn) done(d wire.Desired, first bool) wire.Report {
	r := wire.Report{AckSeq: d.Seq, Full: first}
	if d.PoolsSet || first {
		n := model.NodeReport{Uname: s.name, BootID: "1", Version: "bench", Kernel: "6.1", DRBD: model.DRBD9, DRBDVersion: "9.2.18", UtilsVersion: "9.22.0",
			Providers: []model.ProviderKind{model.Diskless, model.LVM, model.FileThin}, Layers: []model.LayerKind{model.LayerDRBD, model.LayerStorage}}
		for _, p := range d.Pools {
			n.Pools = append(n.Pools, model.PoolStatus{UUID: p.UUID, Name: p.Name, FreeKiB: 1 << 33, TotalKiB: 1 << 34, SeenMS: 1})
		}
		r.Node = &n
	}
	for _, spec := range d.Resources {
		st := model.ResourceStatus{Definition: spec.Definition, Name: spec.Name, ID: spec.ID, Generation: spec.Generation, Phase: model.Done, MayPromote: true}
		if spec.Want == model.Gone {
			st.Gone = true
		} else {
			for _, v := range spec.Volumes {
				st.Volumes = append(st.Volumes, model.VolumeStatus{ID: v.ID, Number: v.Number, Device: fmt.Sprintf("/dev/drbd%d", v.Minor), Backing: "/dev/sw_ssd/" + v.Backing,
					Disk: model.DiskUpToDate, AllocKiB: v.BackingKiB, UsableKiB: v.SizeKiB, MDReady: true, HasQuorum: true})
			}
			if spec.DRBD != nil {
				for _, p := range spec.DRBD.Peers {
					st.Peers = append(st.Peers, model.PeerStatus{Node: p.Node, NodeID: p.NodeID, State: model.Connected, Role: "Secondary",
						Volumes: []model.PeerVolumeStatus{{Replication: "Established", PeerDisk: model.DiskUpToDate}}})
				}
				st.Forgotten = spec.DRBD.Forget
			}
		}
		r.Resources = append(r.Resources, st)
	}
	return r
}

// StandIns listens for every node of the cluster.
func StandIns(ctx context.Context, size Size, id *pki.Identity) error {
	conf := pki.ServeConfig(id)
	for i := range size.Nodes {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", size.port(i)))
		if err != nil {
			return err
		}
		go (&standIn{name: nodeName(i)}).serve(ctx, l, conf)
	}
	return nil
}
