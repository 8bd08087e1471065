package satellite

import (
	"maps"
	"slices"
	"strings"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/pool"
	"holdfast/internal/satellite/steps"
	"holdfast/internal/tool/drbd"
)

// Due gives the jobs to start now. Each must be run and its result handed to Finish.
func (a *Agent) Due(now time.Time) []Job {
	var jobs []Job
	start := func(j Job) Job {
		a.lastJob++
		j.ID = a.lastJob
		a.lend(&j)
		j.pools, j.disks, j.before, j.fresh = map[string]model.PoolSpec{}, map[string][]string{}, map[string]pool.Picture{}, map[string]bool{}
		for _, name := range j.Pools {
			p := a.pools[name]
			p.busy = j.ID
			j.pools[name], j.disks[name] = p.spec, p.last.Disks
			if p.seen && !p.stale && p.reason == "" {
				j.before[name], j.fresh[name] = p.last.Picture, now.Sub(p.good) <= poolFresh
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
	for _, id := range a.urgentFirst(a.ids(), now) {
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
		if len(r.plan.Steps) == 0 || slots <= 0 && !r.urgent() || a.hangs(queue{Replica: id}) && !r.plan.Unhangs() {
			continue
		}
		text := stepsText(r.plan.Steps)
		if now.Before(r.notYet) && text == r.failed || r.plan.After > 0 && now.Before(r.ripe) {
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

// jobOf is the id of the job that runs for a replica; 0: none does.
func (a *Agent) jobOf(replica model.UUID) uint64 {
	for id, r := range a.running {
		if r.job.Replica == replica {
			return id
		}
	}
	return 0
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
	gentle, after := r.plan.Gentle, r.plan.After
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
	if r.plan.After > 0 && r.plan.After != after {
		r.ripe = now.Add(r.plan.After)
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
