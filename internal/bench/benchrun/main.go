// Benchrun runs the bench, prints a table and writes the figures as a flat JSON object.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"holdfast/internal/bench"
	"holdfast/internal/pki"
	"holdfast/internal/sim"
)

const addr = "127.0.0.1:23370"

func main() {
	out := flag.String("out", "", "write the figures to this file")
	nodes := flag.Int("nodes", bench.Full.Nodes, "nodes")
	defs := flag.Int("definitions", bench.Full.Definitions, "resource definitions, of three replicas each")
	span := flag.Duration("span", 5*time.Second, "how long each rate of creates is measured")
	node := flag.Int("satellite", 0, "internal: be a satellite with that many resources")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if *node > 0 {
		err = bench.Satellite(ctx, *node, os.Stdout)
	} else {
		err = run(ctx, *out, bench.Size{Nodes: *nodes, Definitions: *defs, Replicas: 3}, *span)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// row is a figure with its target; less tells which way is better.
type row struct {
	name   string
	target float64
	less   bool
	what   string
}

var rows = []row{
	{"fsync_ms", 0, true, "4 KiB made durable on this disk, median"},
	{"start_ms", 1000, true, "from exec to the first answer"},
	{"resource_list_p99_ms", 100, true, "view/resources, all of it, to the last byte"},
	{"resource_list_first_ms", 0, true, "the first of them, asked when the last node had just come: made while the reports arrive"},
	{"resource_get_p99_ms", 5, true, "view/resources of one resource"},
	{"node_list_p99_ms", 20, true, "nodes"},
	{"pool_list_p99_ms", 20, true, "view/storage-pools"},
	{"create_per_s_1", 1200, false, "POST resource-definitions, 1 client"},
	{"create_per_s_32", 4000, false, "POST resource-definitions, 32 clients"},
	{"resource_create_per_s_1", 0, false, "POST autoplace of 3 until the nodes have answered, 1 client"},
	{"resource_create_per_s_32", 0, false, "the same, 32 clients"},
	{"controller_rss_mib", 384, true, "resident, after all of this"},
	{"controller_heap_mib", 0, true, "of that, Go's heap in use"},
	{"controller_live_mib", 0, true, "of that, what the last garbage collection found in use"},
	{"satellite_rss_mib", 50, true, "resident, 500 resources; the model machine it runs on is included"},
	{"evacuate_200_model_s", 0, true, "node evacuate with 200 resources in the simulator, by the model's clock"},
	{"evacuate_200_commits", 0, true, "commits that takes"},
	{"evacuate_200_programs", 0, true, "programs that run on the nodes"},
	{"evacuate_200_ratio", 0, true, "programs, to the ten a resource that it takes by hand"},
	{"lab_create_1_ratio", 1.3, true, "resource create until usable in the lab, to lvcreate and drbdadm alone"},
	{"lab_create_10_ratio", 1.3, true, "the same for 10 volumes, each a resource of its own, asked for at once"},
	{"lab_create_100_ratio", 1.3, true, "the same for 100"},
	{"lab_snapshot_50_ratio", 1.3, true, "snapshots of 50 volumes, each for itself, to suspend-io, lvcreate -s, resume-io alone"},
}

func run(ctx context.Context, out string, size bench.Size, span time.Duration) error {
	dir, err := os.MkdirTemp(".", ".bench-")
	if err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "holdfast")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, "holdfast/cmd/holdfast")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if b, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, b)
	}
	m := map[string]float64{}
	if m["fsync_ms"], err = bench.Fsync(dir); err != nil {
		return err
	}
	say("filling a store: %d nodes, %d definitions of %d replicas", size.Nodes, size.Definitions, size.Replicas)
	cluster, _, err := pki.OpenCluster(dir, time.Now(), rand.Reader)
	if err != nil {
		return err
	}
	if err := bench.Fill(ctx, filepath.Join(dir, "controller.db"), cluster.ID, size); err != nil {
		return err
	}
	conf := filepath.Join(dir, "controller.toml")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "state_dir = %q\n[rest]\nlisten = %q\n[store]\npath = %q\n[log]\nlevel = \"warn\"\n", dir, addr, filepath.Join(dir, "controller.db")), 0o600); err != nil {
		return err
	}
	id, err := pki.NewIdentity(time.Now(), rand.Reader)
	if err != nil {
		return err
	}
	if err := bench.StandIns(ctx, size, id); err != nil {
		return err
	}
	say("starting the controller")
	begin := time.Now()
	ctl := exec.CommandContext(ctx, bin, "controller", "--config", conf)
	ctl.Cancel = func() error { return ctl.Process.Signal(syscall.SIGTERM) }
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	ctl.Stderr = log
	if err := ctl.Start(); err != nil {
		return err
	}
	defer func() { _ = ctl.Process.Signal(syscall.SIGTERM); _ = ctl.Wait() }()
	if err := until(ctx, 30*time.Second, func() bool { return get("/v1/controller/version") == nil }); err != nil {
		b, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%w\n%s", err, b)
	}
	m["start_ms"] = float64(time.Since(begin).Milliseconds())
	say("waiting until all nodes are online")
	if err := until(ctx, 2*time.Minute, func() bool { return online(size.Nodes) }); err != nil {
		return err
	}
	begin = time.Now()
	if _, err := reported(); err != nil {
		return err
	}
	m["resource_list_first_ms"] = float64(time.Since(begin).Milliseconds())
	say("waiting until all replicas are reported")
	if err := until(ctx, 2*time.Minute, func() bool { n, err := reported(); return err == nil && n == size.Definitions*size.Replicas }); err != nil {
		return err
	}
	if err := lists(ctx, m, size); err != nil {
		return err
	}
	if err := creates(ctx, m, span); err != nil {
		return err
	}
	if m["controller_rss_mib"], err = bench.RSS(ctl.Process.Pid); err != nil {
		return err
	}
	if err := heap(m); err != nil {
		return err
	}
	say("a satellite with 500 resources")
	if m["satellite_rss_mib"], err = satellite(ctx); err != nil {
		return err
	}
	say("node evacuate, 200 resources in the simulator")
	e, err := sim.Evacuate(200)
	if err != nil {
		return err
	}
	m["evacuate_200_model_s"], m["evacuate_200_commits"], m["evacuate_200_programs"] = e.Model.Seconds(), float64(e.Commits), float64(e.Programs)
	m["evacuate_200_steps"], m["evacuate_200_wall_s"], m["evacuate_200_ratio"] = float64(e.Steps), e.Wall.Seconds(), float64(e.Programs)/float64(e.Needed)
	if os.Getenv("HOLDFAST_LAB") == "" {
		say("nothing in the lab: HOLDFAST_LAB=1 measures there too")
	} else if err := inLab(ctx, dir, m); err != nil {
		return err
	}
	table(m)
	if out == "" {
		return nil
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(b, '\n'), 0o644)
}

func say(format string, a ...any) { fmt.Fprintf(os.Stderr, "... "+format+"\n", a...) }

func get(path string) error {
	resp, err := http.Get("http://" + addr + path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func online(n int) bool {
	resp, err := http.Get("http://" + addr + "/v1/nodes")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var list []struct {
		Status string `json:"connection_status"`
	}
	if json.NewDecoder(resp.Body).Decode(&list) != nil {
		return false
	}
	up := 0
	for _, x := range list {
		if x.Status == "ONLINE" {
			up++
		}
	}
	return up == n
}

// reported is how many replicas the controller knows to be UpToDate.
func reported() (n int, err error) {
	resp, err := http.Get("http://" + addr + "/v1/view/resources")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	return bytes.Count(all, []byte(`"state":{"disk_state":"UpToDate"`)), nil
}

func until(ctx context.Context, limit time.Duration, ok func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	t := time.NewTicker(2 * time.Millisecond)
	defer t.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the controller wasn't ready after %v", limit)
		case <-t.C:
		}
	}
	return nil
}

func lists(ctx context.Context, m map[string]float64, size bench.Size) (err error) {
	for _, l := range []struct {
		name, path string
		n          int
	}{
		{"resource_list_p99_ms", "/v1/view/resources", 100},
		{"resource_get_p99_ms", "/v1/view/resources?resources=res00042", 1000},
		{"node_list_p99_ms", "/v1/nodes", 300},
		{"pool_list_p99_ms", "/v1/view/storage-pools", 300},
	} {
		say("%s", l.path)
		if err := get(l.path); err != nil { // the first one makes what is kept
			return err
		}
		var n int64
		if m[l.name], n, err = bench.Get(ctx, "http://"+addr+l.path, l.n); err != nil {
			return err
		}
		if l.name == "resource_list_p99_ms" {
			m["resource_list_mib"] = float64(n) / (1 << 20)
		}
	}
	m["resources"] = float64(size.Definitions * size.Replicas)
	return nil
}

func creates(ctx context.Context, m map[string]float64, span time.Duration) (err error) {
	for _, clients := range []int{1, 32} {
		say("creates, %d clients", clients)
		m[fmt.Sprintf("create_per_s_%d", clients)], err = bench.Rate(ctx, clients, span, func(i int64) (string, any) {
			return "http://" + addr + "/v1/resource-definitions", map[string]any{"resource_definition": map[string]any{"name": fmt.Sprintf("new%02d-%d", clients, i)}}
		})
		if err != nil {
			return err
		}
	}
	// Volumes without any property go to the same nodes while these have room: more than the thousand ports of the default.
	if err := post("/v1/controller/properties", `{"override_props":{"TcpPortAutoRange":"7000-29999"}}`); err != nil {
		return err
	}
	for _, clients := range []int{1, 32} {
		say("resource creates, %d clients", clients)
		m[fmt.Sprintf("resource_create_per_s_%d", clients)], err = bench.Rate(ctx, clients, span, func(i int64) (string, any) {
			return fmt.Sprintf("http://%s/v1/resource-definitions/new%02d-%d/autoplace", addr, clients, i), map[string]any{"select_filter": map[string]any{"place_count": 3}}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// heap reads what the controller says of its memory, and of how many definitions it is by now: the creates have added to them.
func heap(m map[string]float64) error {
	resp, err := http.Get("http://" + addr + "/metrics?storage_pools=false")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	s := bufio.NewScanner(resp.Body)
	for s.Scan() {
		name, value, _ := strings.Cut(s.Text(), " ")
		f := map[string]string{"go_memstats_heap_inuse_bytes": "controller_heap_mib", "go_gc_heap_live_bytes": "controller_live_mib",
			"linstor_resource_definition_count": "definitions_at_end"}[name]
		if f == "" {
			continue
		}
		if m[f], err = strconv.ParseFloat(value, 64); err != nil {
			return err
		}
		if strings.HasSuffix(f, "_mib") {
			m[f] /= 1 << 20
		}
	}
	return s.Err()
}

func post(path, body string) error {
	r, err := http.Post("http://"+addr+path, "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode >= 300 {
		return fmt.Errorf("post %s: %s", path, r.Status)
	}
	return nil
}

// satellite runs the real one over the model machine, in a process of its own.
func satellite(ctx context.Context) (float64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	out, err := exec.CommandContext(ctx, self, "-satellite", "500").Output()
	if err != nil {
		return 0, fmt.Errorf("measure the satellite: %w", err)
	}
	var rss float64
	_, err = fmt.Sscan(string(out), &rss)
	return rss, err
}

// inLab runs the measurements that need machines (test/scenario, TestBench) and takes their figures in.
func inLab(ctx context.Context, dir string, m map[string]float64) error {
	say("in the lab")
	file := filepath.Join(dir, "lab.json")
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-timeout", "90m", "-run", "^TestBench$", "-v", "holdfast/test/scenario")
	cmd.Env = append(os.Environ(), "HOLDFAST_BENCH="+file)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("measure in the lab: %w\n%s", err, out)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, &m)
}

func table(m map[string]float64) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "figure\tmeasured\ttarget\t\twhat")
	for _, r := range rows {
		if _, measured := m[r.name]; !measured {
			fmt.Fprintf(w, "%s\t-\t\tnot measured\t%s\n", r.name, r.what)
			continue
		}
		target, met := "", ""
		if r.target > 0 {
			target, met = "> "+fmt.Sprint(r.target), "missed"
			if r.less {
				target = "< " + fmt.Sprint(r.target)
			}
			if r.less == (m[r.name] < r.target) {
				met = "met"
			}
		}
		fmt.Fprintf(w, "%s\t%.2f\t%s\t%s\t%s\n", r.name, m[r.name], target, met, r.what)
	}
	_ = w.Flush()
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if !slices.ContainsFunc(rows, func(r row) bool { return r.name == k }) {
			fmt.Printf("%s %.1f\n", k, m[k])
		}
	}
}
