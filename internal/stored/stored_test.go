package stored

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"holdfast/internal/model"
	"holdfast/internal/state"
	"holdfast/internal/store"
	"holdfast/internal/store/memory"
)

var update = flag.Bool("update", false, "write the golden file")

func encode(t interface {
	Helper()
	Fatal(...any)
}, c *Codec, ch state.Change) store.Change {
	t.Helper()
	out, err := c.Encode(ch)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ch := state.Change{Record: rapid.Int64Range(1, 1<<40).Draw(t, "record")}
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			c := rapid.Make[model.ControllerState]().Draw(t, "cluster")
			c.Record, c.ClusterID = ch.Record, "c"+c.ClusterID
			defs, kvs := map[string]model.StoragePoolDefinition{}, map[string]model.KeyValueStore{}
			for _, p := range c.PoolDefs {
				defs[model.Key(p.Name)] = p
			}
			for _, k := range c.KeyValues {
				kvs[model.Key(k.Name)] = k
			}
			c.PoolDefs, c.KeyValues = defs, kvs
			ch.Kind, ch.Controller = state.KindController, &c
		case 1:
			n := rapid.Make[model.Node]().Draw(t, "node")
			n.Record, n.UUID, n.Name = ch.Record, "i"+n.UUID, "n"+n.Name
			ch.Kind, ch.Node = state.KindNode, &n
		case 2:
			g := rapid.Make[model.ResourceGroup]().Draw(t, "group")
			g.Record, g.UUID, g.Name = ch.Record, "i"+g.UUID, "n"+g.Name
			ch.Kind, ch.Group = state.KindGroup, &g
		case 3:
			d := rapid.Make[model.ResourceDefinition]().Draw(t, "definition")
			d.Record, d.UUID, d.Name = ch.Record, "i"+d.UUID, "n"+d.Name
			ch.Kind, ch.Definition = state.KindDefinition, &d
		}
		out := encode(t, &Codec{}, ch)
		if again := encode(t, &Codec{}, ch); !bytes.Equal(out.Data, again.Data) {
			t.Fatalf("two encodings differ:\n%s\n%s", out.Data, again.Data)
		}
		o, err := Decode(store.Record(out))
		if err != nil {
			t.Fatal(err)
		}
		want := Object{Controller: ch.Controller, Node: ch.Node, Group: ch.Group, Definition: ch.Definition}
		if d := cmp.Diff(want, o, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(Object{})); d != "" {
			t.Fatal(d)
		}
	})
}

func yes() *bool { b := true; return &b }

// sample has every field set.
func sample() []state.Change {
	p := map[string]string{"Aux/b": "2", "Aux/a": "1"}
	return []state.Change{
		{Record: 1, Kind: state.KindController, Controller: &model.ControllerState{Record: 1, ClusterID: "c-1", Props: p, Generation: 7,
			PoolDefs:  map[string]model.StoragePoolDefinition{"swpool": {UUID: "spd-1", Name: "SwPool", Props: p}},
			KeyValues: map[string]model.KeyValueStore{"csi": {Name: "csi", Props: p}}}},
		{Record: 2, Kind: state.KindNode, Node: &model.Node{Record: 2, UUID: "n-1", Name: "alpha", Type: model.Combined, Props: p,
			Interfaces:  []model.NetInterface{{UUID: "i-1", Name: "default", Address: "10.77.0.1", Port: 3366, Active: true}},
			Pools:       []model.StoragePool{{UUID: "p-1", Name: "swpool", Kind: model.LVM, Props: map[string]string{model.PropPoolName: "sw_ssd"}, Deleting: true}},
			Fingerprint: "aa:bb", Deleting: true, Generation: 3}},
		{Record: 3, Kind: state.KindGroup, Group: &model.ResourceGroup{Record: 3, UUID: "g-1", Name: model.DefaultGroup, Description: "all", Props: p,
			Filter: model.SelectFilter{PlaceCount: 2, AdditionalPlaceCount: 1, Nodes: []string{"alpha"}, Pools: []string{"swpool"},
				DisklessPools: []string{"d"}, NotPlaceWith: []string{"x"}, NotPlaceWithRegex: "y.*", ReplicasOnSame: []string{"Aux/rack"},
				ReplicasOnDifferent: []string{"Aux/site"}, XReplicas: map[string]int{"Aux/z": 1}, Layers: []model.LayerKind{model.LayerDRBD, model.LayerStorage},
				Providers: []model.ProviderKind{model.LVM}, DisklessOnRemaining: yes(), DisklessType: "DRBD_DISKLESS"},
			PeerSlots: 7, Volumes: []model.VolumeGroup{{UUID: "vg-1", Number: 1, Props: p, Gross: true}}, Generation: 2}},
		{Record: 4, Kind: state.KindDefinition, Definition: &model.ResourceDefinition{Record: 4, UUID: "d-1", Name: "backups", ExternalName: "äx",
			Group: model.DefaultGroup, Props: p, Layers: []model.LayerKind{model.LayerDRBD, model.LayerStorage}, Secret: "s3cr3t", Port: 7001, PeerSlots: 7,
			DRBD: model.DRBD9, Deleting: true, CreatedMS: 1700000000000, Generation: 1<<63 + 5,
			Volumes: []model.VolumeDefinition{{UUID: "vd-1", Number: 1, SizeKiB: 524288, Gross: true, Props: p, Minor: 1000, Deleting: true,
				Initialised: true, Source: "r-1", SkipSync: true}},
			Resources: []model.Resource{{UUID: "r-1", Node: "alpha", Diskless: true, TieBreaker: true, NodeID: 1, Port: 7000, Props: p,
				CreatedMS: 1700000000001, First: true, Deleting: true, Lose: true,
				Volumes: []model.Volume{{UUID: "v-1", Number: 1, Pool: "swpool", Props: p, Deleting: true, Initialised: true}}}},
			Retired: []model.RetiredNodeID{{NodeID: 2, Replica: "r-0", Since: 4, WaitFor: []model.UUID{"r-1"}}}}},
	}
}

// The golden file is what releases have written: old lines must decode for ever.
func TestGolden(t *testing.T) {
	var got bytes.Buffer
	for _, ch := range sample() {
		fmt.Fprintf(&got, "%s\n", encode(t, &Codec{}, ch).Data)
	}
	file := filepath.Join("testdata", "v1.jsonl")
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got.String()); d != "" {
		t.Fatal(d)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(want)), "\n") {
		ch := sample()[i]
		o, err := Decode(store.Record{ID: ch.Record, Kind: kinds[ch.Kind], Data: []byte(line)})
		if err != nil {
			t.Fatal(err)
		}
		w := Object{Controller: ch.Controller, Node: ch.Node, Group: ch.Group, Definition: ch.Definition}
		if d := cmp.Diff(w, o, cmpopts.IgnoreUnexported(Object{})); d != "" {
			t.Errorf("line %d: %s", i+1, d)
		}
	}
}

// A newer release wrote fields; this one changes the object and writes it back; nothing of theirs is lost.
func TestDowngrade(t *testing.T) {
	const newer = `{"v":2,"id":"d-1","name":"backups","gen":18446744073709551615,"clonedFrom":{"id":"d-0"},
	 "volumes":[{"id":"vd-1","nr":0,"kib":4096,"encrypted":true},{"id":"vd-2","nr":1,"kib":8192,"encrypted":false}],
	 "replicas":[{"id":"r-1","node":"alpha","trusted":[1,2],"volumes":[{"id":"v-1","nr":0,"cache":{"mode":"wb"}}]}],
	 "snapshots":[{"id":"s-1"}]}`
	b := memory.New("")
	if _, err := b.Commit(context.Background(), 1, 0, []store.Change{{ID: 9, Kind: store.KindResourceDefinition, Data: []byte(newer)}}); err != nil {
		t.Fatal(err)
	}
	l, err := Load(context.Background(), b)
	if err != nil || len(l.Problems) > 0 {
		t.Fatal(err, l.Problems)
	}
	d := l.Objects.Definitions[0].Clone()
	if d.Generation != 1<<64-1 {
		t.Fatal(d.Generation)
	}
	d.Generation = 5
	d.Volumes = d.Volumes[:1]
	d.Volumes[0].SizeKiB = 9000
	out := encode(t, l.Codec, state.Change{Record: 9, Kind: state.KindDefinition, Definition: d})
	var got, want any
	if err := json.Unmarshal(out.Data, &got); err != nil {
		t.Fatal(err)
	}
	const expect = `{"v":2,"id":"d-1","name":"backups","gen":5,"clonedFrom":{"id":"d-0"},
	 "volumes":[{"id":"vd-1","nr":0,"kib":9000,"encrypted":true}],
	 "replicas":[{"id":"r-1","node":"alpha","trusted":[1,2],"volumes":[{"id":"v-1","nr":0,"cache":{"mode":"wb"}}]}],
	 "snapshots":[{"id":"s-1"}]}`
	if err := json.Unmarshal([]byte(expect), &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}

func TestBadRecordStandsAlone(t *testing.T) {
	b := memory.New("")
	changes := []store.Change{
		{ID: 1, Kind: store.KindNode, Data: []byte(`{"v":1,"id":"n-1","name":"alpha","type":"SATELLITE"}`)},
		{ID: 2, Kind: store.KindNode, Data: []byte(`{"v":1,"id":"n-2","na`)},
		{ID: 3, Kind: store.KindNode, Data: []byte(`{"v":1,"name":"bravo"}`)},
		{ID: 4, Kind: 99, Data: []byte(`{}`)},
		{ID: 5, Kind: store.KindResourceDefinition, Data: []byte(`{"v":1,"id":"d","name":"n","volumes":"odd"}`)},
	}
	if _, err := b.Commit(context.Background(), 1, 0, changes); err != nil {
		t.Fatal(err)
	}
	l, err := Load(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Objects.Nodes) != 1 || len(l.Problems) != 4 || l.Objects.LastRecord != 5 {
		t.Fatalf("%d nodes, last %d, problems %q", len(l.Objects.Nodes), l.Objects.LastRecord, l.Problems)
	}
	for i, id := range []string{"2", "3", "4", "5"} {
		if !strings.Contains(l.Problems[i], "record "+id+" ") {
			t.Errorf("problem %d: %s", i, l.Problems[i])
		}
	}
}

// big is a definition of three replicas whose record has about 3 KiB.
func big(i int64) state.Change {
	d := &model.ResourceDefinition{Record: i, UUID: model.UUID(fmt.Sprintf("%036d", i)), Name: fmt.Sprintf("resource-%06d", i), Group: model.DefaultGroup,
		Secret: "0123456789abcdefghij", PeerSlots: 7, DRBD: model.DRBD9, CreatedMS: 1700000000000, Generation: 4, Props: map[string]string{},
		Volumes: []model.VolumeDefinition{{UUID: model.UUID(fmt.Sprintf("%036d", i)), SizeKiB: 1 << 20, Minor: int(1000 + i), Initialised: true,
			Source: model.UUID(fmt.Sprintf("%036d", i))}}}
	for j := range 12 {
		d.Props[fmt.Sprintf("DrbdOptions/Resource/an-option-%02d", j)] = "a value that has some length"
	}
	for n := range 3 {
		r := model.Resource{UUID: model.UUID(fmt.Sprintf("%036d", n)), Node: fmt.Sprintf("node-%03d", n), NodeID: n, Port: 7000, CreatedMS: 1, First: true,
			Props:   map[string]string{"StorPoolName": "swpool", "Aux/rack": "r1", "Aux/site": "s1"},
			Volumes: []model.Volume{{UUID: model.UUID(fmt.Sprintf("%036d", n)), Pool: "swpool", Initialised: true, Props: map[string]string{"DrbdOptions/Disk/x": "y"}}}}
		for j := range 6 {
			r.Props[fmt.Sprintf("DrbdOptions/Net/an-option-%02d", j)] = "a value that has some length"
		}
		d.Resources = append(d.Resources, r)
	}
	return state.Change{Record: i, Kind: state.KindDefinition, Definition: d}
}

// BenchmarkLoad10000 is the start of a controller with 10,000 definitions of three replicas, without the disk.
func BenchmarkLoad10000(b *testing.B) {
	be := memory.New("")
	var changes []store.Change
	size := 0
	for i := range int64(10000) {
		ch := encode(b, &Codec{}, big(i+1))
		size += len(ch.Data)
		changes = append(changes, ch)
	}
	if _, err := be.Commit(context.Background(), 1, 0, changes); err != nil {
		b.Fatal(err)
	}
	defer func() { b.ReportMetric(float64(size)/10000, "bytes/record") }()
	for b.Loop() {
		if l, err := Load(context.Background(), be); err != nil || len(l.Objects.Definitions) != 10000 {
			b.Fatal(err, l.Problems)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, ch := range sample() {
		out, err := (&Codec{}).Encode(ch)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(out.Kind), out.Data)
	}
	f.Add(uint8(store.KindNode), []byte(`{"v":9,"id":"a","name":"b","x":[{"id":"1","y":{}}],"pools":[{"id":"1","z":1}]}`))
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		o, err := Decode(store.Record{ID: 1, Kind: store.Kind(kind), Data: data})
		if err != nil {
			return
		}
		c := &Codec{extras: map[int64]*extra{}}
		if o.extra != nil {
			c.extras[1] = o.extra
		}
		ch := state.Change{Record: 1, Controller: o.Controller, Node: o.Node, Group: o.Group, Definition: o.Definition}
		for k, s := range kinds {
			if s == store.Kind(kind) {
				ch.Kind = k
			}
		}
		if _, err := c.Encode(ch); err != nil {
			t.Fatalf("what was decoded doesn't encode: %v", err)
		}
	})
}
