package sim

import (
	"context"
	"fmt"
	"slices"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/satellite"
	"holdfast/internal/satellite/steps"
	"holdfast/internal/sim/machine"
)

// node is a machine and the satellite process on it.
type node struct {
	w           *world
	i           int
	name        string
	endpoint    string // where the controller dials
	fingerprint string
	m           *machine.Machine
	file        bool // its pool is a directory
	kind        model.ProviderKind
	module      string
	config      satellite.Config

	agent    *satellite.Agent // nil: no process
	jobs     []*job
	stream   *machine.Stream
	lines    []string
	pumped   time.Time
	boots    int
	programs int  // that jobs of replicas have run
	logged   int  // lines of the machine's log in the trace
	away     bool // no controller can reach it
	claimed  bool
	looks    time.Time            // the first look at the machine takes until then
	highest  model.Order          // obeyed
	told     map[model.UUID]said  // newest word on each replica
	older    []said               // words that newer ones replaced
	handUp   bool                 // the resource made by hand runs
	frozen   map[string]time.Time // standstills of resources whose I/O we suspended, since when that is seen
	met      map[string]bool      // resources that were connected to a peer since the boot
}

// said is a word of a controller on a replica.
type said struct {
	epoch uint64
	spec  model.ResourceSpec
}

// job of an agent, on its way.
type job struct {
	satellite.Job
	ran bool
	res satellite.Result
}

const (
	poolName = "swpool"
	vgName   = "sw_ssd"
	dirName  = "/srv/pool"
	poolKiB  = 256 << 10
)

func (w *world) addNode(i int, module string) {
	n := &node{w: w, i: i, name: nodeNames[i], endpoint: fmt.Sprintf("%s:3366", w.address(i)), fingerprint: fmt.Sprintf("fp-%d", i),
		file: w.profile.files[i], kind: w.profile.pools[i], module: module,
		config: satellite.Config{StateDir: "/var/lib/holdfast", ConfigDir: "/var/lib/holdfast/drbd.d", Program: "holdfast", Version: "sim", CopyPartKiB: 8 << 10},
		told:   map[model.UUID]said{}}
	o := machine.Options{Address: w.address(i), Module: module, DiskKiB: w.profile.poolKiB}
	if !n.file {
		o.VGs = map[string]int64{vgName: w.profile.poolKiB}
		o.Zpools = map[string]int64{tankName: w.profile.poolKiB}
	}
	n.m = w.net.Add(n.name, o)
	if n.kind == model.LVMThin {
		n.m.AddThin(vgName, thinName, w.profile.poolKiB*3/4, w.profile.zeroes[i])
	}
	w.nodes = append(w.nodes, n)
	if n.file {
		must(n.m.MkdirAll(dirName, 0o755))
	}
	n.kernelFiles()
	w.plant(n)
	n.boot()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// kernelFiles are what a kernel shows of itself after each boot.
func (n *node) kernelFiles() {
	n.boots++
	n.met = map[string]bool{}
	must(n.m.MkdirAll("/proc/sys/kernel/random", 0o755))
	for _, f := range [][2]string{{"random/boot_id", fmt.Sprintf("boot-%d-%d", n.i, n.boots)}, {"hostname", n.name}, {"osrelease", "6.1.0-sim"}} {
		must(n.m.WriteFile("/proc/sys/kernel/"+f[0], []byte(f[1]+"\n"), 0o444))
	}
}

// up tells whether the satellite runs.
func (n *node) up() bool { return n.agent != nil }

// boot starts the satellite on a machine that is on.
func (n *node) boot() {
	if n.agent != nil || !n.m.On() {
		return
	}
	n.m.RestartProcess()
	a, err := satellite.New(n.m, n.config, n.w.now)
	if !n.m.Running() {
		n.w.logf("%s dies at its start", n.name)
		return
	}
	if err != nil {
		n.w.broken("I5", "the satellite on %s doesn't start: %v", n.name, err)
		return
	}
	if len(a.Problems) > 0 {
		n.w.broken("I5", "the satellite on %s finds its memory damaged: %q", n.name, a.Problems)
	}
	n.agent = a
	n.w.logf("%s: the satellite starts", n.name)
	n.w.slowLook(n)
	n.pump()
}

// died notices that the process was stopped in the middle of what it did.
func (n *node) died() bool {
	if n.agent != nil && n.m.Running() {
		return false
	}
	if n.agent != nil {
		n.gone()
	}
	return true
}

// gone forgets the process.
func (n *node) gone() {
	n.w.logf("%s: the satellite is gone", n.name)
	n.agent, n.jobs, n.stream, n.lines = nil, nil, nil, nil
	for _, x := range n.w.conns {
		if x.node == n {
			x.closeNode()
		}
	}
}

// kill ends the process.
func (n *node) kill() {
	n.m.Crash()
	if n.agent != nil {
		n.gone()
	}
}

// cut takes the power.
func (n *node) cut() {
	n.m.PowerCut()
	if n.agent != nil {
		n.gone()
	}
}

// pump takes out of the agent what it wants to do and to say.
func (n *node) pump() {
	if n.agent == nil || n.died() {
		return
	}
	now := n.w.now
	n.pumped = now
	if n.stream != nil && n.agent.StreamOld(now) {
		n.endStream()
	}
	if n.stream == nil && n.agent.StreamDue(now) {
		s, err := n.m.Stream(context.Background(), satellite.EventsArgv())
		n.agent.StreamStarted(now)
		if err != nil {
			n.agent.StreamEnded(now)
		} else {
			n.stream = s.(*machine.Stream)
		}
	}
	for _, j := range n.agent.Due(now) {
		n.jobs = append(n.jobs, &job{Job: j})
	}
	for _, m := range n.agent.Outbox(now) {
		n.checkMet(m)
		for _, x := range n.w.conns {
			if x.node == n && x.ags == n.agent.Session() && x.ags != 0 && !x.nodeGone {
				x.send(n.w.breakReport(m))
			}
		}
	}
}

func (n *node) endStream() {
	n.stream.Close()
	n.stream, n.lines = nil, nil
	n.agent.StreamEnded(n.w.now)
}

// listen collects what DRBD has to tell.
func (n *node) listen() (ended bool) {
	if n.stream == nil {
		return false
	}
	lines, ended := n.stream.Lines()
	n.lines = append(n.lines, lines...)
	return ended && len(n.lines) == 0
}

// events hands some of DRBD's lines to the agent.
func (n *node) events(most int) {
	k := min(most, len(n.lines))
	for _, l := range n.lines[:k] {
		if err := n.agent.OnEvent(l, n.w.now); err != nil {
			n.w.broken("I5", "%s doesn't understand DRBD's event %q: %v", n.name, l, err)
			n.endStream()
			n.pump()
			return
		}
		if n.died() {
			return
		}
	}
	if k == len(n.lines) {
		n.lines = nil
	} else {
		n.lines = n.lines[k:]
	}
	n.pump()
}

// run does a job; its result waits until finish.
func (n *node) run(j *job) {
	w := n.w
	if j.Kind == satellite.ReplicaJob {
		w.logf("%s runs: %s", n.name, j.Job)
	}
	w.apartBefore(n, j)
	w.loseAnswers(n, j)
	if n.died() {
		return
	}
	w.breakBefore(n, j)
	job := j.Job
	switch w.cfg.Break {
	case GuardSkipped:
		job.Steps = skip(steps.GuardGone, job.Steps)
	case DropUnguarded:
		job.Steps = skip(steps.GuardDrop, job.Steps)
	}
	before := w.oracle.beforeJob(w, n, j)
	logged := n.m.Logged()
	j.res = n.agent.RunJob(context.Background(), job)
	var log []string
	if j.Kind == satellite.ReplicaJob {
		log = n.m.LogSince(logged)
		n.programs += countPrograms(log)
	}
	j.ran = true
	if j.res.Err != nil {
		w.logf("%s: it fails: %v", n.name, j.res.Err)
	}
	w.breakDone(n, j)
	w.oracle.afterJob(w, n, j, before, log)
	n.died()
}

// finish tells the agent.
func (n *node) finish(j *job) {
	n.jobs = slices.DeleteFunc(n.jobs, func(o *job) bool { return o == j })
	n.agent.Finish(j.Job, j.res, n.w.now)
	if n.died() {
		return
	}
	n.pump()
}

const second = time.Second
