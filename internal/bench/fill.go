package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/state"
	"holdfast/internal/store"
	"holdfast/internal/store/sqlite"
	"holdfast/internal/stored"
)

// Size of the cluster that is measured.
type Size struct {
	Nodes, Definitions, Replicas int
}

// Full is what the targets speak of.
var Full = Size{Nodes: 200, Definitions: 10000, Replicas: 3}

// node and definition names.
func nodeName(i int) string { return fmt.Sprintf("node%03d", i) }
func defName(i int) string  { return fmt.Sprintf("res%05d", i) }

// port of the stand-in satellite of node i on loopback.
func (s Size) port(i int) int { return 21000 + i }

// Fill writes a cluster into a new store: every definition deployed and synced, as after a day's work.
func Fill(ctx context.Context, path, cluster string, size Size) error {
	db, err := sqlite.Open(ctx, sqlite.Options{Path: path, Cluster: cluster, WrittenBy: "bench"})
	if err != nil {
		return err
	}
	defer db.Close()
	l, err := stored.Load(ctx, db)
	if err != nil {
		return err
	}
	snap, _ := state.Build(l.Objects)
	tx := state.Begin(snap)
	env := core.Env{Now: time.UnixMilli(1.7e12), Rand: rand.NewChaCha8([32]byte{7})}
	if _, err := (core.Init{}).Apply(tx, env); err != nil {
		return err
	}
	c := tx.Snapshot().Controller().Clone()
	c.ClusterID = model.UUID(cluster)
	tx.PutController(c)
	for i := range size.Nodes {
		tx.PutNode(&model.Node{UUID: env.UUID(), Name: nodeName(i), Type: model.Satellite, Props: map[string]string{"Aux/rack": fmt.Sprint(i % 10)},
			Interfaces: []model.NetInterface{{UUID: env.UUID(), Name: "default", Address: "127.0.0.1", Port: size.port(i), Active: true}},
			Pools: []model.StoragePool{{UUID: env.UUID(), Name: model.DisklessPool, Kind: model.Diskless},
				{UUID: env.UUID(), Name: "swpool", Kind: model.LVM, Props: map[string]string{model.PropPoolName: "sw_ssd"}}}})
	}
	base := l.Base
	commit := func() error {
		var changes []store.Change
		for _, ch := range tx.Changes() {
			sc, err := l.Codec.Encode(ch)
			if err != nil {
				return err
			}
			changes = append(changes, sc)
		}
		base, err = db.Commit(ctx, l.Epoch+1, base, changes)
		return err
	}
	for i := range size.Definitions {
		d := &model.ResourceDefinition{UUID: env.UUID(), Name: defName(i), Group: model.DefaultGroup, Secret: env.Secret(), PeerSlots: 7, DRBD: model.DRBD9, GoodAmong: size.Replicas, CreatedMS: env.Now.UnixMilli(),
			Props:   map[string]string{"Aux/owner": fmt.Sprint(i % 100)},
			Volumes: []model.VolumeDefinition{{UUID: env.UUID(), SizeKiB: 1 << 20, Minor: 1000 + i, Initialised: true}}}
		for j := range size.Replicas {
			n := (i*7 + j*61) % size.Nodes
			d.Resources = append(d.Resources, model.Resource{UUID: env.UUID(), Node: nodeName(n), NodeID: j, Port: tx.Snapshot().FreePort(nodeName(n), 7000, 7999),
				CreatedMS: env.Now.UnixMilli(), First: true, Volumes: []model.Volume{{UUID: env.UUID(), Pool: "swpool", Initialised: true, Filled: true}}})
		}
		if err := tx.PutDefinition(d); err != nil {
			return err
		}
		if i%1000 == 999 {
			if err := commit(); err != nil {
				return err
			}
		}
	}
	return commit()
}
