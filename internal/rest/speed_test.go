package rest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/state"
)

// big is 10,000 definitions with 3 replicas each on 200 nodes, all seen good.
func big(t testing.TB, defs, nodes int) *cluster {
	b := newCluster(t)
	c := b.snap.Controller()
	l := state.Loaded{Controller: c, LastRecord: 1 << 20}
	for i := range nodes {
		name := fmt.Sprintf("node%03d", i)
		l.Nodes = append(l.Nodes, &model.Node{Record: int64(i + 10), UUID: model.UUID("n-" + name), Name: name, Type: model.Satellite, Generation: 1,
			Interfaces: []model.NetInterface{{UUID: "i", Name: "default", Address: fmt.Sprintf("10.0.%d.%d", i/250, i%250+1), Port: 3366, Active: true}},
			Pools: []model.StoragePool{{UUID: model.UUID("d-" + name), Name: model.DisklessPool, Kind: model.Diskless},
				{UUID: model.UUID("p-" + name), Name: "swpool", Kind: model.LVM, Props: map[string]string{model.PropPoolName: "sw_ssd"}}}})
	}
	for i := range defs {
		d := &model.ResourceDefinition{Record: int64(i + 1000), UUID: model.UUID(fmt.Sprintf("00000000-0000-4000-8000-%012d", i)), Name: fmt.Sprintf("pvc-%08d", i),
			Group: model.DefaultGroup, PeerSlots: 7, DRBD: model.DRBD9, Generation: 5, CreatedMS: 1780000000000, Secret: "x", Props: map[string]string{"Aux/csi-name": fmt.Sprint(i)}}
		d.Volumes = []model.VolumeDefinition{{UUID: d.UUID + "-v", SizeKiB: 1 << 20, Minor: 1000 + i, Initialised: true}}
		for j := range 3 {
			d.Resources = append(d.Resources, model.Resource{UUID: model.UUID(fmt.Sprintf("%s-r%d", d.UUID, j)), Node: fmt.Sprintf("node%03d", (i*3+j)%nodes),
				NodeID: j, Port: 7000 + (i*3+j)/nodes, CreatedMS: 1780000000000,
				Volumes: []model.Volume{{UUID: model.UUID(fmt.Sprintf("%s-v%d", d.UUID, j)), Pool: "swpool", Initialised: true}}})
		}
		l.Definitions = append(l.Definitions, d)
	}
	s, problems := state.Build(l)
	if len(problems) > 0 {
		t.Fatal(problems[:1])
	}
	b.tx = state.Begin(s)
	for _, n := range l.Nodes {
		b.tx.SeeNode(n.Name, &model.NodeObserved{Status: model.StatusOnline, NodeReport: model.NodeReport{Uname: n.Name, DRBD: model.DRBD9,
			Pools: []model.PoolStatus{{UUID: n.Pools[1].UUID, FreeKiB: 1 << 30, TotalKiB: 2 << 30}}}})
	}
	for _, d := range l.Definitions {
		for i := range d.Resources {
			b.tx.SeeResource(d.UUID, d.Resources[i].UUID, good(d, &d.Resources[i]))
		}
	}
	b.tx.Touched()
	b.tx.Dirty()
	b.publish()
	return b
}

// BenchmarkReads measures what people wait for, over loopback, to the last byte. The first full list is reported apart.
func BenchmarkReads(b *testing.B) {
	c := big(b, 10000, 200)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, ln, New(c, Info{}, Limits{}, discard()), Limits{}, discard()) }()
	defer func() {
		stop()
		<-done
	}()
	base := "http://" + ln.Addr().String()
	get := func(path string) (n int64) {
		r, err := http.Get(base + path)
		if err != nil {
			b.Fatal(err)
		}
		defer r.Body.Close()
		n, err = io.Copy(io.Discard, r.Body)
		if err != nil || r.StatusCode != 200 {
			b.Fatal(r.Status, err)
		}
		return n
	}
	at := time.Now()
	size := get("/v1/view/resources")
	b.Logf("first full list: %v, %d bytes", time.Since(at), size)
	for _, path := range []string{"/v1/view/resources", "/v1/view/resources?resources=pvc-00005000&nodes=node000", "/v1/view/resources?nodes=node100",
		"/v1/nodes", "/v1/view/storage-pools", "/v1/resource-definitions?with_volume_definitions=true"} {
		b.Run(path[3:], func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				at := time.Now()
				get(path)
				took = append(took, time.Since(at))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}

// BenchmarkCold is the first full list after a start: nothing is kept yet.
func BenchmarkCold(b *testing.B) {
	c := big(b, 2000, 200)
	online := statuses(c.snap)
	for b.Loop() {
		n := 0
		c.snap.Definitions(func(d *state.Definition) bool {
			d.Memo.Put(nil)
			each, err := replicaBytes(c.snap, d, online)
			if err != nil {
				b.Fatal(err)
			}
			n += len(each)
			return true
		})
		if n != 6000 {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/6000, "ns/replica")
}
