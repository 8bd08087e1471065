package core

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// Snapshots that are taken by themselves, as LINSTOR's (linstor-features 2.7, timers): AutoSnapshot/RunEvery minutes, the
// newest AutoSnapshot/Keep of them stay (10; none goes with 0 or less). They are named <AutoSnapshot/Prefix><5 digits>, and
// AutoSnapshot/NextAutoId of the definition is the next number.
const (
	autoPrefix = "autoSnap"
	autoKeep   = 10
	// autoRetry is when one is tried again that couldn't be begun. One that was begun and failed may have held I/O for as long
	// as its lease: the next one comes at its time.
	autoRetry = time.Minute
	// autoAtOnce bounds how many are begun in one commit; the others follow 10 s later.
	autoAtOnce = 32
)

// autoProps resolves a property: definition over group over controller.
func autoProps(s *state.Snapshot, d *state.Definition, key string, dflt int64) int64 {
	var group map[string]string
	if g := s.Group(d.Group); g != nil {
		group = g.Props
	}
	if v, ok := props.First(key, d.Props, group, s.Controller().Props); ok {
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return n
		}
	}
	return dflt
}

// autoEvery is the time between two; 0: they are off. A year is the most.
func autoEvery(s *state.Snapshot, d *state.Definition) time.Duration {
	return time.Duration(min(max(0, autoProps(s, d, "AutoSnapshot/RunEvery", 0)), 366*24*60)) * time.Minute
}

// autoDue lists the definitions for which there is something to do, the longest waiting first.
func autoDue(s *state.Snapshot, now time.Time) (due []*state.Definition) {
	ms := now.UnixMilli()
	s.Definitions(func(d *state.Definition) bool {
		every := autoEvery(s, d)
		switch {
		case d.Deleting:
		case every == 0:
			if d.Auto != (model.AutoSnapshots{}) {
				due = append(due, d)
			}
		case d.Taking() != nil || d.RollingBack() != nil || d.Cloning.Unmade() || !deployed(d):
		case ms >= d.Auto.NextMS || len(surplus(s, d)) > 0 ||
			d.Auto.NextMS > ms+every.Milliseconds(): // RunEvery is less by now
			due = append(due, d)
		}
		return true
	})
	slices.SortStableFunc(due, func(a, b *state.Definition) int { return cmp.Compare(a.Auto.NextMS, b.Auto.NextMS) })
	return due[:min(len(due), autoAtOnce)]
}

// deployed tells whether there are data to take a snapshot of.
func deployed(d *state.Definition) bool {
	return slices.ContainsFunc(d.Volumes, func(v model.VolumeDefinition) bool { return v.Initialised && !v.Deleting }) &&
		slices.ContainsFunc(d.Resources, func(r model.Resource) bool { return r.Diskful() })
}

// surplus are those of them that needn't be kept: never one that somebody took, or that is needed just now.
func surplus(s *state.Snapshot, d *state.Definition) (ids []model.UUID) {
	keep := autoProps(s, d, "AutoSnapshot/Keep", autoKeep)
	if keep <= 0 {
		keep = math.MaxInt64
	}
	n := int64(0)
	for i := len(d.Snapshots) - 1; i >= 0; i-- {
		sn := &d.Snapshots[i]
		if !sn.Auto || sn.State != model.SnapshotSuccessful {
			continue
		}
		if n++; n > keep && (d.RollingBack() == nil || d.RollingBack().Snapshot != sn.UUID) && restoring(s, sn.UUID) == "" {
			ids = append(ids, sn.UUID)
		}
	}
	return ids
}

// autoSnapshots begins those that are due, and orders away what needn't be kept. One that can't be begun keeps its reason.
func autoSnapshots(tx *state.Tx, env Env) (notes []fault.Note, err error) {
	for _, d := range autoDue(tx.Snapshot(), env.Now) {
		s := tx.Snapshot()
		m := d.ResourceDefinition.Clone()
		for _, id := range surplus(s, d) {
			plan.DropSnapshot(m.SnapshotByID(id))
		}
		ms, every := env.Now.UnixMilli(), autoEvery(s, d)
		switch {
		case every == 0:
			m.Auto = model.AutoSnapshots{}
		case ms >= d.Auto.NextMS:
			if note := autoTake(s, env, d, m, every); note != nil {
				notes = append(notes, *note)
			}
		default:
			m.Auto.NextMS = min(m.Auto.NextMS, ms+every.Milliseconds())
		}
		if err := tx.PutDefinition(m); err != nil {
			return nil, err
		}
	}
	return notes, nil
}

// autoTake puts the next one into m.
func autoTake(s *state.Snapshot, env Env, d *state.Definition, m *model.ResourceDefinition, every time.Duration) *fault.Note {
	ms := env.Now.UnixMilli()
	id := autoProps(s, d, "AutoSnapshot/NextAutoId", 1)
	if id < 1 {
		id = 1
	}
	prefix := autoPrefix
	if g := s.Group(d.Group); g != nil {
		if p, ok := props.First("AutoSnapshot/Prefix", d.Props, g.Props, s.Controller().Props); ok {
			prefix = p
		}
	}
	name := ""
	for {
		if name = fmt.Sprintf("%s%05d", prefix, id); d.Snapshot(name) == nil {
			break
		}
		id++
	}
	sn, _, err := newSnapshot(s, env, d, SnapshotOf{Definition: d.Name, Name: name})
	if err != nil {
		m.Auto = model.AutoSnapshots{NextMS: ms + min(every, autoRetry).Milliseconds(), Reason: fault.Why(err)}
		return nil
	}
	for i := range m.Snapshots { // the reason of the newest is told until here
		if o := &m.Snapshots[i]; o.Auto && o.State == model.SnapshotFailed {
			plan.DropSnapshot(o)
		}
	}
	sn.Auto, sn.Lease = true, env.UUID()
	m.Snapshots = append(m.Snapshots, *sn)
	if m.Props = maps.Clone(m.Props); m.Props == nil {
		m.Props = map[string]string{}
	}
	m.Props["AutoSnapshot/NextAutoId"] = strconv.FormatInt(id+1, 10)
	m.Auto = model.AutoSnapshots{NextMS: ms + every.Milliseconds()}
	note := done(fault.Create, fault.Snapshot, snapRefs(d.Name, name), "New snapshot '%s' of resource '%s' registered.", name, d.Name)
	return &note
}
