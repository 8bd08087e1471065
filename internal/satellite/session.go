package satellite

import (
	"fmt"
	"slices"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/wire"
)

// session with a controller.
type session struct {
	id     uint64
	order  model.Order
	since  time.Time
	seq    uint64 // newest Desired that is kept
	acked  uint64
	first  bool // the full report was sent
	node   *model.NodeReport
	nodeAt time.Time
	sent   map[model.UUID]model.ResourceStatus
}

// Hello opens a session if this controller may speak here, and answers Welcome or Refused. Whether it is the cluster that
// owns this satellite was asked before. ID must be greater than that of all sessions before; a session of the same
// controller that was open ends silently. A refused Hello leaves it open.
func (a *Agent) Hello(id uint64, h wire.Hello, now time.Time) (answer wire.Message, ok bool) {
	have := a.kept.Order
	if h.ClusterID != a.kept.Cluster {
		have = model.Order{} // it belongs to another cluster now, whose epochs are its own
	}
	refuse := func(why wire.RefusedWhy, format string, args ...any) (wire.Message, bool) {
		return wire.Refused{Why: why, Text: fmt.Sprintf(format, args...), HighestEpoch: have.Epoch}, false
	}
	switch {
	case !common(h.Features):
		return refuse(wire.RefusedVersion, "satellite %s on %s and controller %s have no features in common: bring them to releases that are at most two apart", a.cfg.Version, a.cfg.Node, h.Version)
	case h.NodeName != "" && model.Key(h.NodeName) != model.Key(a.cfg.Node):
		return refuse(wire.RefusedName, "the cluster calls this node %s, but its name (uname -n) is %s: create the node under that name", h.NodeName, a.cfg.Node)
	case h.Order.Epoch < have.Epoch:
		return refuse(wire.RefusedEpoch, "a newer controller (epoch %d) has spoken to %s, this one has epoch %d: it is an old copy, or its store was rolled back; restart it to take over, if it is the right one", have.Epoch, a.cfg.Node, h.Order.Epoch)
	case a.session != nil && h.ClusterID == a.kept.Cluster && h.Order.Instance != a.session.order.Instance:
		// Whatever its epoch: a copy of a controller, started beside it, raises the epoch too. A session whose controller
		// is gone ends by itself, at the latest after 10 s of silence.
		return refuse(wire.RefusedInstance, "another controller (epoch %d) is connected to %s and alive: this one (epoch %d) is a copy of it; stop one of them", a.session.order.Epoch, a.cfg.Node, h.Order.Epoch)
	case h.Order.Epoch == have.Epoch && have.Instance != "" && h.Order.Instance != have.Instance:
		return refuse(wire.RefusedInstance, "another controller of the same epoch (%d) holds %s: two copies of one controller run; stop one of them", have.Epoch, a.cfg.Node)
	}
	if h.Order != a.kept.Order || h.ClusterID != a.kept.Cluster {
		next := a.kept.clone()
		if h.ClusterID != a.kept.Cluster {
			next.Epochs = nil
		}
		if h.ClusterID != a.kept.Cluster || h.Order.Epoch != a.kept.Order.Epoch {
			next.Past = nil
		}
		next.Order, next.Cluster = h.Order, h.ClusterID
		if err := next.save(a.host, a.cfg); err != nil {
			return refuse(wire.RefusedBusy, "%s can't write its own state: %v", a.cfg.Node, err)
		}
		a.kept = next
	}
	a.session = &session{id: id, order: h.Order, since: now, sent: map[model.UUID]model.ResourceStatus{}}
	a.nodeDirty = true
	for _, p := range a.pools {
		p.dirty = true
	}
	a.allDirty()
	return wire.Welcome{Version: a.cfg.Version, Features: wire.Features, Uname: a.cfg.Node, BootID: a.boot, HighestEpoch: h.Order.Epoch}, true
}

func common(features []string) bool {
	return slices.ContainsFunc(wire.Features, func(f string) bool { return slices.Contains(features, f) })
}

// Session is the open session's number, 0 for none.
func (a *Agent) Session() uint64 {
	if a.session == nil {
		return 0
	}
	return a.session.id
}

// Lost ends a session.
func (a *Agent) Lost(id uint64) {
	if a.session != nil && a.session.id == id {
		a.session = nil
		a.allDirty()
	}
}

// Message takes in what came in an open session. An error ends the session; the answer, if any, is sent before.
func (a *Agent) Message(id uint64, m wire.Message, now time.Time) (answer wire.Message, err error) {
	if a.session == nil || a.session.id != id {
		return nil, fmt.Errorf("take message: session %d isn't open any more", id)
	}
	switch m := m.(type) {
	case wire.Ping:
		return wire.Pong(m), nil
	case wire.Pong:
		return nil, nil
	case wire.Desired:
		return a.desired(m)
	}
	return nil, fmt.Errorf("take message: %T is out of order", m)
}

// desired keeps the controller's word on disk and acts on it.
func (a *Agent) desired(d wire.Desired) (wire.Message, error) {
	s := a.session
	if d.Order != s.order {
		text := fmt.Sprintf("desired state of epoch %d came in a session of epoch %d", d.Order.Epoch, s.order.Epoch)
		return wire.Refused{Why: wire.RefusedEpoch, Text: text, HighestEpoch: a.kept.Order.Epoch}, fmt.Errorf("take desired state: %s", text)
	}
	if d.Seq <= s.seq && d.Seq != 0 {
		return nil, nil // said before
	}
	next := a.kept.clone()
	plain, keys := takeKeys(d.Resources)
	d.Resources = plain
	taken := next.apply(d)
	for _, r := range next.State.Resources {
		for _, v := range r.Volumes {
			if v.Initialised && v.Pool != "" && !r.DropDisk {
				add(&next.Initialised, v.ID)
			}
		}
	}
	if err := next.save(a.host, a.cfg); err != nil {
		text := fmt.Sprintf("%s can't write its own state: %v", a.cfg.Node, err)
		return wire.Refused{Why: wire.RefusedBusy, Text: text, HighestEpoch: a.kept.Order.Epoch}, fmt.Errorf("take desired state: %w", err)
	}
	a.kept = next
	a.crypt.keep(taken, keys, next.labels())
	s.seq = d.Seq
	// What is no longer mentioned and is confirmed gone leaves no trace; else what it must not forget stays.
	for id, r := range a.replicas {
		if r.status.Gone && !next.mentions(id) {
			a.kept.forget(r.spec)
		}
	}
	a.take(next.State)
	if d.Full || d.PoolsSet || d.Pools != nil {
		a.devicePoolsSaid()
	}
	for _, id := range taken {
		a.replicas[id].session = s.id
	}
	if d.Rescan {
		a.nodeDirty = true
		for _, p := range a.pools {
			p.dirty = true
		}
	}
	return nil, nil
}
