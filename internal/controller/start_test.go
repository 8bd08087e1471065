package controller

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	"holdfast/internal/model"
	"holdfast/internal/state"
	"holdfast/internal/store"
	"holdfast/internal/store/sqlite"
	"holdfast/internal/stored"
)

// BenchmarkStart is a start on 10,000 definitions of three replicas on 200 nodes: store opened, read, decoded, indexed.
func BenchmarkStart(b *testing.B) {
	path := filepath.Join(b.TempDir(), "c.db")
	cluster := newCluster(b)
	var codec stored.Codec
	var changes []store.Change
	put := func(ch state.Change) {
		out, err := codec.Encode(ch)
		if err != nil {
			b.Fatal(err)
		}
		changes = append(changes, out)
	}
	rec := int64(1)
	id := func() model.UUID { rec++; return model.UUID(fmt.Sprintf("00000000-0000-4000-8000-%012d", rec*7)) }
	put(state.Change{Record: 1, Kind: state.KindController, Controller: &model.ControllerState{Record: 1, ClusterID: model.UUID(cluster.ID)}})
	for n := range 200 {
		u := id()
		put(state.Change{Record: rec, Kind: state.KindNode, Node: &model.Node{UUID: u, Name: fmt.Sprintf("node-%03d", n), Type: model.Satellite,
			Interfaces: []model.NetInterface{{UUID: u, Name: "default", Address: "127.0.0.1", Port: 1, Active: true}},
			Pools:      []model.StoragePool{{UUID: u, Name: "swpool", Kind: model.LVM, Props: map[string]string{model.PropPoolName: "sw_ssd"}}}}})
	}
	for i := range 10000 {
		u := id()
		d := &model.ResourceDefinition{UUID: u, Name: fmt.Sprintf("resource-%05d", i), Group: model.DefaultGroup, Secret: "0123456789abcdefghij", PeerSlots: 7,
			DRBD: model.DRBD9, CreatedMS: 1700000000000, Generation: 4, Volumes: []model.VolumeDefinition{{UUID: u, SizeKiB: 1 << 20, Minor: 1000 + i, Initialised: true, Source: u}}}
		record := rec
		for r := range 3 {
			d.Resources = append(d.Resources, model.Resource{UUID: id(), Node: fmt.Sprintf("node-%03d", (i+r*67)%200), NodeID: r, Port: 7000 + i/60, CreatedMS: 1700000000000,
				First: true, Props: map[string]string{"StorPoolName": "swpool"}, Volumes: []model.Volume{{UUID: id(), Pool: "swpool", Initialised: true}}})
		}
		put(state.Change{Record: record, Kind: state.KindDefinition, Definition: d})
	}
	db, err := sqlite.Open(b.Context(), sqlite.Options{Path: path, Cluster: cluster.ID})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := db.Commit(b.Context(), 1, 0, changes); err != nil {
		b.Fatal(err)
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	changes = nil
	for b.Loop() {
		db, err := sqlite.Open(b.Context(), sqlite.Options{Path: path, Cluster: cluster.ID})
		if err != nil {
			b.Fatal(err)
		}
		c, err := Open(b.Context(), Deps{Store: db, Cluster: cluster, Log: slog.New(slog.DiscardHandler), Version: "test"})
		if err != nil || len(c.Problems()) > 0 || c.Snapshot().DefinitionCount() != 10000 {
			b.Fatal(err, c.Problems()[:1])
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
