package satellite

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/pool"
	"holdfast/internal/satellite/steps"
	"holdfast/internal/tool/drbd"
	"holdfast/internal/tool/run"
)

// Config is where things are.
type Config struct {
	// Node is what `uname -n` says: DRBD's files name hosts so.
	Node     string
	StateDir string // the node's memory, in the folder "replicas"
	// ConfigDir holds DRBD's config files.
	ConfigDir string
	// Program is this program's path, for the guard that ends a standstill of I/O whatever happens to us.
	Program string
	Version string // of this satellite
	// LVMAllow are LVM filter patterns of physical volumes that would be rejected otherwise, such as ^/dev/loop7$.
	LVMAllow []string
	// CopyPartKiB of a volume are copied at a time; 0: steps.CopyPartKiB.
	CopyPartKiB int64
}

// Times of the satellite.
const (
	nodeEvery     = time.Minute
	poolEvery     = 30 * time.Second
	poolSoon      = 3 * time.Second // after a change whose picture was foreseen: how full a thin pool is only a look tells
	progressEvery = time.Second
	hungEvery     = 5 * time.Second
	streamRetry   = time.Second
	streamAge     = 10 * time.Minute
	firstReport   = 5 * time.Second  // a session's first report waits so long for the first look at all there is
	freeEvery     = 10 * time.Second // reports of free space that changed by itself
	healForget    = time.Minute      // after that much peace the adjusts that mended don't count any more; without it, one more try
	healAfter     = 10 * time.Second // a connection that was given up is left to those who did it for so long
	maxJobs       = 8                // replica jobs at a time, those older than slowJob aside
	slowJob       = 10 * time.Second
	passedFor     = time.Minute // so long the guard's look counts, once the resource is down
)

// Agent is the satellite's state. It is not safe for concurrent use; RunJob is. Times only go forward.
type Agent struct {
	cfg    Config
	host   run.Host
	worker worker
	boot   string

	kept kept
	// fresh: the kept state was sent or confirmed in the session that is open.
	session *session
	// Problems of the start, for the log.
	Problems []string

	pools       map[string]*poolState // by name
	devicePools map[model.UUID]*devicePool
	replicas    map[model.UUID]*replica
	configs     map[string]configFile // by resource name
	rewritten   map[string]bool       // configs that jobs of ours may have changed since the last look at the node began
	records     map[model.UUID]record

	node      *nodeFacts // last good look
	nodeAt    time.Time
	nodeJob   bool
	nodeDirty bool

	events     *drbd.State // being folded
	eventsFull bool        // the stream has shown its first picture
	view       map[string]*drbd.ResourceState
	viewKnown  bool
	streamOn   bool
	streamAt   time.Time // started, or when it may start again
	progressAt time.Time
	progress   bool // a job runs
	// heard counts DRBD's events by resource, and pictures the whole ones: what a job saw is older than an event that came
	// while it ran, or newer, nobody knows. Resources of which that is so are in doubt until a look that no event disturbs.
	heard    map[string]int
	pictures int
	doubt    map[string]bool
	views    int // how often a job has told of the kernel

	crypt   crypts
	running map[uint64]*runningJob
	lastJob uint64
	hung    []hungProgram
	hungAt  time.Time
	hungJob bool

	changes []Change
}

// Change of a replica's phase, for the log.
type Change struct {
	Resource string
	ID       model.UUID
	From, To model.Phase
	Reason   string
	Gone     bool
}

// Changes gives what changed since it was asked last.
func (a *Agent) Changes() []Change {
	c := a.changes
	a.changes = nil
	return c
}

type runningJob struct {
	job      Job
	since    time.Time
	heard    map[string]int // when it began
	pictures int
	views    int
}

// hungProgram blocks queues until it ends.
type hungProgram struct {
	model.HungProgram
	pools   []string
	replica model.UUID
}

// poolState is a pool of the desired state.
type poolState struct {
	spec   model.PoolSpec
	seen   bool
	last   scan // last good picture, with the reason why a newer one can't be had
	reason string
	at     time.Time // of the last look, good or not
	good   time.Time
	dirty  bool
	stale  bool      // a job of ours changed it, or may have, and it wasn't looked at since
	busy   uint64    // the job that holds the queue
	moved  time.Time // when a job of a pool on the same storage last changed something there
}

// replica is an incarnation of the desired state.
type replica struct {
	spec    model.ResourceSpec
	dirty   bool
	busy    uint64
	plan    steps.Plan
	status  model.ResourceStatus
	planned bool // status is of this spec
	removed bool // it was told to remove it, and nothing was left

	fails   int
	reason  string // of the last failure
	waiting bool   // the last failure was a WaitError
	soon    bool   // and it passes by itself
	failed  string // the steps that failed, as text
	notYet  time.Time
	heals   int
	healAt  time.Time
	passed  time.Time // the guard was passed and the resource taken down
	lastRun string    // steps of the last job that went well
	made    map[model.UUID]bool
	mdMade  map[model.UUID]bool
	grown   map[model.UUID]int64 // devices that grow, KiB
	alone   map[model.UUID]int64 // those that grew without a connection, KiB
	copied  map[model.UUID]int64 // those that are being made by copying, KiB
	session uint64               // the session that sent or confirmed the spec
	quiet   model.QuietStatus
	quietAt time.Time // since when it is held
	rolled  model.UUID
	// of encrypted volumes, by label
	formatted map[model.UUID]bool
	keyGen    map[model.UUID]int   // generation of the first key, which opens it; -1: none does
	verify    model.VerifyProgress // the newest that was begun here
	throttled map[model.UUID]throttled
	fs        map[model.UUID]string // by label: "" the file system is made, else why it never will be

	verifyAsked bool      // it seems to have ended
	settling    *settling // nil: what its last job did is in the view
}

// New reads what was kept and makes the agent. A kept state that can't be read is an error: without it the node would not
// know what it must never initialise again.
func New(host run.Host, cfg Config, now time.Time) (*Agent, error) {
	k, err := loadKept(host, cfg)
	if err != nil {
		return nil, fmt.Errorf("start satellite: %w", err)
	}
	a := &Agent{cfg: cfg, host: host, kept: k, pools: map[string]*poolState{}, replicas: map[model.UUID]*replica{},
		view: map[string]*drbd.ResourceState{}, heard: map[string]int{}, doubt: map[string]bool{}, running: map[uint64]*runningJob{}, nodeDirty: true}
	if b, err := host.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		a.boot = strings.TrimSpace(string(b))
	} else {
		return nil, fmt.Errorf("start satellite: read the boot id: %w", err)
	}
	if a.cfg.Node == "" {
		b, err := host.ReadFile("/proc/sys/kernel/hostname")
		if err != nil {
			return nil, fmt.Errorf("start satellite: read the node's name: %w", err)
		}
		a.cfg.Node = strings.TrimSpace(string(b))
	}
	a.worker = worker{cfg: a.cfg, host: host, drbd: drbd.Tool{Run: host}, boot: a.boot}
	a.records, a.Problems = loadRecords(host, a.cfg)
	if err := removeDrafts(host, a.cfg); err != nil {
		a.Problems = append(a.Problems, err.Error())
	}
	if a.configs, err = loadConfigs(host, a.cfg); err != nil {
		return nil, fmt.Errorf("start satellite: %w", err)
	}
	a.take(a.kept.State)
	return a, nil
}

// Node is the name by which the agent knows its machine.
func (a *Agent) Node() string { return a.cfg.Node }

// take makes pools and replicas those of the state.
func (a *Agent) take(st model.NodeState) {
	pools := map[string]*poolState{}
	for _, p := range st.Pools {
		old := a.pools[p.Name]
		if old == nil || old.spec != p {
			n := &poolState{spec: p, dirty: true}
			if old != nil {
				n.busy = old.busy
			}
			old = n
		}
		pools[p.Name] = old
	}
	a.pools = pools
	a.takeDevicePools(st.DevicePools)
	replicas := map[model.UUID]*replica{}
	for _, s := range st.Resources {
		r := a.replicas[s.ID]
		if r == nil {
			r = &replica{made: map[model.UUID]bool{}, mdMade: map[model.UUID]bool{}, grown: map[model.UUID]int64{}, alone: map[model.UUID]int64{}, copied: map[model.UUID]int64{}, quiet: a.leftQuiet(s.ID),
				formatted: map[model.UUID]bool{}, keyGen: map[model.UUID]int{}, fs: map[model.UUID]string{}, throttled: map[model.UUID]throttled{}}
			for _, j := range a.running {
				if j.job.Replica == s.ID {
					r.busy = j.job.ID
				}
			}
		}
		if r.spec.Generation != s.Generation || r.spec.Want != s.Want {
			r.fails, r.notYet, r.reason, r.failed, r.heals, r.waiting, r.lastRun = 0, time.Time{}, "", "", 0, false, ""
		}
		r.spec, r.dirty = s, true
		replicas[s.ID] = r
	}
	a.replicas = replicas
	a.allDirty() // one may wait for another that went
}

func (a *Agent) allDirty() {
	for _, r := range a.replicas {
		r.dirty = true
	}
}

func (a *Agent) dirtyPool(name string) {
	for _, r := range a.replicas {
		for _, v := range volumesOf(r.spec) {
			if v.Pool == name {
				r.dirty = true
			}
		}
	}
}

func (a *Agent) dirtyResource(name string) {
	for _, r := range a.replicas {
		if r.spec.Name == name {
			r.dirty = true
		}
	}
}

// ids in order, so that the same inputs give the same jobs.
func (a *Agent) ids() []model.UUID {
	return slices.SortedFunc(maps.Keys(a.replicas), func(x, y model.UUID) int {
		if c := strings.Compare(a.replicas[x].spec.Name, a.replicas[y].spec.Name); c != 0 {
			return c
		}
		return strings.Compare(string(x), string(y))
	})
}

// seen gathers what concerns a replica.
func (a *Agent) seen(r *replica) steps.Seen {
	s := r.spec
	out := steps.Seen{Volumes: map[int]steps.Volume{}, KernelKnown: a.viewKnown, Heals: r.heals, Passed: !r.passed.IsZero(),
		Forgotten: a.kept.Forgotten[s.ID], Kernel: kernel(a.view[s.Name]), Quiet: r.quiet, Rolled: r.rolled, Verify: r.verify}
	if s.Snapshot != nil {
		for _, v := range volumesOf(s) {
			out.Volumes[v.Number] = a.seenVolume(r, v)
		}
		return out
	}
	if c, ok := a.configs[s.Name]; ok {
		out.ConfigThere, out.Config, out.ConfigID = true, c.Text, c.Owner
	}
	if rec, ok := a.records[s.ID]; ok {
		out.Record = rec.in(a.boot)
	}
	for id, rec := range a.records {
		if rec.Resource == s.Name && rec.Boot == a.boot && out.Owner != s.ID && (id == s.ID || out.Owner == "" || id < out.Owner) {
			out.Owner = id
		}
	}
	for id, o := range a.replicas {
		if s.Want == model.Up && id != s.ID && o.spec.Snapshot == nil && model.Key(o.spec.Name) == model.Key(s.Name) && !o.status.Gone && (o.spec.Want == model.Gone || a.holds(o)) {
			out.OldWaits = id
		}
	}
	for _, v := range s.Volumes {
		out.Volumes[v.Number] = a.seenVolume(r, v)
	}
	if s.DRBD != nil {
		for name, k := range a.view {
			for _, d := range k.Devices {
				if name != s.Name && slices.ContainsFunc(s.Volumes, func(v model.VolumeSpec) bool { return v.Minor == d.Minor }) {
					if out.Minors == nil {
						out.Minors = map[int]string{}
					}
					out.Minors[d.Minor] = name
				}
			}
		}
	}
	out.Extra = a.kept.Unmentioned[s.ID]
	for _, v := range out.Extra {
		if _, twice := out.Volumes[v.Number]; !twice {
			out.Volumes[v.Number] = a.seenVolume(r, v)
		}
	}
	return out
}

// seenVolume gathers what concerns a volume of the replica.
func (a *Agent) seenVolume(r *replica, v model.VolumeSpec) steps.Volume {
	sv := steps.Volume{Made: r.made[v.ID], MDMade: r.mdMade[v.ID], GrownKiB: r.grown[v.ID], AloneKiB: r.alone[v.ID], Initialised: has(a.kept.Initialised, v.ID), Data: has(a.kept.Data, v.ID)}
	sv.CopiedKiB, sv.Begun = r.copied[v.ID]
	if p := a.pools[v.Pool]; p != nil {
		sv.PoolSeen, sv.PoolReason = p.seen && !p.stale, p.reason
		if h := a.hungPool(v.Pool); h != nil {
			sv.PoolReason = hungText(h)
		}
		if d := p.last.Device(v.Backing); d != nil {
			c := *d
			sv.Device, sv.LabelKnown = &c, a.known(c.Label)
		}
	} else if v.Pool != "" {
		sv.PoolReason = "this node wasn't told of it"
	}
	a.seenCrypt(r, v, &sv)
	seenFileSystem(r, v, &sv)
	seenThrottle(r, v, &sv)
	return sv
}

// holds tells whether an incarnation has a config file or a record here.
func (a *Agent) holds(r *replica) bool {
	_, rec := a.records[r.spec.ID]
	return rec || a.configs[r.spec.Name].Owner == r.spec.ID
}

// known tells whether a label is of a volume that this node is told about.
func (a *Agent) known(label model.UUID) bool {
	for _, r := range a.replicas {
		for _, v := range volumesOf(r.spec) {
			if v.ID == label {
				return true
			}
		}
	}
	return false
}

func (a *Agent) facts(r *replica) steps.Node {
	n := steps.Node{Name: a.cfg.Node, CopyPartKiB: a.cfg.CopyPartKiB}
	if a.node != nil {
		n.Known, n.DRBD, n.Throttles = true, model.DRBDGeneration(a.node.drbd.Generation), a.node.throttles
	}
	n.Session = a.session != nil && r.session == a.session.id
	return n
}

// Due gives the jobs to start now. Each must be run and its result handed to Finish.
func (a *Agent) Due(now time.Time) []Job {
	var jobs []Job
	start := func(j Job) Job {
		a.lastJob++
		j.ID = a.lastJob
		a.lend(&j)
		j.pools, j.disks, j.before = map[string]model.PoolSpec{}, map[string][]string{}, map[string]pool.Picture{}
		for _, name := range j.Pools {
			p := a.pools[name]
			p.busy = j.ID
			j.pools[name], j.disks[name] = p.spec, p.last.Disks
			if p.seen && !p.stale && p.reason == "" {
				j.before[name] = p.last.Picture
			}
		}
		a.running[j.ID] = &runningJob{j, now, maps.Clone(a.heard), a.pictures, a.views}
		jobs = append(jobs, j)
		return j
	}
	if !a.nodeJob && (a.nodeDirty || now.Sub(a.nodeAt) >= nodeEvery || a.lacksModule(now)) && !a.hangs(queue{}) {
		a.nodeJob, a.nodeDirty, a.rewritten = true, false, map[string]bool{}
		start(Job{Kind: NodeJob, load: a.wantsDRBD()})
	}
	if a.dueCrypt(now) {
		a.crypt.job = true
		start(Job{Kind: CryptJob, stamp: a.crypt.stamp})
	}
	if p := a.dueDevicePool(); p != nil && !a.hangs(queue{}) {
		p.busy = true
		start(Job{Kind: DevicePoolJob, devicePool: p.spec})
	}
	if len(a.hung) > 0 && !a.hungJob && now.Sub(a.hungAt) >= hungEvery {
		a.hungJob, a.hungAt = true, now
		j := Job{Kind: HungJob}
		for _, h := range a.hung {
			j.pids = append(j.pids, h.Pid)
		}
		start(j)
	}
	// Replicas come first: their steps end with a look at the pools that they change.
	slots := maxJobs
	for _, r := range a.running {
		if r.job.Kind == ReplicaJob && now.Sub(r.since) < slowJob {
			slots--
		}
	}
	for _, id := range a.ids() {
		r := a.replicas[id]
		a.lease(r, now)
		if r.busy != 0 {
			continue
		}
		if !a.settled(r, now) {
			continue
		}
		if !r.passed.IsZero() && now.Sub(r.passed) >= passedFor {
			r.passed, r.dirty = time.Time{}, true
		}
		if r.heals >= steps.MaxHeals && now.Sub(r.healAt) >= healForget {
			r.heals, r.dirty = steps.MaxHeals-1, true // the peer may think otherwise by now
		}
		if r.dirty {
			a.replan(r, now)
		}
		if len(r.plan.Steps) == 0 || slots <= 0 || a.hangs(queue{Replica: id}) {
			continue
		}
		text := stepsText(r.plan.Steps)
		if now.Before(r.notYet) && text == r.failed {
			continue
		}
		j := Job{Kind: ReplicaJob, Replica: id, Steps: r.plan.Steps, plan: r.plan}
		free := true
		for _, s := range j.Steps {
			if s.Kind == steps.CopyData && a.pools[s.Pool] != nil {
				j.specs = map[string]model.PoolSpec{s.Pool: a.pools[s.Pool].spec}
			}
			if !s.Pooled() || slices.Contains(j.Pools, s.Pool) {
				continue
			}
			j.Pools = append(j.Pools, s.Pool)
			free = free && a.pools[s.Pool].busy == 0 && !a.hangs(queue{Pool: s.Pool})
		}
		if !free {
			continue
		}
		j.events = a.byEvents(j)
		r.busy = start(j).ID
		slots--
	}
	for _, name := range slices.Sorted(maps.Keys(a.pools)) {
		p := a.pools[name]
		if p.busy == 0 && (p.dirty || now.Sub(p.at) >= poolEvery) && !a.hangs(queue{Pool: name}) {
			p.dirty = false
			start(Job{Kind: PoolJob, Pools: []string{name}})
		}
	}
	if !a.progress && now.Sub(a.progressAt) >= progressEvery && (len(a.doubt) > 0 || a.syncing() || a.growing("") || a.overdue(now)) {
		a.progress, a.progressAt = true, now
		start(Job{Kind: ProgressJob})
	}
	return jobs
}

// lacksModule: the first resource with DRBD has come, and the module isn't loaded yet.
func (a *Agent) lacksModule(now time.Time) bool {
	return a.node != nil && a.node.drbd.Generation != drbd.Absent && !a.node.drbd.Loaded && a.wantsDRBD() && now.Sub(a.nodeAt) >= streamRetry
}

func (a *Agent) wantsDRBD() bool {
	for _, r := range a.replicas {
		if r.spec.DRBD != nil {
			return true
		}
	}
	return false
}

func (a *Agent) syncing() bool {
	for _, r := range a.view {
		if r.Syncing() {
			return true
		}
	}
	return false
}

func stepsText(s []steps.Step) string {
	var b strings.Builder
	for _, st := range s {
		b.WriteString(st.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// replan makes the plan and the status anew from what is seen.
func (a *Agent) replan(r *replica, now time.Time) {
	r.dirty = false
	gentle := r.plan.Gentle
	seen := a.seen(r)
	seen.Verify = a.settleVerify(r, seen.Kernel)
	r.plan = steps.Next(r.spec, seen, a.facts(r))
	if a.settleQuiet(r) {
		seen.Quiet = r.quiet
		r.plan = steps.Next(r.spec, seen, a.facts(r))
	}
	switch {
	case r.plan.Gone && r.spec.Want == model.Gone:
		r.removed = true
	case r.removed && r.spec.Want == model.Up:
		// A controller that has just begun doesn't know yet what was done on its forerunner's word.
		r.plan = steps.Plan{Phase: model.Failed, Gone: true,
			Reason: "this node removed it, as it was told; it isn't made anew: delete this replica"}
	}
	a.dropped(r.spec, seen)
	if r.plan.Gentle && !gentle {
		r.failed, r.notYet = stepsText(r.plan.Steps), now.Add(healAfter)
	}
	if r.heals > 0 && len(r.plan.Steps) == 0 && r.plan.Phase == model.Done && now.Sub(r.healAt) >= healForget {
		r.heals = 0
	}
	if len(r.plan.Steps) == 0 {
		r.fails, r.reason, r.failed, r.notYet, r.lastRun = 0, "", "", time.Time{}, ""
	}
	a.setStatus(r, seen, now)
}

// moved: something was made or removed in this pool. A pool on the same storage shares its names and its space: what was seen
// of that one no longer holds.
func (a *Agent) moved(changed model.PoolSpec, now time.Time) {
	for name, p := range a.pools {
		if name != changed.Name && sharesStorage(p.spec, changed) {
			p.dirty, p.stale, p.moved = true, true, now
			a.dirtyPool(name)
		}
	}
}

// Finish takes a job's result in.
func (a *Agent) Finish(j Job, res Result, now time.Time) {
	began := a.running[j.ID]
	delete(a.running, j.ID)
	h := res.Hung()
	if h != nil {
		hp := hungProgram{HungProgram: model.HungProgram{Pid: h.Pid, Argv: h.Argv, SinceMS: now.UnixMilli()}, pools: j.Pools, replica: j.Replica}
		if len(j.Pools) > 0 {
			hp.Pool = j.Pools[0]
		}
		a.hung = append(a.hung, hp)
		a.hungAt = now
	}
	for _, name := range j.Pools {
		p := a.pools[name]
		if p == nil || p.busy != j.ID {
			continue
		}
		p.busy = 0
		sc, looked := res.Pictures[name]
		if j.pools[name] != p.spec {
			p.dirty = true
			continue
		}
		if !looked {
			if j.Kind == ReplicaJob {
				p.dirty, p.stale = true, true
				a.dirtyPool(name)
				a.moved(p.spec, now)
			}
			continue
		}
		if sc.foreseen { // it is as old as the look that it came from, and as right
			p.last.Picture = sc.Picture
			if soon := now.Add(poolSoon - poolEvery); p.spec.Kind == model.LVMThin && p.at.After(soon) {
				p.at = soon
			}
			a.dirtyPool(name)
			a.moved(p.spec, now)
			continue
		}
		p.at = now
		if sc.err != nil {
			p.reason = reason(sc.err)
		} else {
			p.last, p.reason, p.seen, p.stale, p.good = sc, "", true, began.since.Before(p.moved), now
		}
		a.dirtyPool(name)
		if j.Kind == ReplicaJob {
			a.moved(p.spec, now)
		}
	}
	switch j.Kind {
	case NodeJob:
		a.finishNode(res, began, now)
	case DevicePoolJob:
		a.finishDevicePool(j, res)
	case CryptJob:
		a.finishCrypt(j, res, now)
	case HungJob:
		a.hungJob = false
		a.hung = slices.DeleteFunc(a.hung, func(h hungProgram) bool {
			ended := slices.Contains(res.ended, h.Pid)
			if ended {
				for _, name := range h.pools {
					if p := a.pools[name]; p != nil {
						p.dirty = true
					}
				}
				if r := a.replicas[h.replica]; r != nil {
					r.dirty, r.notYet = true, time.Time{}
				}
			}
			return ended
		})
	case ProgressJob:
		a.progress = false
		if res.Kernel != nil {
			for _, name := range slices.Sorted(maps.Keys(a.view)) {
				if n := res.Kernel.Resources[name]; n != nil && (a.view[name].Syncing() || n.Syncing() || a.growing(name)) && !a.disturbed(began, name) {
					a.view[name] = n
					a.dirtyResource(name)
					a.goodData(name)
				}
			}
			a.settle(res.Kernel, began)
			for _, name := range slices.Sorted(maps.Keys(a.doubt)) {
				if !a.disturbed(began, name) {
					delete(a.doubt, name)
					a.setView(name, res.Kernel)
				}
			}
		}
	case ReplicaJob:
		a.finishReplica(j, res, began, now)
	}
}

func (a *Agent) finishNode(res Result, began *runningJob, now time.Time) {
	a.nodeJob, a.nodeAt = false, now
	if res.Node == nil {
		return
	}
	if res.Node.err != nil && a.node != nil {
		res.Node.drbd, res.Node.configs = a.node.drbd, nil // an older picture is better than none
	} else if res.Node.err != nil {
		a.nodeAt = now.Add(retry(1) - nodeEvery)
		return
	}
	switch {
	case a.streamOn:
	case res.Node.drbd.Loaded:
		if a.node != nil && !a.node.drbd.Loaded {
			a.viewKnown = false // what is up will be told by the events
		}
	case began != nil && began.views != a.views:
		a.nodeDirty = true // a job has brought something up meanwhile
	default: // without the module nothing is up
		a.viewKnown = true
		clear(a.view)
	}
	changed := a.node == nil || a.node.drbd != res.Node.drbd
	a.node = res.Node
	// Files that jobs of ours wrote meanwhile are as those jobs say.
	ours := func(name string) bool { return a.rewritten[name] || a.busyResource(name) }
	for name, c := range res.Node.configs {
		if !ours(name) {
			if old, ok := a.configs[name]; !ok || string(old.Text) != string(c.Text) {
				a.dirtyResource(name)
			}
			a.configs[name] = c
		}
	}
	if res.Node.configs != nil {
		for name := range a.configs {
			if _, ok := res.Node.configs[name]; !ok && !ours(name) {
				delete(a.configs, name)
				a.dirtyResource(name)
			}
		}
	}
	if changed {
		a.allDirty()
	}
}

// busyResource tells whether a job of ours may be changing the resource's files.
func (a *Agent) busyResource(name string) bool {
	for _, r := range a.replicas {
		if r.spec.Name == name && r.busy != 0 {
			return true
		}
	}
	return false
}

// disturbed tells whether DRBD said something of the resource since the job began.
func (a *Agent) disturbed(began *runningJob, name string) bool {
	return began == nil || began.pictures != a.pictures || began.heard[name] != a.heard[name]
}

func (a *Agent) setView(name string, st *drbd.State) {
	a.views++
	if k := st.Resources[name]; k != nil {
		a.view[name] = k
	} else {
		delete(a.view, name)
		a.allDirty() // one may wait for its minors
	}
	a.dirtyResource(name)
	a.goodData(name)
}

func (a *Agent) finishReplica(j Job, res Result, began *runningJob, now time.Time) {
	name := ""
	if len(j.Steps) > 0 {
		name = j.Steps[0].Resource
	}
	// What was done is true whether the replica is still spoken of or not.
	if res.record != nil {
		a.records[res.record.ID] = *res.record
	}
	if res.noRec {
		delete(a.records, j.Replica)
	}
	if a.nodeJob {
		a.rewritten[name] = true
	}
	if res.config != nil {
		a.configs[name] = *res.config
	}
	if res.noConf {
		delete(a.configs, name)
	}
	if res.Kernel != nil {
		if a.disturbed(began, name) {
			a.doubt[name] = true
		}
		a.setView(name, res.Kernel)
	}
	a.dirtyResource(name)
	keep := false
	for _, id := range res.forgot {
		if a.kept.Forgotten == nil {
			a.kept.Forgotten = map[model.UUID][]int{}
		}
		if !slices.Contains(a.kept.Forgotten[j.Replica], id) {
			a.kept.Forgotten[j.Replica] = append(a.kept.Forgotten[j.Replica], id)
			keep = true
		}
	}
	if keep {
		a.save()
	}
	r := a.replicas[j.Replica]
	a.tookCrypt(j, r, res)
	if r == nil {
		return
	}
	r.busy, r.dirty = 0, true
	if res.settles {
		r.settling = &settling{j.Steps, now.Add(settleFor)}
	}
	a.finishQuiet(r, j, res, began, now)
	if res.verify.ID != "" {
		r.verify = res.verify
	}
	for _, id := range res.made {
		r.made[id] = true
	}
	a.tookFileSystem(r, res)
	maps.Copy(r.throttled, res.throttled)
	for _, id := range res.mdMade {
		r.mdMade[id] = true
	}
	for id, kib := range res.grown {
		r.grown[id] = kib
		a.tellFree() // together with its status, which ends the growth: until then the controller counts what it takes
	}
	for id, kib := range res.alone {
		r.alone[id] = kib
	}
	for id, kib := range res.copied {
		if r.copied[id] = kib; kib == notCopied {
			delete(r.copied, id)
		}
	}
	for _, id := range res.removed {
		delete(r.copied, id)
		delete(r.grown, id)
		delete(r.alone, id)
		delete(r.made, id)
		delete(r.mdMade, id)
		delete(r.fs, id)
		delete(r.throttled, id)
	}
	r.passed = time.Time{}
	if res.passed && res.Err == nil {
		r.passed = now
	}
	text := stepsText(j.Steps)
	if res.Err != nil {
		var w *WaitError
		r.fails++
		r.reason, r.failed, r.waiting = reason(res.Err), text, errors.As(res.Err, &w)
		r.soon = r.waiting && w.Soon && r.fails <= soonTries
		if !r.waiting {
			r.reason = fmt.Sprintf("%s: %s", res.Failed.Kind, r.reason)
		}
		r.notYet = now.Add(retry(r.fails))
		return
	}
	if j.plan.Undo {
		return
	}
	if j.plan.Healing {
		// What it mended takes a moment to show.
		r.heals++
		r.healAt, r.failed, r.notYet = now, text, now.Add(retry(r.heals+1))
		if j.plan.Gentle {
			r.notYet = now.Add(healAfter)
		}
		r.fails, r.reason, r.waiting = 0, "", false
		return
	}
	if r.lastRun == text {
		// It went well and yet the same is to be done again: not at once.
		r.fails++
		r.reason, r.failed, r.waiting = fmt.Sprintf("%s went well but is needed again", j.Steps[0].Kind), text, false
		r.notYet = now.Add(retry(r.fails))
		return
	}
	r.lastRun = text
	r.fails, r.reason, r.failed, r.notYet, r.waiting = 0, "", "", time.Time{}, false
}

// save keeps what was learnt; if it fails now, the next save has it too.
func (a *Agent) save() error { return a.kept.save(a.host, a.cfg) }

// queue is what a program that hangs may hold.
type queue struct {
	Pool    string
	Replica model.UUID
}

// hangs tells whether a program that hangs holds the queue: a pool's, a replica's, or (zero key) the node's own.
func (a *Agent) hangs(k queue) bool {
	for _, h := range a.hung {
		switch {
		case k.Pool != "" && slices.Contains(h.pools, k.Pool),
			k.Replica != "" && h.replica == k.Replica,
			k == queue{} && len(h.pools) == 0 && h.replica == "":
			return true
		}
	}
	return false
}
