package scenario

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast/api"
	"holdfast/lab/cluster"
)

// TestBench measures, on one node with real LVM and DRBD, how long it takes from `resource create` until so many volumes can be
// used, and how long snapshots of fifty take; each beside the programs alone, run by a shell one after the other. It is no
// test of targets: `make bench` with HOLDFAST_LAB=1 runs it, and puts what it writes to the file HOLDFAST_BENCH into its table. HOLDFAST_BENCH_MOST bounds the number of volumes, for machines that are emulated.
func TestBench(t *testing.T) {
	file := os.Getenv("HOLDFAST_BENCH")
	if file == "" {
		t.Skip("a measurement, not a test: HOLDFAST_LAB=1 make bench")
	}
	w := up(t, 1, func(c *cluster.Config) { c.Lab.Disks = []int64{2 << 30} })
	w.nodes()
	most := 100
	if v := os.Getenv("HOLDFAST_BENCH_MOST"); v != "" {
		var err error
		if most, err = strconv.Atoi(v); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 80*time.Minute)
	defer cancel()
	w.ctx = ctx
	b := bench{w, map[string]float64{}}
	for _, n := range []int{1, 10, 100} {
		if n <= most {
			t.Run(fmt.Sprintf("create_%d", n), func(t *testing.T) { b.of(t).creates(n, map[bool]int{true: 3, false: 1}[n == 1]) })
		}
	}
	t.Run("snapshot", func(t *testing.T) { b.of(t).snapshots(min(50, most)) })
	out, err := json.Marshal(b.figures)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, out, 0o644); err != nil {
		t.Fatal(err)
	}
}

type bench struct {
	*world
	figures map[string]float64
}

// of is the bench in a test beneath it: `-run TestBench/snapshot` measures that alone.
func (b *bench) of(t *testing.T) *bench {
	w := *b.world
	w.t = t
	return &bench{&w, b.figures}
}

func (b *bench) note(name string, ours, bare []time.Duration) {
	slices.Sort(ours)
	slices.Sort(bare)
	o, p := ours[len(ours)/2].Seconds(), bare[len(bare)/2].Seconds()
	b.figures["lab_"+name+"_s"], b.figures["lab_"+name+"_bare_s"], b.figures["lab_"+name+"_ratio"] = o, p, o/p
	b.t.Logf("%s: %.2f s, the programs alone %.2f s, ratio %.2f", name, o, p, o/p)
}

// asking is how many connections ask at once: an emulated machine's own network resets them when there are fifty. What is asked for
// isn't waited for (async), so all of it is under way at once all the same.
const asking = 8

// all does something for each name, as soon as a connection is free.
func (b *bench) all(names []string, do func(name string) error) time.Duration {
	b.t.Helper()
	begin := time.Now()
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for k := range asking {
		wg.Go(func() {
			for i := k; i < len(names); i += asking {
				errs[i] = do(names[i])
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			b.t.Fatal(err)
		}
	}
	return time.Since(begin)
}

var async = map[string][]string{"async": {"true"}}

func (b *bench) post(path string, body any) error {
	return b.api.Do(b.ctx, "POST", "/v1/resource-definitions"+path, async, body, nil)
}

// volumes are made: definitions first, then the resources, of which the time counts until all are UpToDate.
func (b *bench) volumes(prefix string, n int, pool string) ([]string, time.Duration) {
	b.t.Helper()
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("%s%d", prefix, i))
	}
	b.all(names, func(name string) error {
		return b.post("", map[string]any{"resource_definition": map[string]any{"name": name, "volume_definitions": []any{map[string]any{"size_kib": 4096}}}})
	})
	begin := time.Now()
	b.all(names, func(name string) error {
		return b.post("/"+name+"/resources/alpha", map[string]any{"resource": map[string]any{"props": map[string]any{"StorPoolName": pool}}})
	})
	b.until(40*time.Minute, "all are UpToDate", func() (bool, string) {
		var list []api.ResourceWithVolumes
		if err := b.api.Do(b.ctx, "GET", "/v1/view/resources", nil, nil, &list); err != nil {
			return false, err.Error()
		}
		good := 0
		for _, r := range list {
			if strings.HasPrefix(r.Name, prefix) && len(r.Volumes) == 1 && r.Volumes[0].State != nil && r.Volumes[0].State.DiskState == "UpToDate" {
				good++
			}
		}
		return good == n, fmt.Sprintf("%d of %d", good, n)
	})
	return names, time.Since(begin)
}

func (b *bench) drop(names []string) {
	b.t.Helper()
	b.all(names, func(name string) error {
		return b.api.Do(b.ctx, "DELETE", "/v1/resource-definitions/"+name, async, nil, nil)
	})
	b.until(20*time.Minute, "nothing is left", func() (bool, string) {
		out, err := b.Machine("alpha").Sh(b.ctx, left)
		return err == nil && strings.TrimSpace(out) == "", out
	})
}

// sh times a line on the node.
func (b *bench) sh(line string) time.Duration {
	b.t.Helper()
	begin := time.Now()
	b.on("alpha", line)
	return time.Since(begin)
}

// bareFile is what a resource's file says on 8.4, as an operator would write it: the peer isn't there.
const bareFile = `resource bare$i { device minor $((900+i)); disk /dev/sw_ssd/bare$i; meta-disk internal; on alpha { address 10.77.0.1:$((7800+i)); } on none { address 10.77.0.77:$((7800+i)); } }`

func (b *bench) bare(n int) time.Duration {
	b.t.Helper()
	b.on("alpha", fmt.Sprintf(`mkdir -p /tmp/bare; for i in $(seq %d); do echo "%s" >/tmp/bare/$i.res; done`, n, bareFile))
	took := b.sh(fmt.Sprintf(`set -e; for i in $(seq %d); do d="drbdadm -c /tmp/bare/$i.res"; lvcreate -q -y -L 8M -n bare$i sw_ssd; $d create-md --force bare$i; $d up bare$i; $d primary --force bare$i; $d secondary bare$i; done >/tmp/bare.log 2>&1 || { tail /tmp/bare.log; exit 1; }`, n))
	b.on("alpha", fmt.Sprintf("for i in $(seq %d); do drbdsetup down bare$i; lvremove -q -y sw_ssd/bare$i; done", n))
	return took
}

func (b *bench) creates(n, rounds int) {
	b.t.Helper()
	var ours, bare []time.Duration
	for range rounds {
		bare = append(bare, b.bare(n))
		names, took := b.volumes(fmt.Sprintf("v%dx", n), n, "swpool")
		ours = append(ours, took)
		b.drop(names)
	}
	b.note(fmt.Sprintf("create_%d", n), ours, bare)
}

// snapshots of n volumes in a thin pool, each taken for itself, all asked for at once. By hand: hold, copy, go on.
func (b *bench) snapshots(n int) {
	b.t.Helper()
	b.on("alpha", "lvcreate -q -y -T -Zy -L 1G --poolmetadatasize 8M sw_ssd/thin && sync")
	b.lin("storage-pool create lvmthin alpha thin sw_ssd/thin")
	names, _ := b.volumes("s", n, "thin")
	bare := b.sh(fmt.Sprintf(`set -e; for i in $(seq 0 %d); do m=$(drbdsetup show s$i | sed -n 's/.*device.*minor *\([0-9]*\);.*/\1/p'); drbdsetup suspend-io $m; lvcreate -q -y -s -n bare$i sw_ssd/s${i}_00000; drbdsetup resume-io $m; done >/tmp/bare.log 2>&1 || { tail /tmp/bare.log; exit 1; }`, n-1))
	b.on("alpha", fmt.Sprintf("for i in $(seq 0 %d); do lvremove -q -y sw_ssd/bare$i; done", n-1))
	begin := time.Now()
	b.all(names, func(name string) error { return b.post("/"+name+"/snapshots", map[string]any{"name": "monday"}) })
	b.until(20*time.Minute, "all snapshots are taken", func() (bool, string) {
		var list []api.Snapshot
		if err := b.api.Do(b.ctx, "GET", "/v1/view/snapshots", nil, nil, &list); err != nil {
			return false, err.Error()
		}
		good := 0
		for _, sn := range list {
			if slices.Contains(sn.Flags, "SUCCESSFUL") {
				good++
			} else if len(sn.Flags) > 0 {
				b.t.Fatalf("the snapshot of %s: %+v", sn.ResourceName, sn)
			}
		}
		return good == n, fmt.Sprintf("%d of %d", good, n)
	})
	b.note(fmt.Sprintf("snapshot_%d", n), []time.Duration{time.Since(begin)}, []time.Duration{bare})
}
