package scenario

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/sim/machine"
	"holdfast/internal/tool/drbd"
	"holdfast/internal/tool/lvm"
	"holdfast/internal/tool/run"
	"holdfast/lab"
	"holdfast/lab/cluster"
)

// The simulator's model of DRBD 9 is held against the kernel: three machines of each kind go through the same power cuts,
// broken links, promotions and writes, from a seed. Both allow the same, a Primary reads the same, and once all is well
// again both are in the same state. Whenever they are at rest they agree on roles, disks and quorum; what differs in what
// one knows of its peers is noted.
//
// HOLDFAST_KERNEL_SEEDS=FROM..TO plays other seeds, about a minute each.
func TestKernelAgreesWithModel(t *testing.T) {
	needDRBD9(t)
	seeds := []uint64{3, 10} // with a client, and without
	if s := os.Getenv("HOLDFAST_KERNEL_SEEDS"); s != "" {
		var from, to uint64
		if _, err := fmt.Sscanf(s, "%d..%d", &from, &to); err != nil {
			t.Fatal(err)
		}
		seeds = nil
		for i := from; i <= to; i++ {
			seeds = append(seeds, i)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	l, err := lab.Up(ctx, lab.Config{Machines: 3, Disks: []int64{64 << 20}, Keep: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, m := range l.Machines {
		if _, err := m.Sh(ctx, "vgcreate -q "+cluster.VG+" /dev/vda && mkdir -p "+twinDir+" && sync"); err != nil {
			t.Fatal(err)
		}
	}
	for _, seed := range seeds {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { newTwins(ctx, t, l, seed).play() }) {
			return // what is left may not let itself be taken down
		}
	}
}

const (
	twinDir  = "/var/lib/holdfast/res"
	twinFile = twinDir + "/web.res"
	twinDisk = "/dev/" + cluster.VG + "/web_00000"
	twinKiB  = 16 << 10
)

var twinTarget = drbd.Target{File: twinFile, Resource: "web"}

// twins are lab machines and model machines that are told the same.
type twins struct {
	*testing.T
	ctx      context.Context
	lab      *lab.Lab
	net      *machine.Network
	now      time.Time // the model's
	rnd      *rand.Rand
	seed     uint64
	diskless int         // this many of the last have no disk
	acked    map[int]int // writes: the block's number, and the model's
	wrote    int
	trace    []string
}

func newTwins(ctx context.Context, t *testing.T, l *lab.Lab, seed uint64) *twins {
	w := &twins{T: t, ctx: ctx, lab: l, net: machine.NewNetwork(), now: time.Unix(1000, 0), rnd: rand.New(rand.NewPCG(seed, 9)), seed: seed, acked: map[int]int{}}
	w.diskless = w.rnd.IntN(2)
	w.must(l.HealAll())
	w.net.Tick(w.now)
	for i, m := range l.Machines {
		w.make(i, m)
	}
	return w
}

// make makes the volume and its config on a machine and its twin.
func (w *twins) make(i int, m *lab.Machine) {
	w.Helper()
	model := w.net.Add(m.Name, machine.Options{Address: netip.MustParseAddr(m.Address), Module: "9.2.18", VGs: map[string]int64{cluster.VG: 60 << 10}})
	r := drbd.Resource{Name: "web", Generation: drbd.Gen9, Local: m.Name, Secret: "s", Options: map[string]map[string]string{
		"net":     {"protocol": "C", "ping-int": "1", "ping-timeout": "15", "connect-int": "1", "timeout": "9"},
		"disk":    {"c-plan-ahead": "0", "c-min-rate": "0", "resync-rate": "100M"},
		"options": {"quorum": "majority", "on-no-quorum": "io-error", "auto-promote": "no"}}}
	for j, p := range w.lab.Machines {
		node := drbd.Node{Name: p.Name, NodeID: j, Address: netip.MustParseAddr(p.Address), Port: 7000, Volumes: []drbd.Volume{{Minor: 1000, Device: twinDisk}}}
		if !w.diskful(j) {
			node.Diskless, node.Volumes[0].Device = true, ""
		}
		r.Nodes = append(r.Nodes, node)
	}
	text, err := drbd.Config(r)
	w.must(err)
	w.must(model.MkdirAll(twinDir, 0o755))
	w.must(model.WriteFile(twinFile, text, 0o600))
	w.sh(i, "drbdsetup down web 2>/dev/null; lvremove -qq -y "+cluster.VG+"/web_00000 2>/dev/null; true")
	w.must(m.PutBytes(w.ctx, text, twinFile, 0o600))
	if w.diskful(i) {
		w.sh(i, fmt.Sprintf("lvcreate -qq -y -Wy -Zy -n web_00000 -L %dk %s && dd if=/dev/zero of=%s bs=1M count=%d oflag=direct status=none", twinKiB, cluster.VG, twinDisk, twinKiB>>10))
		w.must(lvm.Tool{Run: model}.Create(w.ctx, cluster.VG, "web_00000", twinKiB, "holdfast=1"))
		for _, r := range w.both(i) {
			w.must(drbd.Tool{Run: r}.CreateMetadata(w.ctx, drbd.Meta{Minor: 1000, Format: drbd.V09, Device: twinDisk}, 7, true))
		}
	}
	w.sh(i, "sync; sync /dev/vda")
}

func (w *twins) diskful(i int) bool { return i < len(w.lab.Machines)-w.diskless }

// vm runs programs in a lab machine.
type vm struct{ *lab.Machine }

func (v vm) Run(ctx context.Context, c run.Cmd) (run.Result, error) {
	limit := c.Timeout
	if limit == 0 {
		limit = run.DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r, err := v.Machine.Run(ctx, lab.Command{Argv: c.Argv, Stdin: c.Stdin})
	if err != nil {
		return run.Result{}, err
	}
	return run.Result{Exit: r.Exit, Stdout: []byte(r.Stdout), Stderr: []byte(r.Stderr)}, nil
}

// both are the kernel and the model.
func (w *twins) both(i int) [2]run.Runner { return [2]run.Runner{vm{w.lab.Machines[i]}, w.model(i)} }

func (w *twins) model(i int) *machine.Machine { return w.net.Machine(w.lab.Machines[i].Name) }

func (w *twins) note(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf(format, args...))
}

func (w *twins) must(err error) {
	w.Helper()
	if err != nil {
		w.fail("%v", err)
	}
}

func (w *twins) fail(format string, args ...any) {
	w.Helper()
	for _, m := range w.lab.Machines {
		if m.Running() {
			out, _ := m.Sh(w.ctx, "drbdsetup status --verbose --statistics; dmesg | tail -n 30")
			w.Logf("--- %s\n%s", m.Name, out)
		}
	}
	w.Fatalf("seed %d, %d diskless:\n%s\n%s", w.seed, w.diskless, strings.Join(w.trace, "\n"), fmt.Sprintf(format, args...))
}

func (w *twins) sh(i int, line string) {
	w.Helper()
	_, err := w.lab.Machines[i].Sh(w.ctx, line)
	w.must(err)
}

// view is what a machine knows.
type view struct {
	Role, Disk, Quorum string
	Peers              map[string]peerView
}

type peerView struct{ Connection, Role, Replication, Disk string }

func (w *twins) view(r run.Runner) view {
	s, err := drbd.Tool{Run: r}.Snapshot(w.ctx)
	if err != nil || s.Resources["web"] == nil {
		return view{Role: fmt.Sprint("not up ", err)}
	}
	res := s.Resources["web"]
	v := view{Role: res.Role, Peers: map[string]peerView{}}
	if d := res.Devices[0]; d != nil {
		v.Disk, v.Quorum = d.Disk, d.Quorum
	}
	for _, c := range res.Connections {
		p := peerView{Connection: c.Connection, Role: c.Role}
		if d := c.PeerDevices[0]; d != nil {
			p.Replication, p.Disk = d.Replication, d.PeerDisk
		}
		if p.Connection != "Connected" && p.Connection != "StandAlone" {
			p.Connection = "Connecting" // whatever it does to get there
		}
		v.Peers[c.Name] = p
	}
	return v
}

// pictures of all machines that are on.
func (w *twins) pictures() (kernel, model map[string]view) {
	kernel, model = map[string]view{}, map[string]view{}
	for i, m := range w.lab.Machines {
		if m.Running() {
			b := w.both(i)
			kernel[m.Name], model[m.Name] = w.view(b[0]), w.view(b[1])
		}
	}
	return kernel, model
}

// settle lets both come to rest.
func (w *twins) settle() (kernel, model map[string]view) {
	w.Helper()
	for range 6 {
		w.now = w.now.Add(time.Minute)
		w.net.Tick(w.now)
	}
	last, since := "", time.Now()
	w.must(cluster.Wait(w.ctx, time.Minute, "the kernels are at rest", func() (bool, string) {
		kernel, model = w.pictures()
		now := fmt.Sprint(kernel)
		if cmp.Equal(kernel, model) {
			return true, ""
		}
		if now != last {
			last, since = now, time.Now()
		}
		return w.atRest(kernel) && time.Since(since) > 4*time.Second, now
	}))
	for name, k := range kernel {
		m := model[name]
		if diff := cmp.Diff(m, k); diff != "" {
			w.note("    %s: model %v, kernel %v", name, m, k)
		}
		if k.Role != m.Role || k.Disk != m.Disk || k.Quorum != m.Quorum {
			w.fail("%s isn't as in the model", name)
		}
	}
	return kernel, model
}

// atRest: nothing syncs, and who reaches whom is connected.
func (w *twins) atRest(kernel map[string]view) bool {
	for a, v := range kernel {
		for b, p := range v.Peers {
			_, on := kernel[b]
			switch {
			case p.Replication != "Off" && p.Replication != "Established",
				p.Connection == "Connecting" && on && w.net.Linked(a, b),
				p.Connection == "Connected" && !w.net.Linked(a, b):
				return false
			}
		}
	}
	return true
}

// do does the same on both, which both allow or both refuse.
func (w *twins) do(i int, what string, f func(drbd.Tool) error) bool {
	w.Helper()
	var errs [2]error
	for k, r := range w.both(i) {
		errs[k] = f(drbd.Tool{Run: r})
	}
	w.note("%s: %s: %v", w.lab.Machines[i].Name, what, errs[0] == nil)
	if (errs[0] == nil) != (errs[1] == nil) {
		w.fail("kernel: %v\nmodel: %v", errs[0], errs[1])
	}
	return errs[0] == nil
}

func (w *twins) adjust(i int) {
	w.Helper()
	if !w.do(i, "adjust", func(t drbd.Tool) error { return t.Adjust(w.ctx, twinTarget) }) {
		w.fail("it isn't adjusted")
	}
}

func (w *twins) secondary(i int) {
	w.do(i, "secondary", func(t drbd.Tool) error {
		err := t.Secondary(w.ctx, twinTarget)
		if errors.Is(err, drbd.ErrUnknownResource) {
			return nil
		}
		return err
	})
}

// primary promotes, and looks whether both read the same.
func (w *twins) primary(i int) {
	w.Helper()
	if !w.do(i, "primary", func(t drbd.Tool) error { return t.Primary(w.ctx, twinTarget, false) }) {
		return
	}
	out, err := w.lab.Machines[i].Sh(w.ctx, fmt.Sprintf("timeout 30 dd if=/dev/drbd1000 bs=4096 count=%d iflag=direct status=none", max(1, w.wrote)))
	v, merr := w.model(i).Read("web", 0)
	switch {
	case (err == nil) != (merr == nil):
		w.fail("read: kernel: %v\nmodel: %v", err, merr)
	case err != nil:
		return // it was Primary already, and has no quorum
	}
	there, has := map[string]bool{}, map[int]bool{}
	for _, s := range strings.FieldsFunc(out, func(r rune) bool { return r == 0 || r == ' ' || r == '\n' }) {
		there[s] = true
	}
	for _, id := range v.Writes {
		has[id] = true
	}
	for n, id := range w.acked {
		if k := there[w.block(n)]; !k || !has[id] {
			w.fail("acknowledged write %d is readable on %s: kernel %v, model %v", n, w.lab.Machines[i].Name, k, has[id])
		}
	}
}

func (w *twins) block(n int) string { return fmt.Sprintf("%d-%d", w.seed, n) }

// write writes a block.
func (w *twins) write(i int) {
	w.Helper()
	n := w.wrote
	w.wrote++
	_, err := w.lab.Machines[i].Sh(w.ctx, fmt.Sprintf("echo %s | timeout 30 dd of=/dev/drbd1000 bs=4096 count=1 seek=%d conv=sync oflag=direct,dsync", w.block(n), n))
	id, merr := w.model(i).Write("web", 0)
	w.note("%s: write %d: %v", w.lab.Machines[i].Name, n, err == nil)
	if (err == nil) != (merr == nil) {
		w.fail("write: kernel: %v\nmodel: %v", err, merr)
	}
	if err == nil {
		w.acked[n] = id
	}
}

func (w *twins) powerOn(i int) {
	w.Helper()
	w.note("%s: power on", w.lab.Machines[i].Name)
	w.must(w.lab.Machines[i].Start(w.ctx))
	w.model(i).PowerOn()
	if w.diskful(i) {
		w.sh(i, "vgchange -q -ay "+cluster.VG+" >/dev/null")
		w.must(lvm.Tool{Run: w.model(i)}.Activate(w.ctx, cluster.VG, "web_00000"))
	}
	w.adjust(i)
}

func (w *twins) play() {
	n := len(w.lab.Machines)
	for i := range n {
		w.adjust(i)
	}
	w.settle()
	w.do(0, "primary --force", func(t drbd.Tool) error { return t.Primary(w.ctx, twinTarget, true) })
	w.write(0)
	kernel, _ := w.settle()
	for range 25 {
		i, j, do := w.rnd.IntN(n), w.rnd.IntN(n), w.rnd.IntN(14)
		if do >= 9 && w.rnd.IntN(4) > 0 { // mostly, the Primary is meant
			for k, m := range w.lab.Machines {
				if kernel[m.Name].Role == "Primary" {
					i = k
				}
			}
		}
		m, o := w.lab.Machines[i], w.lab.Machines[j]
		on := m.Running()
		switch {
		case do <= 2 && i != j:
			w.note("cut %s %s", m.Name, o.Name)
			w.must(w.lab.Cut(m.Name, o.Name))
			w.net.Cut(m.Name, o.Name)
		case do <= 4 && i != j:
			w.note("heal %s %s", m.Name, o.Name)
			w.must(w.lab.Heal(m.Name, o.Name))
			w.net.Heal(m.Name, o.Name)
		case do == 5 && on:
			w.note("%s: power cut", m.Name)
			w.sh(i, "sleep 6") // the kernel writes the flags in its metadata within 5 s
			w.must(m.Kill())
			w.model(i).PowerCut()
		case do <= 8 && !on:
			w.powerOn(i)
		case do == 9 && on:
			w.secondary(i)
		case do <= 10 && on:
			w.primary(i)
		case on:
			w.write(i)
		default:
			continue
		}
		kernel, _ = w.settle()
	}
	// All is well again.
	w.note("the end")
	w.must(w.lab.HealAll())
	for i, m := range w.lab.Machines {
		for _, o := range w.lab.Machines[:i] {
			w.net.Heal(m.Name, o.Name)
		}
		if m.Running() {
			w.secondary(i)
			w.adjust(i)
		} else {
			w.powerOn(i)
		}
	}
	kernel, model := w.settle()
	if diff := cmp.Diff(model, kernel); diff != "" {
		w.fail("at the end the model (-) isn't what the kernel (+) is:\n%s", diff)
	}
	for i := range n {
		w.primary(i)
		w.secondary(i)
	}
	w.Logf("seed %d, %d diskless, %d writes:\n%s", w.seed, w.diskless, len(w.acked), strings.Join(w.trace, "\n"))
}
