package satellite

import (
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
	poolFresh     = 5 * time.Second // for how long a look at a pool is as good as a new one to take a snapshot by
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
	views    int             // how often a job has told of the kernel
	told     map[string]bool // resources of which a job has told since the stream began

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
	told   time.Time // when all who have something in it were last planned for what was seen
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

	fails    int
	reason   string // of the last failure
	waiting  bool   // the last failure was a WaitError
	soon     bool   // and it passes by itself
	failed   string // the steps that failed, as text
	notYet   time.Time
	ripe     time.Time // of a plan with After
	heals    int
	healAt   time.Time
	passed   time.Time // the guard was passed and the resource taken down
	lastRun  string    // steps of the last job that went well
	made     map[model.UUID]bool
	mdMade   map[model.UUID]bool
	grown    map[model.UUID]int64 // devices that grow, KiB
	alone    map[model.UUID]int64 // those that grew without a connection, KiB
	copied   map[model.UUID]int64 // those that are being made by copying, KiB
	session  uint64               // the session that sent or confirmed the spec
	quiet    model.QuietStatus
	quietAt  time.Time // since when it is held
	urgentAt time.Time // since when it is urgent; zero: it isn't
	unheld   bool      // it isn't: DRBD was looked at only
	rolled   model.UUID
	anew     model.UUID // the rollback for which its metadata were made anew
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
		view: map[string]*drbd.ResourceState{}, heard: map[string]int{}, doubt: map[string]bool{}, told: map[string]bool{}, running: map[uint64]*runningJob{}, nodeDirty: true}
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
			r.busy = a.jobOf(s.ID)
		}
		if r.spec.Generation != s.Generation || r.spec.Want != s.Want {
			r.fails, r.notYet, r.reason, r.failed, r.heals, r.waiting, r.lastRun = 0, time.Time{}, "", "", 0, false, ""
		}
		r.spec, r.dirty = s, true
		replicas[s.ID] = r
	}
	a.replicas = replicas
	a.dropVoid()
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

// dirtyChanged is dirtyPool for those alone whose device isn't as it was.
func (a *Agent) dirtyChanged(name string, before, after pool.Picture) {
	was, changed := map[string]pool.Device{}, map[string]bool{}
	for _, d := range before.Devices {
		was[d.Name], changed[d.Name] = d, true
	}
	for _, d := range after.Devices {
		changed[d.Name] = was[d.Name] != d
	}
	for _, r := range a.replicas {
		for _, v := range volumesOf(r.spec) {
			r.dirty = r.dirty || v.Pool == name && changed[v.Backing]
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

// save keeps what was learnt; if it fails now, the next save has it too.
func (a *Agent) save() error { return a.kept.save(a.host, a.cfg) }
