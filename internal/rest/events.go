package rest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"holdfast/api"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// Server-sent events (linstor-features 1.2: the events there are, their names and data). A client hears what differs between
// the snapshots that it is shown, a few a second: of what comes and goes in between it hears nothing.

// quietFor is after how many looks without an event a comment is sent, so that a client that is gone is noticed.
const quietFor = 60

// stream sends events until the client goes, or the controller ends. diff sends what differs from old, which is nil at first.
func (c *call) stream(diff func(old, now *state.Snapshot, send func(event string, data any) error) error) error {
	rc := http.NewResponseController(c.w)
	// A stream has no end that it must come to in time. A connection that can't do without a deadline is cut by it, and the
	// client connects again.
	_ = rc.SetWriteDeadline(time.Time{})
	h := c.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache")
	c.answered = true
	c.w.WriteHeader(http.StatusOK)
	send := func(event string, data any) error {
		b, err := json.Marshal(data)
		if err != nil {
			return fmt.Errorf("encode an event: %w", err)
		}
		_, err = fmt.Fprintf(c.w, "event: %s\ndata: %s\n\n", event, b)
		return err
	}
	old := c.snap
	if err := diff(nil, old, send); err != nil || rc.Flush() != nil {
		return nil // the client is gone
	}
	tick := time.NewTicker(c.s.limits.Events)
	defer tick.Stop()
	for quiet := 0; ; {
		select {
		case <-c.r.Context().Done():
			return nil
		case <-tick.C:
		}
		now := c.s.b.Snapshot()
		if quiet++; now == old {
			if quiet < quietFor {
				continue
			}
			quiet = 0
			if _, err := fmt.Fprint(c.w, ":\n\n"); err != nil {
				return nil
			}
		} else if err := diff(old, now, func(event string, data any) error {
			quiet = 0
			return send(event, data)
		}); err != nil {
			return nil
		}
		old = now
		if quiet == 0 && rc.Flush() != nil {
			return nil
		}
	}
}

// promotionEvents tells which replicas may be made Primary. With "Last-Event-ID: current" all that there are come first.
func promotionEvents(c *call) error {
	known := map[api.PromotionEvent]bool{} // without MayPromote
	all := c.r.Header.Get("Last-Event-ID") == "current"
	return c.stream(func(old, now *state.Snapshot, send func(string, any) error) error {
		next := make(map[api.PromotionEvent]bool, len(known))
		var err error
		tell := func(e api.PromotionEvent, may bool) {
			if e.MayPromote = may; err == nil && (old != nil || all) {
				err = send("may-promote-change", e)
			}
		}
		now.Definitions(func(d *state.Definition) bool {
			for i := range d.Resources {
				r := &d.Resources[i]
				st := d.Seen[r.UUID]
				if !d.HasDRBD() || r.Deleting || st == nil {
					continue
				}
				e := api.PromotionEvent{ResourceName: d.Name, NodeName: r.Node}
				next[e] = st.MayPromote
				if was, there := known[e]; !there || was != st.MayPromote {
					tell(e, st.MayPromote)
				}
			}
			return err == nil
		})
		for e, may := range known {
			if _, there := next[e]; !there && may {
				tell(e, false)
			}
		}
		known = next
		return err
	})
}

// nodeEvents tells of nodes that come, go and change.
func nodeEvents(c *call) error {
	known := map[model.UUID]*state.Node{}
	return c.stream(func(old, now *state.Snapshot, send func(string, any) error) error {
		next := map[model.UUID]*state.Node{}
		now.Nodes(func(n *state.Node) bool {
			next[n.UUID] = n
			return true
		})
		was := known
		known = next
		if old == nil {
			return nil
		}
		for _, id := range slices.Sorted(maps.Keys(was)) {
			if next[id] == nil {
				if err := send("node-delete", api.NodeEvent{Node: nodeView(was[id])}); err != nil {
					return err
				}
			}
		}
		for _, id := range slices.Sorted(maps.Keys(next)) {
			for _, e := range nodeChange(was[id], next[id]) {
				if err := send(e.name, e.data); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

type nodeChanged struct {
	name string
	data any
}

func nodeChange(was, n *state.Node) (out []nodeChanged) {
	add := func(name string) { out = append(out, nodeChanged{name, api.NodeEvent{Node: nodeView(n)}}) }
	switch {
	case was == nil:
		add("node-create")
		return out
	case was.Node == n.Node && was.Seen.Status == n.Seen.Status:
		return nil
	}
	if n.Evacuate && !was.Evacuate {
		add("node-evacuate")
	}
	if n.Evicted && !was.Evicted {
		add("node-evicted")
	}
	if was.Evicted && !n.Evicted || was.Evacuate && !n.Evacuate {
		add("node-restored")
	}
	return append(out, nodeChanged{"node-modified", api.NodeModifiedEvent{OldNode: nodeView(was), NewNode: nodeView(n)}})
}
