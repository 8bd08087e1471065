package satellite

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/tool/drbd"
)

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
			a.dirtyChanged(name, p.last.Picture, sc.Picture)
			p.last.Picture = sc.Picture
			if sc.looked {
				p.good = began.since
			}
			if p.spec.Kind != model.LVMThin {
				a.moved(p.spec, now)
			} else if soon := now.Add(poolSoon - poolEvery); p.at.After(soon) { // it takes no space of the volume group
				p.at = soon
			}
			continue
		}
		p.at = now
		before, same := p.last.Picture, p.seen && !p.stale && p.reason == ""
		if sc.err != nil {
			p.reason = reason(sc.err)
		} else {
			p.last, p.reason, p.seen, p.stale, p.good = sc, "", true, began.since.Before(p.moved), now
		}
		if same && !p.stale && p.reason == "" && now.Sub(p.told) < poolEvery {
			a.dirtyChanged(name, before, p.last.Picture)
		} else {
			p.told = now
			a.dirtyPool(name)
		}
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
	a.told[name] = true
	if k := st.Resources[name]; k != nil {
		a.view[name] = k
	} else {
		delete(a.view, name)
		a.allDirty() // one may wait for its minors
	}
	a.dirtyResource(name)
	a.goodData(name)
	a.sound(name)
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
	if res.blind && !a.streamOn { // the picture may be of before the module was loaded
		a.views++
		a.viewKnown, a.nodeDirty = false, true
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
