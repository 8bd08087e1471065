package sim

import (
	"fmt"
	"slices"

	"holdfast/internal/core"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// on is a replica with a disk.
func on(node string) core.ResourceCreate {
	return core.ResourceCreate{Definition: theirs, On: []core.ResourceOn{{Node: node, Pool: poolName}}}
}

// lives tells whether a replica is there to stay; disk: with its disk there to stay.
func lives(d *state.Definition, node string) (there, disk bool) {
	r := d.On(node)
	if r == nil || r.Deleting || r.TieBreaker {
		return false, false
	}
	return true, !r.Diskless && !r.DiskLeaves()
}

// diskful wants disks on exactly these nodes.
func diskful(nodes ...string) func(*world, *state.Definition) string {
	return func(_ *world, d *state.Definition) string {
		if d == nil {
			return "no definition"
		}
		for _, n := range nodeNames {
			if _, disk := lives(d, n); disk != slices.Contains(nodes, n) {
				return fmt.Sprintf("a disk on %s: %v", n, disk)
			}
		}
		return ""
	}
}

// copies wants that many disks.
func copies(n int) func(*world, *state.Definition) string {
	return func(_ *world, d *state.Definition) string {
		have := 0
		for _, node := range nodeNames {
			if d != nil {
				if _, disk := lives(d, node); disk {
					have++
				}
			}
		}
		if have != n {
			return fmt.Sprintf("%d disks", have)
		}
		return ""
	}
}

// types are commands that don't depend on anything.
func types(all ...core.Command) func(*world) {
	return func(w *world) {
		for _, c := range all {
			w.type_(c)
		}
	}
}

// snapshotIs wants a snapshot of theirs in that state; "": none.
func snapshotIs(name string, want model.SnapshotState) func(*world, *state.Definition) string {
	return func(_ *world, d *state.Definition) string {
		have := model.SnapshotState("")
		if d != nil {
			if sn := d.Snapshot(name); sn != nil {
				have = sn.State
			}
		}
		if have != want {
			return fmt.Sprintf("the snapshot is %q", have)
		}
		return ""
	}
}

// takes a snapshot; one that failed goes before.
func takes(name string) func(*world) {
	return func(w *world) {
		if d := w.snapshot().Definition(theirs); d != nil && d.Snapshot(name) != nil {
			w.type_(core.SnapshotDelete{Definition: theirs, Name: name})
			return // and again once it is gone
		}
		w.type_(core.SnapshotCreate{Of: []core.SnapshotOf{{Definition: theirs, Name: name}}})
	}
}

// surely does something until it is so, without faults.
func surely(do func(*world), missing func(*world, *state.Definition) string) func(*world) {
	return func(w *world) {
		for range 5 {
			do(w)
			w.settle()
			if missing(w, w.snapshot().Definition(theirs)) == "" || w.failure != nil {
				return
			}
		}
		w.broken("scene", "the scene can't be prepared: %s", missing(w, w.snapshot().Definition(theirs)))
	}
}

var monday = surely(takes("monday"), snapshotIs("monday", model.SnapshotSuccessful))

// restored wants another definition with the snapshot's volume on two nodes.
func restoredAs(name string) func(*world, *state.Definition) string {
	return func(w *world, _ *state.Definition) string {
		d := w.snapshot().Definition(name)
		if d == nil || len(d.Volumes) == 0 {
			return "no definition with a volume"
		}
		return copies(2)(w, d)
	}
}

// gone wants a definition not to be there.
func gone(_ *world, d *state.Definition) string {
	if d != nil {
		return "the definition is there"
	}
	return ""
}

// rolledBack wants the content that the snapshot has.
func rolledBackTo(name string) func(*world, *state.Definition) string {
	return func(w *world, d *state.Definition) string {
		if d == nil || d.RollingBack() != nil {
			return "it is being rolled back"
		}
		sn := d.Snapshot(name)
		if sn == nil {
			return "the snapshot isn't there"
		}
		x := w.oracle.snaps[sn.UUID]
		for _, vd := range d.Volumes {
			if v := w.oracle.vols[vd.UUID]; v == nil || x == nil || !slices.ContainsFunc(w.oracle.copiesOf(x, vd.Number, ""), func(c *snapCopy) bool { return slices.Equal(v.writes, c.content) }) {
				return "it has what was written since"
			}
		}
		return ""
	}
}

var third = "charlie"

var operations = []operation{
	{name: "create", bare: true, do: types(core.DefinitionCreate{Name: theirs}, core.VolumeCreate{Definition: theirs, SizeKiB: 8192}, on("alpha"), on("bravo")),
		missing: func(w *world, d *state.Definition) string {
			if d != nil && len(d.Volumes) == 0 {
				return "no volume"
			}
			return diskful("alpha", "bravo")(w, d)
		}},
	{name: "auto-place", bare: true,
		do: types(core.DefinitionCreate{Name: theirs}, core.VolumeCreate{Definition: theirs, SizeKiB: 8192}, core.Autoplace{Definition: theirs, Filter: model.SelectFilter{PlaceCount: 2}}),
		missing: func(w *world, d *state.Definition) string {
			if d != nil && len(d.Volumes) == 0 {
				return "no volume"
			}
			return copies(2)(w, d)
		}},
	{name: "spawn", bare: true,
		do:      types(core.Spawn{Group: model.DefaultGroup, Name: theirs, SizesKiB: []int64{8192, 4096}, Filter: model.SelectFilter{PlaceCount: 2}}),
		missing: copies(2)},
	{name: "delete", idle: true, do: types(core.DefinitionDelete{Name: theirs}), missing: gone},
	{name: "delete and create anew", idle: true,
		do: func(w *world) {
			w.type_(core.DefinitionDelete{Name: theirs})
			w.type_(core.DefinitionCreate{Name: theirs})
		},
		missing: func(w *world, d *state.Definition) string {
			if d == nil || len(d.Resources) > 0 {
				return "there is no new definition"
			}
			return ""
		}},
	{name: "delete a replica", do: types(core.ResourceDelete{Definition: theirs, Node: "bravo"}), missing: diskful("alpha")},
	{name: "add a replica", prepare: types(core.ResourceDelete{Definition: theirs, Node: "bravo"}), do: types(on("bravo")), missing: diskful("alpha", "bravo")},
	{name: "add a third replica", only: 9, do: types(on(third)), missing: diskful("alpha", "bravo", third)},
	{name: "add a volume", do: func(w *world) {
		if d := w.snapshot().Definition(theirs); d != nil && len(d.Volumes) < 2 {
			w.type_(core.VolumeCreate{Definition: theirs, SizeKiB: 4096})
		}
	}, missing: func(w *world, d *state.Definition) string {
		if d == nil || len(d.Volumes) != 2 {
			return "no second volume"
		}
		return ""
	}},
	{name: "delete a volume", idle: true, prepare: types(core.VolumeCreate{Definition: theirs, SizeKiB: 4096}), do: types(core.VolumeDelete{Definition: theirs, Number: 1}),
		missing: func(w *world, d *state.Definition) string {
			if d == nil || len(d.Volumes) != 1 {
				return "the volume is there"
			}
			return ""
		}},
	{name: "grow", do: types(core.VolumeModify{Definition: theirs, Number: 0, SizeKiB: 20480}),
		missing: func(w *world, d *state.Definition) string {
			if d == nil || d.Volumes[0].SizeKiB != 20480 || d.Volumes[0].GrowsFromKiB != 0 {
				return "it hasn't grown"
			}
			return ""
		}},
	{name: "snapshot create", do: takes("tuesday"), missing: snapshotIs("tuesday", model.SnapshotSuccessful)},
	{name: "snapshot delete", prepare: monday, do: types(core.SnapshotDelete{Definition: theirs, Name: "monday"}), missing: snapshotIs("monday", "")},
	{name: "snapshot restore", prepare: monday,
		do: func(w *world) {
			w.type_(core.DefinitionCreate{Name: "db"})
			if d := w.snapshot().Definition("db"); d == nil || len(d.Volumes) == 0 {
				w.type_(core.SnapshotRestoreVolumes{Definition: theirs, Name: "monday", To: "db"})
			}
			w.type_(core.SnapshotRestoreResources{Definition: theirs, Name: "monday", To: "db"})
		}, missing: restoredAs("db")},
	{name: "snapshot rollback", idle: true,
		prepare: func(w *world) {
			monday(w)
			w.write()
			w.write()
		},
		do: types(core.SnapshotRollback{Definition: theirs, Name: "monday"}), missing: rolledBackTo("monday")},
	{name: "clone", do: cloneTo("db"), missing: clonedAs("db")},
	{name: "clone by copy", thick: true, do: cloneTo("db"), missing: clonedAs("db")},
	{name: "clone by copy and give it up", thick: true, do: giveUp, missing: givenUp},
	{name: "clone by copy, without room for what is written", thick: true, do: func(w *world) {
		w.type_(core.DefinitionClone{Source: theirs, Name: "db"})
		for range 80 {
			w.next()
			for _, n := range w.nodes {
				n.m.Overflow(vgName)
			}
		}
		w.type_(core.DefinitionDelete{Name: "db"})
		w.type_(core.DefinitionDelete{Name: "db"})
	}, missing: givenUp},
	{name: "clone and give it up", do: giveUp, missing: givenUp},
	{name: "automatic snapshots", do: func(w *world) {
		w.type_(core.DefinitionModify{Name: theirs, Override: map[string]string{"AutoSnapshot/RunEvery": "1", "AutoSnapshot/Keep": "2"}})
		if s := w.snapshot(); s.Definition(theirs) != nil && s.Definition(theirs).Props["AutoSnapshot/Keep"] != "" {
			for range 300 { // it comes in its time
				w.next()
			}
		}
	},
		missing: func(w *world, d *state.Definition) string {
			if d == nil || d.LastAuto() == nil || d.LastAuto().State != model.SnapshotSuccessful {
				return "there is none"
			}
			return ""
		}},
	{name: "toggle to diskless", only: 9, do: types(core.ToggleDisk{Definition: theirs, Node: "bravo", Diskless: true}), missing: diskful("alpha")},
	{name: "toggle the user's disk away", only: 9, do: types(core.ToggleDisk{Definition: theirs, Node: "alpha", Diskless: true}), missing: diskful("bravo")},
	{name: "toggle to diskful", only: 9, prepare: types(core.ResourceCreate{Definition: theirs, On: []core.ResourceOn{{Node: third, Diskless: true}}}),
		do: types(core.ToggleDisk{Definition: theirs, Node: third, Pool: poolName}), missing: diskful("alpha", "bravo", third)},
	{name: "toggle to diskful, and no peer answers", only: 9, prepare: types(core.ResourceCreate{Definition: theirs, On: []core.ResourceOn{{Node: third, Diskless: true}}}),
		do: func(w *world) {
			for _, n := range w.nodes {
				n.m.LoseAnswers(true)
			}
			w.type_(core.ToggleDisk{Definition: theirs, Node: third, Pool: poolName})
		}, missing: diskful("alpha", "bravo", third)},
	{name: "disk by itself", only: 9, prepare: surely(types(core.GroupModify{Name: model.DefaultGroup, Filter: &model.SelectFilter{PlaceCount: 1}},
		core.ToggleDisk{Definition: theirs, Node: "alpha", Diskless: true}), diskful("bravo")),
		do: func(w *world) {
			w.type_(core.DefinitionModify{Name: theirs, Override: map[string]string{autoDiskful: "0"}})
			for _, a := range w.running() { // again, where its power was cut
				if a.n.name == "alpha" && a.r.Name == theirs && w.oracle.permits(w, a) &&
					a.n.m.Operator("drbdadm", "-c", a.n.res(theirs), "primary", theirs).Exit == 0 {
					w.oracle.promoted(w, a)
				}
			}
			for range 300 { // it comes in its time
				w.next()
			}
		}, missing: diskful("alpha")},
	{name: "migrate", do: types(core.ToggleDisk{Definition: theirs, Node: third, From: "bravo", Pool: poolName}), missing: diskful("alpha", third)},
	{name: "evacuate", do: types(core.NodeEvacuate{Name: "bravo"}), missing: diskful("alpha", third)},
	{name: "make available", only: 9, do: types(core.MakeAvailable{Definition: theirs, Node: third}),
		missing: func(w *world, d *state.Definition) string {
			if d == nil {
				return "no definition"
			}
			if there, _ := lives(d, third); !there {
				return "not available"
			}
			return ""
		}},
	{name: "deactivate", do: func(w *world) {
		w.type_(core.ResourceActivate{Definition: theirs, Node: "bravo", Inactive: true})
		for range 100 {
			w.next()
		}
		w.type_(core.ResourceActivate{Definition: theirs, Node: "bravo"})
	}, missing: diskful("alpha", "bravo")},
	{name: "change a connection", do: types(core.ConnectionModify{A: "alpha", B: "bravo", Definition: theirs, Override: map[string]string{"DrbdOptions/Net/ping-timeout": "7"}}),
		missing: func(w *world, d *state.Definition) string {
			if d == nil || len(d.Connections) == 0 {
				return "the connection is as it was"
			}
			return ""
		}},
	{name: "change options", do: types(core.DefinitionModify{Name: theirs, Override: map[string]string{"DrbdOptions/Net/max-buffers": "2048"}}),
		missing: func(w *world, d *state.Definition) string {
			if d == nil || d.Props["DrbdOptions/Net/max-buffers"] == "" {
				return "the options are as they were"
			}
			return ""
		}},
}
