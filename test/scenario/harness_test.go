package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"holdfast/api"
	"holdfast/client"
	"holdfast/lab"
	"holdfast/lab/cluster"
)

// world is a lab with Holdfast, and a test that is at stake.
type world struct {
	*cluster.Cluster
	t     *testing.T
	ctx   context.Context
	api   *client.Client
	start time.Time
}

// idle are clusters of two machines that the stories share: nodes and pools are registered in them, and each story leaves
// its cluster as it found it. After a failure the next story gets another one. There are as many as stories run at once.
var idle struct {
	sync.Mutex
	clusters []*cluster.Cluster
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, c := range idle.clusters {
		if err := c.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// shared is a cluster of two that no other story uses at the time, made if there is none, with nodes and pools registered.
// What the test has made must be gone at its end. The test runs beside others (-parallel) from here on.
func shared(t *testing.T) *world {
	t.Helper()
	needLab(t)
	t.Parallel()
	return ofTwo(t)
}

// alone is shared for a story whose snapshots must be taken within the 8 s for which I/O may stand still: an emulated
// machine that has a processor for half of the time may not manage that.
func alone(t *testing.T) *world {
	t.Helper()
	needLab(t)
	return ofTwo(t)
}

func ofTwo(t *testing.T) *world {
	t.Helper()
	start := time.Now()
	var c *cluster.Cluster
	idle.Lock()
	if n := len(idle.clusters); n > 0 {
		c, idle.clusters = idle.clusters[n-1], idle.clusters[:n-1]
	}
	idle.Unlock()
	made := c == nil
	if made {
		c = bringUp(t, cluster.Config{Lab: lab.Config{Disks: []int64{1 << 30}}})
	}
	w := newWorld(t, c, start)
	t.Cleanup(func() {
		if t.Failed() {
			w.showLogs()
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			return
		}
		idle.Lock()
		defer idle.Unlock()
		idle.clusters = append(idle.clusters, c)
	})
	t.Cleanup(func() {
		if !t.Failed() {
			begin := time.Now()
			w.tidy()
			w.took(begin, "tidy")
		}
	})
	if made {
		w.took(start, "up")
		w.nodes()
	} else {
		w.online() // the last story may have cut somebody's power
	}
	return w
}

// up brings up n machines of the test's own, with Holdfast running on them. The test runs beside others from here on.
func up(t *testing.T, n int, change ...func(*cluster.Config)) *world {
	t.Helper()
	needLab(t)
	t.Parallel()
	start := time.Now()
	c := cluster.Config{Lab: lab.Config{Machines: n, Disks: []int64{1 << 30}}}
	for _, f := range change {
		f(&c)
	}
	w := newWorld(t, bringUp(t, c), start)
	w.took(start, "up")
	t.Cleanup(func() {
		if t.Failed() {
			w.showLogs()
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func needLab(t *testing.T) {
	t.Helper()
	if os.Getenv("HOLDFAST_LAB") == "" {
		t.Skip("boots virtual machines: set HOLDFAST_LAB=1, or run make test")
	}
}

// nine: the lab's kernel gets DRBD 9.
func nine() bool { return os.Getenv("HOLDFAST_LAB_MODULES") != "" }

// needDRBD9 skips a test that 8.4 can't pass.
func needDRBD9(t *testing.T) {
	t.Helper()
	needLab(t)
	if !nine() {
		t.Skip("needs DRBD 9, which Debian's kernel doesn't have: set HOLDFAST_LAB_MODULES to a folder with its modules")
	}
}

func bringUp(t *testing.T, c cluster.Config) *cluster.Cluster {
	t.Helper()
	cl, err := cluster.Up(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return cl
}

func newWorld(t *testing.T, c *cluster.Cluster, start time.Time) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 18*time.Minute)
	t.Cleanup(cancel)
	w := &world{Cluster: c, t: t, ctx: ctx, start: start}
	var err error
	if w.api, err = client.New(c.URL); err != nil {
		t.Fatal(err)
	}
	return w
}

// tidy deletes all resources, which must leave nothing behind on any machine.
func (w *world) tidy() {
	w.t.Helper()
	var list []api.ResourceDefinition
	if err := w.api.Do(w.ctx, "GET", "/v1/resource-definitions", nil, nil, &list); err != nil {
		w.t.Fatal(err)
	}
	if len(list) > 0 {
		w.each(func(m *lab.Machine) error {
			_, err := m.Sh(w.ctx, "for r in $(drbdsetup status | awk '/^[^ ].* role:Primary/ {print $1}'); do drbdadm secondary $r; done")
			return err
		})
		line := "resource-definition delete"
		for _, d := range list {
			line += " " + d.Name
		}
		w.until(10*time.Second, "nothing is in use", func() (bool, string) { // the nodes may not have told yet
			out, err := w.Linstor(w.ctx, strings.Fields(line)...)
			if err == nil {
				return true, ""
			}
			return false, out + err.Error()
		})
	}
	w.each(func(m *lab.Machine) error { return w.empty(m.Name) })
}

// each does something on all machines at once; it must succeed.
func (w *world) each(f func(*lab.Machine) error) {
	w.t.Helper()
	errs := make([]error, len(w.Machines))
	var wg sync.WaitGroup
	for i, m := range w.Machines {
		wg.Go(func() { errs[i] = f(m) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		w.t.Fatal(err)
	}
}

// took writes a line of the test's diary: when, how long, what.
func (w *world) took(since time.Time, format string, args ...any) {
	w.t.Helper()
	w.t.Logf("%6.1f s %6.1f s  %s", time.Since(w.start).Seconds(), time.Since(since).Seconds(), fmt.Sprintf(format, args...))
}

func (w *world) showLogs() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if out, err := w.Command(ctx, "resource", "list").CombinedOutput(); len(out) > 0 {
		w.t.Logf("--- resource list %v\n%s", err, out)
	}
	for _, m := range w.Machines {
		if !m.Running() {
			w.t.Logf("%s is off", m.Name)
			continue
		}
		for _, d := range []string{"controller", "satellite"} {
			if out := w.Log(ctx, d, m.Name); out != "" {
				l := strings.Split(out, "\n")
				w.t.Logf("--- %s on %s, last lines\n%s", d, m.Name, strings.Join(l[max(0, len(l)-40):], "\n"))
			}
		}
		out, _ := m.Sh(ctx, "drbdsetup status --verbose --statistics 2>&1; lvs --config 'devices { global_filter=[\"r|/dev/drbd|\"] }' -o+lv_tags 2>&1; zfs list -t all 2>/dev/null; ls -la /var/lib/holdfast.d; dmesg | tail -n 15")
		w.t.Logf("--- %s\n%s", m.Name, out)
	}
}

// lin is a command line that must succeed.
func (w *world) lin(line string) string {
	w.t.Helper()
	begin := time.Now()
	out, err := w.Linstor(w.ctx, strings.Fields(line)...)
	if err != nil {
		w.t.Fatal(err)
	}
	if time.Since(begin) > diary {
		w.took(begin, "linstor %s", line)
	}
	return out
}

// diary is how long something takes at least to be worth a line.
const diary = 300 * time.Millisecond

// refused is a command line that must be refused with these words.
func (w *world) refused(line string, words ...string) {
	w.t.Helper()
	out, err := w.Linstor(w.ctx, strings.Fields(line)...)
	var exit *exec.ExitError
	if err == nil || !errors.As(err, &exit) || exit.ExitCode() != 10 {
		w.t.Fatalf("linstor %s: got %v, want exit code 10\n%s", line, err, out)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			w.t.Fatalf("linstor %s doesn't say %q:\n%v", line, word, err)
		}
	}
}

// on runs a shell line in a machine; it must succeed.
func (w *world) on(node, line string) string {
	w.t.Helper()
	begin := time.Now()
	out, err := w.Machine(node).Sh(w.ctx, line)
	if err != nil {
		w.t.Fatalf("%s: %v", node, err)
	}
	if time.Since(begin) > diary {
		w.took(begin, "%s# %s", node, line)
	}
	return out
}

// until waits for something to hold.
func (w *world) until(limit time.Duration, what string, ok func() (bool, string)) {
	w.t.Helper()
	begin := time.Now()
	if err := cluster.Wait(w.ctx, limit, what, ok); err != nil {
		w.t.Fatal(err)
	}
	if time.Since(begin) > diary {
		w.took(begin, "until %s", what)
	}
}

// kill cuts a machine's power.
func (w *world) kill(node string) {
	w.t.Helper()
	if err := w.Machine(node).Kill(); err != nil {
		w.t.Fatal(err)
	}
}

// powerOn boots a machine that was killed, and starts on it what ran there.
func (w *world) powerOn(node string) {
	w.t.Helper()
	begin := time.Now()
	if err := w.PowerOn(w.ctx, node); err != nil {
		w.t.Fatal(err)
	}
	w.took(begin, "power on %s", node)
}

// stop ends the controller with a signal.
func (w *world) stop(s syscall.Signal) {
	w.t.Helper()
	if err := w.StopController(w.ctx, s); err != nil {
		w.t.Fatal(err)
	}
}

// begin starts the controller and waits until it answers.
func (w *world) begin() {
	w.t.Helper()
	begin := time.Now()
	if err := w.StartController(w.ctx); err != nil {
		w.t.Fatal(err)
	}
	w.took(begin, "controller starts")
}

// nodes registers every machine and its volume group as pool swpool.
func (w *world) nodes() {
	w.t.Helper()
	for i, m := range w.Machines {
		typ := "Satellite"
		if i == 0 {
			typ = "Combined"
		}
		w.lin(fmt.Sprintf("node create --node-type %s %s %s", typ, m.Name, m.Address))
	}
	w.online()
	for _, m := range w.Machines {
		w.lin("storage-pool create lvm " + m.Name + " swpool " + cluster.VG)
	}
}

// thinPools makes a thin pool of that many MiB in each machine's volume group, and registers it as pool thin.
func (w *world) thinPools(mib int) {
	w.t.Helper()
	w.each(func(m *lab.Machine) error {
		_, err := m.Sh(w.ctx, fmt.Sprintf("lvcreate -q -y -T -Zy -L %dM --poolmetadatasize 4M sw_ssd/thin && sync /dev/vda", mib))
		return err
	})
	for _, m := range w.Machines {
		w.lin("storage-pool create lvmthin " + m.Name + " thin sw_ssd/thin")
	}
}

// noThinPools takes away what thinPools made, in which nothing may be left.
func (w *world) noThinPools() {
	w.t.Helper()
	for _, m := range w.Machines {
		w.until(time.Minute, "no thin volume is left on "+m.Name, func() (bool, string) {
			out, err := m.Sh(w.ctx, "lvs --noheadings -o name sw_ssd")
			return err == nil && strings.TrimSpace(out) == "thin", out
		})
		w.lin("storage-pool delete " + m.Name + " thin")
	}
	w.each(func(m *lab.Machine) error {
		_, err := m.Sh(w.ctx, "lvremove -q -y sw_ssd/thin && sync /dev/vda")
		return err
	})
}

func (w *world) online() {
	w.t.Helper()
	w.until(2*time.Minute, "all nodes are online", func() (bool, string) {
		var list []api.Node
		if err := w.api.Do(w.ctx, "GET", "/v1/nodes", nil, nil, &list); err != nil {
			return false, err.Error()
		}
		for _, n := range list {
			if n.ConnectionStatus != "ONLINE" {
				b, _ := json.Marshal(n)
				return false, string(b)
			}
		}
		return len(list) == len(w.Machines), fmt.Sprint(len(list))
	})
}

// create makes a resource on that many nodes. Its options make the lab quick: see lab.md 3.
func (w *world) create(name, size string, replicas int) {
	w.t.Helper()
	w.define(name, size)
	w.lin(fmt.Sprintf("resource create %s --auto-place %d", name, replicas))
}

func (w *world) define(name, size string) {
	w.t.Helper()
	w.defineWith(name, size, "")
}

func layerList(layers string) string {
	if layers == "" {
		return ""
	}
	return " --layer-list " + layers
}

func (w *world) defineWith(name, size, layers string) {
	w.t.Helper()
	w.lin("resource-definition create " + name + layerList(layers))
	w.lin("resource-definition drbd-options " + name + " --ping-int 1 --connect-int 1 --c-plan-ahead 0 --c-min-rate 0 --resync-rate 100M --al-extents 67")
	w.lin("volume-definition create " + name + " " + size)
}

// resources of that name as view/resources has them.
func (w *world) resources(name string) []api.ResourceWithVolumes {
	w.t.Helper()
	var list []api.ResourceWithVolumes
	if err := w.api.Do(w.ctx, "GET", "/v1/view/resources", map[string][]string{"resources": {name}}, nil, &list); err != nil {
		w.t.Fatal(err)
	}
	return list
}

// upToDate waits until that many replicas are UpToDate, for the API and for the kernel of each node.
func (w *world) upToDate(name string, replicas int) {
	w.t.Helper()
	w.until(2*time.Minute, fmt.Sprintf("%d replicas of %s are UpToDate", replicas, name), func() (bool, string) {
		good := 0
		list := w.resources(name)
		for _, r := range list {
			if len(r.Volumes) > 0 && r.Volumes[0].State != nil && r.Volumes[0].State.DiskState == "UpToDate" {
				good++
			}
		}
		if good != replicas {
			b, _ := json.Marshal(list)
			return false, string(b)
		}
		for _, r := range list {
			out, err := w.Machine(r.NodeName).Sh(w.ctx, "drbdsetup status "+name+" --verbose")
			if err != nil || !strings.Contains(out, " disk:UpToDate") || strings.Count(out, "connection:Connected") < replicas-1 {
				return false, r.NodeName + ": " + out
			}
		}
		return true, ""
	})
}

// connected waits until the kernel of node says so of the resource, or the opposite.
func (w *world) connected(node, name string, want bool) {
	w.t.Helper()
	w.until(time.Minute, fmt.Sprintf("%s connected on %s: %v", name, node, want), func() (bool, string) {
		out, err := w.Machine(node).Sh(w.ctx, "drbdsetup status "+name+" --verbose")
		return err == nil && strings.Contains(out, "connection:Connected") == want, out
	})
}

// nothingLeft checks that no LV, config file, kernel resource or device of Holdfast's is on the machine.
func (w *world) nothingLeft(node string) {
	w.t.Helper()
	begin := time.Now()
	if err := w.empty(node); err != nil {
		w.t.Fatal(err)
	}
	w.took(begin, "nothing is left on %s", node)
}

func (w *world) empty(node string) error {
	return cluster.Wait(w.ctx, time.Minute, "nothing is left on "+node, func() (bool, string) {
		out, err := w.Machine(node).Sh(w.ctx, left)
		if err != nil {
			return false, err.Error()
		}
		return strings.TrimSpace(out) == "", out
	})
}

const left = "lvs --noheadings -o name,tags " + cluster.VG + "; ls /var/lib/holdfast.d | grep -v '^[.]'; drbdsetup status 2>/dev/null | grep -v '^#'; ls -d /dev/drbd[0-9]* 2>/dev/null; true"

// write puts random bytes at the start of a volume and returns their checksum.
func (w *world) write(node, dev string, mib int) string {
	w.t.Helper()
	return w.on(node, fmt.Sprintf("dd if=/dev/urandom of=%s bs=1M count=%d iflag=fullblock oflag=direct conv=fsync status=none; dd if=%s bs=1M count=%d iflag=direct status=none | sha256sum | cut -d' ' -f1", dev, mib, dev, mib))
}

// check compares the start of a volume with the checksum.
func (w *world) check(node, dev string, mib int, want string) {
	w.t.Helper()
	if got := w.on(node, fmt.Sprintf("dd if=%s bs=1M count=%d iflag=direct status=none | sha256sum | cut -d' ' -f1", dev, mib)); got != want {
		w.t.Fatalf("the data on %s changed: %s, was %s", node, got, want)
	}
}

// device of a resource's first volume.
func (w *world) device(name string) string {
	w.t.Helper()
	for _, r := range w.resources(name) {
		if len(r.Volumes) > 0 && r.Volumes[0].DevicePath != "" {
			return r.Volumes[0].DevicePath
		}
	}
	w.t.Fatalf("%s has no device", name)
	return ""
}
