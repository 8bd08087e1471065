package sim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/state"
	"holdfast/internal/wire"
)

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// checkPublished looks at each newly published state.
func (w *world) checkPublished(c *ctl) {
	s := c.brain.Snapshot()
	w.oracle.learn(s)
	w.oracle.learnStrays(s, c == w.rival)
	w.oracle.learnSnapshots(w, s)
	w.checkUnique(s)
	w.checkInventory(s)
}

// checkUnique is I3: a minor, port, node-id and LV name belongs to one incarnation.
func (w *world) checkUnique(s *state.Snapshot) {
	minors := map[int]model.UUID{}
	ports := map[string]model.UUID{}
	s.AllDefinitions(func(d *state.Definition) bool {
		for _, v := range d.Volumes {
			if o, ok := minors[v.Minor]; ok && v.Minor > 0 {
				w.broken("I3", "minor %d is of %s and of volume definition %s", v.Minor, d.Name, o)
			}
			minors[v.Minor] = v.UUID
		}
		ids := map[int]model.UUID{}
		for _, r := range d.Resources {
			if !d.HasDRBD() {
				continue
			}
			if o, ok := ids[r.NodeID]; ok {
				w.broken("I3", "node-id %d of %s is of %s and %s", r.NodeID, d.Name, o, r.UUID)
			}
			ids[r.NodeID] = r.UUID
			key := fmt.Sprintf("%s:%d", model.Key(r.Node), r.Port)
			if o, ok := ports[key]; ok && r.Port > 0 {
				w.broken("I3", "port %s is of %s and %s", key, o, r.UUID)
			}
			ports[key] = r.UUID
		}
		for _, t := range d.Retired {
			if o, ok := ids[t.NodeID]; ok {
				w.broken("I3", "node-id %d of %s is given to %s, and %v still remember %s", t.NodeID, d.Name, o, t.WaitFor, t.Replica)
			}
		}
		return true
	})
}

// I7: what is older than what a node has obeyed changes nothing there. The node's memory is compared byte by byte.
func (n *node) memory() []byte {
	b, _ := n.m.ReadFile(n.config.StateDir + "/replicas/desired.json")
	return b
}

func (w *world) beforeHello(n *node, h wire.Hello) []byte {
	if h.Order.Epoch >= n.highest.Epoch {
		return nil
	}
	return append(n.memory(), 0)
}

func (w *world) afterHello(n *node, h wire.Hello, before []byte, ok bool) {
	if before != nil {
		if ok {
			w.broken("I7", "%s obeyed epoch %d and accepts a session of epoch %d", n.name, n.highest.Epoch, h.Order.Epoch)
		}
		if !bytes.Equal(append(n.memory(), 0), before) {
			w.broken("I7", "a Hello of epoch %d changed the memory of %s, which obeyed epoch %d", h.Order.Epoch, n.name, n.highest.Epoch)
		}
	}
	if ok && h.Order.Epoch == n.highest.Epoch && n.highest.Instance != "" && h.Order.Instance != n.highest.Instance {
		w.broken("I7", "%s obeys %s and then %s, both of epoch %d", n.name, n.highest.Instance, h.Order.Instance, h.Order.Epoch)
	}
	if ok {
		n.highest = h.Order
	}
}

// beforeOld keeps the node's memory if the message says nothing new: one that came before.
func (w *world) beforeOld(n *node, x *conn, m wire.Message) []byte {
	d, ok := m.(wire.Desired)
	if !ok {
		return nil
	}
	if d.Seq > x.seq {
		x.seq = d.Seq
		return nil
	}
	return append(n.memory(), 0)
}

func (w *world) afterOld(n *node, before []byte) {
	if before != nil && !bytes.Equal(append(n.memory(), 0), before) {
		w.broken("I7", "a repeated or older order changed the memory of %s", n.name)
	}
}

// afterStale checks that words older than what the node had heard were passed over.
func (w *world) afterStale(n *node, stale []said) {
	if len(stale) == 0 {
		return
	}
	var kept struct {
		State json.RawMessage `json:"state"`
	}
	err := json.Unmarshal(n.memory(), &kept)
	var told model.NodeState
	if err == nil {
		told, err = wire.UnmarshalState(kept.State)
	}
	if err != nil {
		w.broken("I7", "the memory of %s can't be read: %v", n.name, err)
		return
	}
	for _, s := range stale {
		for _, r := range told.Resources {
			if r.ID == s.spec.ID && r.Generation < s.spec.Generation {
				w.broken("I7", "%s took generation %d of %s, and had heard %d", n.name, r.Generation, r.Name, s.spec.Generation)
			}
		}
	}
}

// checkMet: who says that he has met his peer since the boot has done so. On 8.4 a promotion hangs on it.
func (n *node) checkMet(m wire.Message) {
	r, ok := m.(wire.Report)
	if !ok {
		return
	}
	n.w.oracle.look(n.w)
	for _, st := range r.Resources {
		if st.MetPeer && !n.met[st.Name] {
			n.w.broken("I1", "%s says that %s has met its peer since the boot, and it hasn't", n.name, st.Name)
		}
	}
}

// desiredText is for the trace.
func desiredText(d wire.Desired) string {
	var b strings.Builder
	fmt.Fprintf(&b, "orders %d.%d", d.Order.Epoch, d.Seq)
	if d.Full {
		b.WriteString(" full")
	}
	if d.PoolsSet {
		fmt.Fprintf(&b, " %d pools", len(d.Pools))
	}
	for _, r := range d.Resources {
		fmt.Fprintf(&b, "; %s", specText(r))
	}
	for _, id := range d.Dropped {
		fmt.Fprintf(&b, "; drop %.8s", id)
	}
	return b.String()
}

func specText(r model.ResourceSpec) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %.8s gen %d", r.Name, r.ID, r.Generation)
	if r.Want == model.Gone {
		b.WriteString(" GONE")
	}
	if r.WholeDefinition {
		b.WriteString(" whole")
	}
	if r.LastUnused {
		b.WriteString(" last")
	}
	if r.Lose {
		b.WriteString(" lose")
	}
	if r.Snapshot != nil {
		fmt.Fprintf(&b, " snapshot take %v", r.Snapshot.Take)
	}
	if r.Rollback != nil {
		fmt.Fprintf(&b, " ROLLBACK go %v", r.Rollback.Go)
	}
	if r.Verify != "" {
		fmt.Fprintf(&b, " verify %.8s", r.Verify)
	}
	if r.Quiet != "" {
		fmt.Fprintf(&b, " quiet %.8s", r.Quiet)
	}
	for i, on := range []bool{r.Diskless, r.Client, r.DropDisk, r.Hold, r.Down} {
		if on {
			b.WriteString([]string{" diskless", " client", " DROP", " hold", " down"}[i])
		}
	}
	if r.DRBD != nil {
		fmt.Fprintf(&b, " id %d", r.DRBD.NodeID)
		for _, p := range r.DRBD.Peers {
			fmt.Fprintf(&b, " peer %s/%d", p.Node, p.NodeID)
		}
		if len(r.DRBD.Forget) > 0 {
			fmt.Fprintf(&b, " forget %v", r.DRBD.Forget)
		}
	}
	for _, v := range r.Volumes {
		fmt.Fprintf(&b, " [%d %.8s %d", v.Number, v.ID, v.Minor)
		if v.Want == model.Gone {
			b.WriteString(" gone")
		}
		if v.GrowKiB > 0 {
			fmt.Fprintf(&b, " grow to %d on %d", v.GrowKiB, v.BackingKiB)
		}
		if v.GrowAlone {
			b.WriteString(" alone")
		}
		if v.Resize {
			b.WriteString(" resize")
		}
		if v.Initialised {
			b.WriteString(" init")
		}
		if v.Seed != model.NoSeed {
			fmt.Fprintf(&b, " seed%d", v.Seed)
		}
		b.WriteString("]")
	}
	return b.String()
}

func reportText(r wire.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "report ack %d", r.AckSeq)
	if r.Full {
		b.WriteString(" full")
	}
	for _, s := range r.Resources {
		fmt.Fprintf(&b, "; %s %.8s gen %d %s", s.Name, s.ID, s.Generation, phaseNames[s.Phase])
		if s.Gone {
			b.WriteString(" GONE")
		}
		if s.Reason != "" {
			fmt.Fprintf(&b, " (%s)", s.Reason)
		}
		if s.Quiet.Lease != "" {
			fmt.Fprintf(&b, " quiet %.8s %d %s", s.Quiet.Lease, s.Quiet.State, s.Quiet.Reason)
		}
		for _, v := range s.Volumes {
			fmt.Fprintf(&b, " [%d %s", v.Number, v.Disk)
			if v.BackingKiB > 0 {
				fmt.Fprintf(&b, " %d on %d", v.UsableKiB, v.BackingKiB)
			}
			if v.MDReady {
				b.WriteString(" md")
			}
			b.WriteString("]")
		}
		for _, p := range s.Peers {
			fmt.Fprintf(&b, " %s:%s", p.Node, p.State)
		}
	}
	for _, id := range r.Forgotten {
		fmt.Fprintf(&b, "; forgotten %.8s", id)
	}
	return b.String()
}

var phaseNames = map[model.Phase]string{model.Working: "working", model.Done: "done", model.Failed: "FAILED", model.Blocked: "BLOCKED"}
