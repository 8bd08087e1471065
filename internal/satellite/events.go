package satellite

import (
	"fmt"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/tool/drbd"
)

// EventsArgv is the program whose lines are for OnEvent.
func EventsArgv() []string { return drbd.EventsArgv() }

// StreamDue tells whether the events program is to be started now: DRBD is there, and none runs. Call StreamStarted then.
func (a *Agent) StreamDue(now time.Time) bool {
	return !a.streamOn && a.node != nil && a.node.drbd.Generation != drbd.Absent && a.node.drbd.Loaded && !now.Before(a.streamAt)
}

// StreamOld tells whether the running program is to be ended, so that the picture is read anew.
func (a *Agent) StreamOld(now time.Time) bool { return a.streamOn && now.Sub(a.streamAt) >= streamAge }

// StreamStarted says that the events program runs.
func (a *Agent) StreamStarted(now time.Time) {
	a.streamOn, a.streamAt = true, now
	a.events, a.eventsFull = drbd.NewState(), false
	clear(a.told)
}

// StreamEnded says that it ended, for whatever reason. The old picture stays until a new one is complete.
func (a *Agent) StreamEnded(now time.Time) {
	a.streamOn, a.streamAt = false, now.Add(streamRetry)
	a.unfollowed()
}

// OnEvent takes a line of the events program in. After an error the program must be ended: the picture isn't right.
func (a *Agent) OnEvent(line string, now time.Time) error {
	e, err := drbd.ParseEvent(line)
	if err != nil {
		return err
	}
	name, err := a.events.Apply(e)
	if err != nil {
		return fmt.Errorf("follow DRBD's events: %w", err)
	}
	switch {
	case a.events.Complete && !a.eventsFull:
		a.eventsFull, a.viewKnown = true, true
		a.pictures++
		a.picture(a.events.Clone().Resources)
		a.allDirty()
		for _, n := range a.events.Names() {
			a.goodData(n)
		}
	case a.eventsFull && name != "":
		a.heard[name]++
		if r := a.events.Resources[name]; r != nil {
			a.view[name] = r.Clone()
		} else {
			delete(a.view, name)
		}
		a.dirtyResource(name)
		if e.Verb == "destroy" {
			a.allDirty() // one may wait for its minor
		}
		a.goodData(name)
		a.sound(name)
	}
	return nil
}

// picture takes a stream's first picture in. It is of the moment when the program began: what a job has told since is newer.
func (a *Agent) picture(view map[string]*drbd.ResourceState) {
	for name := range a.told {
		a.doubt[name] = true
		if k := a.view[name]; k != nil {
			view[name] = k
		} else {
			delete(view, name)
		}
	}
	a.view = view
}

// goodData remembers volumes that are good here: they are never again the source of a first sync.
func (a *Agent) goodData(name string) {
	k := a.view[name]
	if k == nil {
		return
	}
	changed := false
	for _, r := range a.replicas {
		if r.spec.Name != name || r.spec.DRBD == nil || r.spec.Want != model.Up || !a.ours(r.spec, a.seen(r)) {
			continue
		}
		for _, v := range r.spec.Volumes {
			if d := k.Devices[v.Number]; d != nil && v.Pool != "" && (d.Disk == "UpToDate" || d.Disk == "Consistent" || d.Disk == "Outdated") {
				changed = add(&a.kept.Data, v.ID) || changed
			}
		}
	}
	if changed {
		// If it can't be written now, the next save has it; meanwhile it holds in memory.
		a.save()
	}
}
