package controller

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan/nodestate"
	"holdfast/internal/state"
	"holdfast/internal/store"
	"holdfast/internal/store/memory"
	"holdfast/internal/stored"
	"holdfast/internal/wire"
)

// Commands, failing commits, crashes, lost sessions and time in any order; then the faults stop. What was acknowledged is
// there, what everybody sees is what is stored, and every node was told, by changes only, exactly what it has to know.
func TestRandom(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(t)
		names := []string{"alpha", "bravo", "charlie"}
		for _, n := range names {
			r.node(n)
		}
		// What was answered last for each definition, in the order in which batches took them.
		known := map[string]string{}
		var open []func()
		submit := func(what, def string, c core.Command) {
			tk := r.submit(c)
			open = append(open, func() {
				_, err := tk.Result()
				switch {
				case !tk.Done() || fault.Is(err, fault.OutcomeUnknown):
					known[def] = "?"
				case err == nil && known[def] != "?":
					known[def] = what
				}
			})
		}
		settle := func() {
			r.run()
			for _, f := range open {
				f()
			}
			open = nil
			r.b.Snapshot().AllDefinitions(func(d *state.Definition) bool {
				for id := range d.Seen {
					if n := d.Replica(id).Node; r.b.peers[n].sess == nil {
						rt.Fatalf("%s on %s is seen, but there is no session", d.Name, n)
					}
				}
				return true
			})
		}
		pick := func(what string) string { return fmt.Sprintf("def-%d", rapid.IntRange(0, 4).Draw(rt, what)) }
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			def, node := pick("def"), rapid.SampledFrom(names).Draw(rt, "node")
			s := r.sats[node]
			switch op := rapid.SampledFrom([]string{"create", "create", "volume", "place", "place", "delete", "remove", "option", "fail", "unknown", "pass", "crash",
				"lost", "down", "up", "silent", "time", "time", "settle", "disk"}).Draw(rt, "op"); op {
			case "create":
				submit("there", def, core.DefinitionCreate{Name: def})
			case "volume":
				r.submit(core.VolumeCreate{Definition: def, SizeKiB: 65536})
			case "place":
				r.submit(core.ResourceCreate{Definition: def, On: []core.ResourceOn{{Node: node, Pool: "swpool"}}})
			case "delete":
				submit("gone", def, core.DefinitionDelete{Name: def})
			case "remove":
				r.submit(core.ResourceDelete{Definition: def, Node: node})
			case "option":
				r.submit(core.DefinitionModify{Name: def, Override: map[string]string{"DrbdOptions/Net/max-buffers": fmt.Sprint(rapid.IntRange(4000, 4003).Draw(rt, "v"))}})
			case "fail":
				r.store.(*memory.Backend).FailNext(nil)
			case "pass":
				r.store.(*memory.Backend).PassNext()
			case "unknown":
				r.store.(*memory.Backend).UnknownNext(rapid.Bool().Draw(rt, "stored"))
			case "crash":
				settle()
				r.store = r.store.(*memory.Backend).Reopen()
				r.crash()
			case "lost":
				r.b.Lost(node, s.id, "cut", r.now)
			case "down":
				s.down = true
				r.b.Lost(node, s.id, "cut", r.now)
			case "up":
				s.down, s.silent, s.change = false, false, nil
			case "silent":
				s.silent = true
			case "disk":
				s.change = func(st *model.ResourceStatus) {
					if st.Phase == model.Done && !st.Gone {
						st.Phase, st.Reason = model.Failed, "a bad day"
					}
				}
			case "time":
				settle()
				r.forward(time.Duration(rapid.IntRange(1, 20000).Draw(rt, "ms")) * time.Millisecond)
			case "settle":
				settle()
			}
		}
		settle()
		r.store = r.store.(*memory.Backend).Reopen() // no faults any more
		for _, s := range r.sats {
			s.down, s.silent, s.change = false, false, nil
		}
		if rapid.Bool().Draw(rt, "end with a start") {
			r.crash()
		}
		r.forward(3 * time.Minute)
		for _, n := range names {
			// A replica that failed is tried again by its node.
			s := r.sats[n]
			r.b.Message(n, s.id, wire.Report{Full: true, Node: &s.report, Resources: s.statuses(slices.Sorted(maps.Keys(s.specs)))}, r.now)
		}
		r.forward(time.Minute)

		for def, want := range known {
			d := r.def(def)
			if want == "there" && (d == nil || d.Deleting) || want == "gone" && d != nil {
				rt.Fatalf("%s should be %s: %v", def, want, d)
			}
		}
		r.b.Snapshot().AllDefinitions(func(d *state.Definition) bool {
			if d.Deleting {
				rt.Errorf("%s is stuck in its deletion", d.Name)
			}
			for _, x := range d.Resources {
				for _, v := range x.Volumes {
					if !x.Deleting && !v.Initialised {
						rt.Errorf("%s on %s is stuck on its way", d.Name, x.Node)
					}
				}
			}
			return true
		})
		if d := cmp.Diff(storedNow(rt, r), seenNow(rt, r)); d != "" {
			rt.Fatalf("what is seen isn't what is stored: %s", d)
		}
		for _, n := range names {
			want := map[model.UUID]model.ResourceSpec{}
			for _, spec := range nodestate.Of(r.b.Snapshot(), n).Resources {
				want[spec.ID] = spec
			}
			if d := cmp.Diff(want, r.sats[n].specs, cmpopts.EquateEmpty()); d != "" {
				rt.Fatalf("%s was told something else: %s", n, d)
			}
		}
		if strings.Contains(r.log.String(), "panic") {
			rt.Fatal(r.log.String())
		}
	})
}

func storedNow(t *rapid.T, r *rig) map[int64]string {
	st, err := r.store.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	out := map[int64]string{}
	for _, rec := range st.Records {
		out[rec.ID] = string(rec.Data)
	}
	return out
}

func seenNow(t *rapid.T, r *rig) map[int64]string {
	var c stored.Codec
	out := map[int64]string{}
	put := func(ch state.Change) {
		var x store.Change
		x, err := c.Encode(ch)
		if err != nil {
			t.Fatal(err)
		}
		out[x.ID] = string(x.Data)
	}
	s := r.b.Snapshot()
	put(state.Change{Record: s.Controller().Record, Kind: state.KindController, Controller: s.Controller()})
	s.Nodes(func(n *state.Node) bool {
		put(state.Change{Record: n.Record, Kind: state.KindNode, Node: n.Node})
		return true
	})
	s.Groups(func(g *model.ResourceGroup) bool {
		put(state.Change{Record: g.Record, Kind: state.KindGroup, Group: g})
		return true
	})
	s.AllDefinitions(func(d *state.Definition) bool {
		put(state.Change{Record: d.Record, Kind: state.KindDefinition, Definition: d.ResourceDefinition})
		return true
	})
	return out
}
