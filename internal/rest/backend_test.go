package rest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/state"
)

// cluster is a Backend without store and sessions: commands run on a Tx, and the test says what nodes report.
type cluster struct {
	mu          sync.Mutex
	tx          *state.Tx
	env         core.Env
	rev         uint64
	snap        *state.Snapshot
	reconnected []string
	async       []bool
	after       []fault.Note // put behind the next answer's notes, as a node's failure would be
	err         error        // answered instead of running the next command
}

func newCluster(t testing.TB) *cluster {
	s, problems := state.Build(state.Loaded{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	b := &cluster{tx: state.Begin(s), env: core.Env{Now: time.UnixMilli(1780000000000).UTC(), Rand: rand.NewChaCha8([32]byte{1})}}
	if _, err := b.Do(context.Background(), core.Init{}, false); err != nil {
		t.Fatal(err)
	}
	b.async = nil
	return b
}

func (b *cluster) Do(_ context.Context, cmd core.Command, async bool) (core.Reply, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.async = append(b.async, async)
	if err := b.err; err != nil {
		b.err = nil
		return core.Reply{}, err
	}
	f := b.tx.Fork()
	r, err := cmd.Apply(f, b.env)
	if err != nil {
		return core.Reply{}, err
	}
	if err := plan.After(f, b.env.Rules()); err != nil {
		return core.Reply{}, err
	}
	b.tx.Join(f)
	b.publish()
	r.Notes = append(r.Notes, b.after...)
	b.after = nil
	return r, nil
}

func (b *cluster) publish() {
	b.rev++
	b.snap = b.tx.Publish(b.rev)
}

func (b *cluster) Snapshot() *state.Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.snap
}

func (b *cluster) Reconnect(node string) error {
	b.reconnected = append(b.reconnected, node)
	return nil
}

func (b *cluster) Now() time.Time { return b.env.Now }

// see changes what is seen, and runs the rules.
func (b *cluster) see(t testing.TB, fn func(*state.Tx)) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	fn(b.tx)
	if err := plan.After(b.tx, b.env.Rules()); err != nil {
		t.Fatal(err)
	}
	b.publish()
}

// web is a server over a cluster.
type web struct {
	t testing.TB
	b *cluster
	h http.Handler
}

func newWeb(t testing.TB) *web {
	b := newCluster(t)
	return &web{t, b, New(b, Info{Version: "0.1.0", GitHash: "abc", BuildTime: time.UnixMilli(1770000000000).UTC()}, Limits{}, discard())}
}

func discard() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func (w *web) send(method, path, body string) *httptest.ResponseRecorder {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, httptest.NewRequest(method, path, strings.NewReader(body)))
	return rec
}

// must sends and wants that status.
func (w *web) must(status int, method, path, body string) string {
	w.t.Helper()
	rec := w.send(method, path, body)
	if rec.Code != status {
		w.t.Fatalf("%s %s %s: %d, want %d: %s", method, path, body, rec.Code, status, rec.Body)
	}
	return rec.Body.String()
}

// online has a node report itself, with its pools.
func (w *web) online(name string, gen model.DRBDGeneration) {
	w.t.Helper()
	w.b.see(w.t, func(tx *state.Tx) {
		n := tx.Snapshot().Node(name)
		o := &model.NodeObserved{Status: model.StatusOnline, SinceMS: 1780000000000, NodeReport: model.NodeReport{Uname: name, Version: "0.1.0",
			Kernel: "6.1", DRBD: gen, DRBDVersion: "9.2.13", Providers: []model.ProviderKind{model.Diskless, model.LVM, model.FileThin},
			Layers: []model.LayerKind{model.LayerDRBD, model.LayerStorage}, Unsupported: map[string][]string{"ZFS": {"no zpool"}, "LUKS": {"no cryptsetup"}}}}
		for _, p := range n.Pools {
			if p.Kind != model.Diskless {
				o.Pools = append(o.Pools, model.PoolStatus{UUID: p.UUID, Name: p.Name, FreeKiB: 8 << 20, TotalKiB: 10 << 20})
			}
		}
		tx.SeeNode(name, o)
	})
}

// deployed has every replica of a definition report itself good and connected.
func (w *web) deployed(name string) {
	w.t.Helper()
	w.b.see(w.t, func(tx *state.Tx) {
		d := tx.Snapshot().Definition(name)
		for i := range d.Resources {
			if r := &d.Resources[i]; !r.Deleting {
				tx.SeeResource(d.UUID, r.UUID, good(d.ResourceDefinition, r))
			}
		}
	})
}

// good is what a node reports of a replica that is as desired.
func good(d *model.ResourceDefinition, r *model.Resource) *model.ResourceStatus {
	st := &model.ResourceStatus{Definition: d.UUID, Name: d.Name, ID: r.UUID, Generation: d.Generation, Phase: model.Done, SinceMS: 1780000000500,
		MayPromote: true, PromotionScore: 10102, MetPeer: true}
	for _, v := range r.Volumes {
		vd := d.Volume(v.Number)
		vs := model.VolumeStatus{ID: v.UUID, Number: v.Number, Device: fmt.Sprintf("/dev/drbd%d", vd.Minor), Disk: model.DiskUpToDate, MDReady: true,
			HasQuorum: true, UsableKiB: vd.SizeKiB, AllocKiB: vd.SizeKiB + 1024, Backing: "/dev/sw_ssd/" + model.BackingName(d.Name, v.Number)}
		if r.Diskless {
			vs.Disk, vs.Backing, vs.AllocKiB = model.DiskDiskless, "", 0
		}
		st.Volumes = append(st.Volumes, vs)
	}
	for _, p := range d.Resources {
		if p.UUID == r.UUID || p.Deleting {
			continue
		}
		ps := model.PeerStatus{Node: p.Node, NodeID: p.NodeID, State: model.Connected, Role: "Secondary"}
		for _, v := range p.Volumes {
			ps.Volumes = append(ps.Volumes, model.PeerVolumeStatus{Number: v.Number, Replication: "Established", PeerDisk: model.DiskUpToDate})
		}
		st.Peers = append(st.Peers, ps)
	}
	return st
}

// tutorial makes nodes alpha and bravo with a pool, and the definition backups on both.
func (w *web) tutorial() {
	w.t.Helper()
	for i, n := range []string{"alpha", "bravo"} {
		w.must(201, "POST", "/v1/nodes", fmt.Sprintf(`{"name":%q,"type":"Satellite","net_interfaces":[{"name":"default","address":"10.77.0.%d","satellite_port":3366,"satellite_encryption_type":"Plain"}]}`, n, i+1))
		w.online(n, model.DRBD9)
		w.must(201, "POST", "/v1/nodes/"+n+"/storage-pools", `{"storage_pool_name":"swpool","provider_kind":"LVM","props":{"StorDriver/StorPoolName":"sw_ssd"}}`)
		w.online(n, model.DRBD9)
	}
	w.must(201, "POST", "/v1/resource-definitions", `{"resource_definition":{"name":"backups"}}`)
	w.must(201, "POST", "/v1/resource-definitions/backups/volume-definitions", `{"volume_definition":{"size_kib":524288}}`)
	w.must(201, "POST", "/v1/resource-definitions/backups/autoplace", `{"select_filter":{"place_count":2}}`)
	w.deployed("backups")
	w.deployed("backups") // at the generation that the milestones made
}
