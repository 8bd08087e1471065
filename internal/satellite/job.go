package satellite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/pool"
	"holdfast/internal/satellite/steps"
	"holdfast/internal/tool/drbd"
	"holdfast/internal/tool/luks"
	"holdfast/internal/tool/run"
)

// JobKind is what a job is about.
type JobKind uint8

const (
	// ReplicaJob runs the steps of a replica.
	ReplicaJob JobKind = iota + 1
	// PoolJob looks at a pool.
	PoolJob
	// NodeJob looks at the machine: versions, what is supported, config files.
	NodeJob
	// ProgressJob asks DRBD how far the syncs are.
	ProgressJob
	// HungJob looks whether programs that hung have ended.
	HungJob
	// DevicePoolJob makes a pool of empty devices.
	DevicePoolJob
	// CryptJob looks at the encrypted devices that are open.
	CryptJob
)

// Job is work that may block. It carries all it needs; RunJob reads nothing of the Agent that changes.
type Job struct {
	ID   uint64
	Kind JobKind
	// Pools whose queues the job holds, by name.
	Pools   []string
	Replica model.UUID
	Steps   []steps.Step
	pools   map[string]model.PoolSpec
	disks   map[string][]string       // that the pools lie on, as far as known
	before  map[string]pool.Picture   // of the pools, where nothing may have changed since it was taken
	fresh   map[string]bool           // of those, seen a moment ago
	load    bool                      // NodeJob: load the DRBD module if it isn't
	specs   map[string]model.PoolSpec // of pools that its steps name though it doesn't hold their queues
	pids    []int
	plan    steps.Plan
	events  bool // what the steps do shows in DRBD's events
	// devicePool to make.
	devicePool model.DevicePoolSpec
	keys       map[model.UUID]volumeKeys // of encrypted devices, by label
	stamp      int                       // CryptJob: see crypts
}

func (j Job) String() string {
	switch j.Kind {
	case ReplicaJob:
		var s []string
		for _, st := range j.Steps {
			s = append(s, st.String())
		}
		return strings.Join(s, "; ")
	case PoolJob:
		return "look at pool " + strings.Join(j.Pools, ", ")
	case NodeJob:
		return "look at the node"
	case ProgressJob:
		return "look at the syncs"
	case CryptJob:
		return "look at encrypted devices"
	case DevicePoolJob:
		return "make the device pool " + j.devicePool.Group
	}
	return "look after hung programs"
}

// Result is what a job did and saw.
type Result struct {
	settles bool // what was done to DRBD is to be seen in its events
	blind   bool // something was done to DRBD, or tried, and the look at it failed
	// Err is of the step that failed; the ones before it are done.
	Err      error
	Failed   steps.Step
	Pictures map[string]scan // by pool name
	Kernel   *drbd.State     // DRBD's state after the steps; nil: not read
	Node     *nodeFacts

	made    []model.UUID // devices
	mdMade  []model.UUID
	removed []model.UUID         // devices
	grown   map[model.UUID]int64 // devices, KiB
	alone   map[model.UUID]int64 // devices that grew without a connection, KiB
	copied  map[model.UUID]int64 // devices that are made by copying, KiB; 0: begun
	forgot  []int
	passed  bool
	lapsed  bool // I/O that we held went on by itself
	verify  model.VerifyProgress
	record  *record // written
	noRec   bool    // removed
	config  *configFile
	noConf  bool
	ended   []int // hung programs that ended

	mappings  map[string]luks.Mapping // that are open, after the steps; nil: not read
	formatted []model.UUID
	keyGen    map[model.UUID]int
	fs        map[model.UUID]string // see replica
	throttled map[model.UUID]throttled
}

// scan is a look at a pool.
type scan struct {
	pool.Picture
	err error
	// foreseen: nobody looked, it follows from what was there before and what was done.
	foreseen bool
	// looked, with foreseen: at what was there before, in this job.
	looked bool
}

// WaitError: a look just before a step says that it has to wait.
type WaitError struct {
	Reason string
	// Soon: it passes by itself in a moment, and is told of as a wait only if it doesn't.
	Soon bool
}

// soonTries is how often a step that passes soon is tried before its wait is told of: 1, 2 and 4 s.
const soonTries = 3

func (e *WaitError) Error() string { return e.Reason }

// Hung gives the program that hangs for ever, or nil.
func (r Result) Hung() *run.HungError {
	var errs []error
	errs = append(errs, r.Err)
	for _, s := range r.Pictures {
		errs = append(errs, s.err)
	}
	if r.Node != nil {
		errs = append(errs, r.Node.err)
	}
	for _, err := range errs {
		var h *run.HungError
		if errors.As(err, &h) && !h.Reaped {
			return h
		}
	}
	return nil
}

// worker runs jobs. It holds nothing that changes.
type worker struct {
	cfg  Config
	host run.Host
	drbd drbd.Tool
	boot string
}

// RunJob does the job and blocks until it is done. It may run beside others in its own goroutine.
func (a *Agent) RunJob(ctx context.Context, j Job) Result {
	w := a.worker
	switch j.Kind {
	case ReplicaJob:
		return w.replica(ctx, j)
	case PoolJob:
		r := Result{Pictures: map[string]scan{}}
		for _, name := range j.Pools {
			r.Pictures[name] = w.scan(ctx, j.pools[name], j.disks[name])
		}
		return r
	case NodeJob:
		return Result{Node: w.look(ctx, j.load)}
	case CryptJob:
		m, err := (luks.Tool{Run: w.host}).List(ctx)
		return Result{mappings: m, Err: err}
	case DevicePoolJob:
		return Result{Err: w.makeDevicePool(ctx, j.devicePool)}
	case ProgressJob:
		st, err := w.drbd.Snapshot(ctx)
		return Result{Kernel: st, Err: err}
	case HungJob:
		var r Result
		for _, pid := range j.pids {
			if st, err := w.host.Stat(fmt.Sprintf("/proc/%d", pid)); err == nil && !st.Exists {
				r.ended = append(r.ended, pid)
			}
		}
		return r
	}
	return Result{Err: fmt.Errorf("run job: kind %d", j.Kind)}
}

func (w worker) scan(ctx context.Context, spec model.PoolSpec, disks []string) scan {
	d, err := driver(w.host, w.cfg, spec, disks)
	if err != nil {
		return scan{err: err}
	}
	p, err := d.Scan(ctx)
	return scan{Picture: p, err: err}
}

// replica runs the steps in order until one fails, then looks again at what they touched.
func (w worker) replica(ctx context.Context, j Job) Result {
	r := Result{Pictures: map[string]scan{}}
	x := &execution{worker: w, job: j, result: &r, touched: map[string]bool{}, foreseen: map[string]pool.Picture{}, looked: map[string]bool{}}
	for _, s := range j.Steps {
		if err := x.do(ctx, s); err != nil {
			r.Err, r.Failed = err, s
			break
		}
	}
	r.blind = x.kernel
	var h *run.HungError
	if errors.Is(r.Err, run.ErrCrashed) || errors.As(r.Err, &h) && !h.Reaped {
		return r
	}
	for _, name := range j.Pools {
		if p, ok := x.foreseen[name]; ok && !x.touched[name] {
			r.Pictures[name] = scan{Picture: p, foreseen: true, looked: x.looked[name]}
		} else if x.touched[name] {
			r.Pictures[name] = w.scan(ctx, j.pools[name], j.disks[name])
		}
	}
	r.settles = x.kernel && j.events && r.Err == nil
	if x.looksCrypt {
		// If it fails, a job of its own looks.
		r.mappings, _ = (luks.Tool{Run: w.host}).List(ctx)
	}
	if x.kernel && r.Kernel == nil && (!j.events || r.Err != nil) {
		// If it fails, the events tell, later.
		r.Kernel, _ = w.drbd.Snapshot(ctx)
	}
	r.blind = x.kernel && !r.settles && r.Kernel == nil
	return r
}

// look at the machine, see nodeFacts.
func (w worker) look(ctx context.Context, load bool) *nodeFacts {
	f := &nodeFacts{}
	f.look(ctx, w, load)
	return f
}

// retry is how long to wait after the n-th failure in a row, 1 s to 60 s.
func retry(n int) time.Duration {
	if n > 6 {
		n = 6
	}
	return min(time.Second<<(max(n, 1)-1), time.Minute)
}
