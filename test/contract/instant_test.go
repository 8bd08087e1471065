package contract

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/plan/nodestate"
	"holdfast/internal/rest"
	"holdfast/internal/state"
)

// start serves the REST API over the real core. Its nodes are the simplest there can be: each has at once what is desired
// of it, and says so.
func start(t *testing.T) (url string) {
	t.Helper()
	s, problems := state.Build(state.Loaded{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	b := &instant{tx: state.Begin(s), rand: rand.NewChaCha8([32]byte{7})}
	if _, err := b.Do(t.Context(), core.Init{}, false); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	h := rest.New(b, rest.Info{Version: "0.1.0", GitHash: "test", BuildTime: time.Unix(1770000000, 0).UTC()}, rest.Limits{}, log)
	go func() { done <- rest.Serve(ctx, ln, h, rest.Limits{}, log) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "linstor://" + ln.Addr().String()
}

type instant struct {
	mu   sync.Mutex
	tx   *state.Tx
	rand io.Reader
	snap *state.Snapshot
	rev  uint64
}

func (b *instant) Now() time.Time { return time.Unix(1780000000, 0).UTC() }

func (b *instant) Reconnect(string) error { return nil }

func (b *instant) Snapshot() *state.Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.snap
}

func (b *instant) Do(_ context.Context, cmd core.Command, _ bool) (core.Reply, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.tx.Fork()
	r, err := cmd.Apply(f, core.Env{Now: b.Now(), Rand: b.rand})
	if err != nil {
		return r, err
	}
	if err := plan.After(f); err != nil {
		return r, err
	}
	b.tx.Join(f)
	for len(b.tx.Dirty()) > 0 {
		if err := b.report(); err != nil {
			return r, err
		}
	}
	b.rev++
	b.snap = b.tx.Publish(b.rev)
	return r, nil
}

// report has every node say that it has what is desired of it.
func (b *instant) report() error {
	s := b.tx.Snapshot()
	var nodes []*state.Node
	s.Nodes(func(n *state.Node) bool {
		nodes = append(nodes, n)
		return true
	})
	for _, n := range nodes {
		if !n.Type.HasSatellite() {
			continue
		}
		o := &model.NodeObserved{Status: model.StatusOnline, NodeReport: model.NodeReport{Uname: n.Name, DRBD: model.DRBD9, DRBDVersion: "9.2.13",
			Providers: []model.ProviderKind{model.Diskless, model.LVM, model.FileThin}, Layers: []model.LayerKind{model.LayerDRBD, model.LayerStorage}}}
		for _, p := range nodestate.Pools(s, n.Name) {
			o.Pools = append(o.Pools, model.PoolStatus{UUID: p.UUID, Name: p.Name, FreeKiB: 8 << 20, TotalKiB: 10 << 20})
		}
		b.tx.SeeNode(n.Name, o)
	}
	for _, n := range nodes {
		var defs []*state.Definition
		b.tx.Snapshot().OnNode(n.Name, func(d *state.Definition) bool {
			defs = append(defs, d)
			return true
		})
		for _, d := range defs {
			for _, spec := range nodestate.Resources(b.tx.Snapshot(), d, n.Name) {
				st := made(b.tx.Snapshot().DefinitionByID(d.UUID), &spec)
				if old := d.Seen[spec.ID]; old == nil || fmt.Sprint(*old) != fmt.Sprint(*st) {
					b.tx.SeeResource(d.UUID, spec.ID, st)
				}
			}
		}
	}
	return plan.After(b.tx)
}

// made is a replica that is as its specification says.
func made(d *state.Definition, spec *model.ResourceSpec) *model.ResourceStatus {
	st := &model.ResourceStatus{Definition: spec.Definition, Name: spec.Name, ID: spec.ID, Generation: spec.Generation, Phase: model.Done, Gone: spec.Want == model.Gone}
	if st.Gone {
		return st
	}
	if spec.DRBD != nil {
		st.Forgotten = spec.DRBD.Forget
		for _, p := range spec.DRBD.Peers {
			ps := model.PeerStatus{Node: p.Node, NodeID: p.NodeID, State: model.Connected, Role: "Secondary"}
			for _, v := range spec.Volumes {
				ps.Volumes = append(ps.Volumes, model.PeerVolumeStatus{Number: v.Number, Replication: "Established", PeerDisk: model.DiskUpToDate})
			}
			st.Peers = append(st.Peers, ps)
		}
	}
	for _, v := range spec.Volumes {
		if v.Want == model.Gone {
			continue
		}
		vs := model.VolumeStatus{ID: v.ID, Number: v.Number, Device: fmt.Sprintf("/dev/drbd%d", v.Minor), Backing: "/dev/" + v.Pool + "/" + v.Backing,
			AllocKiB: v.BackingKiB, UsableKiB: v.SizeKiB, MDReady: true, HasQuorum: true, Disk: model.DiskInconsistent}
		vd := d.Volume(v.Number)
		switch {
		case spec.Diskless:
			vs.Disk, vs.Backing, vs.AllocKiB = model.DiskDiskless, "", 0
		case spec.DRBD == nil:
			vs.Disk, vs.Device = model.DiskCreated, vs.Backing
		case v.Initialised && (v.Seed != model.NoSeed || vd != nil && vd.Initialised):
			vs.Disk = model.DiskUpToDate
		}
		st.Volumes = append(st.Volumes, vs)
	}
	return st
}
