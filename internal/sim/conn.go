package sim

import (
	"slices"
	"time"

	"holdfast/internal/controller"
	"holdfast/internal/model"
	"holdfast/internal/wire"
)

// conn is a session on its way between a controller and a node: two queues, and what each end knows of its end.
type conn struct {
	ctl  *ctl
	node *node
	brs  uint64 // session number of the brain's
	ags  uint64 // of the agent's; 0: no Hello yet
	// dial is the request, while the answer to Hello is out.
	dial *controller.DialRequest
	born time.Time

	toNode, toCtl []wire.Message
	// gone: that end has closed; the other hears of it after what is still in its queue.
	ctlGone, nodeGone bool
	seq               uint64 // of the newest Desired delivered
}

func (w *world) connOf(c *ctl, session uint64) *conn {
	for _, x := range w.conns {
		if x.ctl == c && x.brs == session && !x.ctlGone {
			return x
		}
	}
	return nil
}

// dialLimit is how long a dialling may take, Hello and its answer included.
const dialLimit = 10 * time.Second

func (w *world) dial(c *ctl, d controller.DialRequest) {
	var n *node
	for _, x := range w.nodes {
		if x.endpoint == d.Address {
			n = x
		}
	}
	w.logf("%s dials %s", c.name, d.Node)
	x := &conn{ctl: c, node: n, brs: d.Session, dial: &d, born: w.now, toNode: []wire.Message{d.Hello}}
	if n == nil || !n.up() {
		x.nodeGone = true
	}
	w.conns = append(w.conns, x)
}

func (x *conn) closeCtl() {
	if x.ctlGone {
		return
	}
	x.ctlGone = true
	x.toCtl = nil
}

func (x *conn) closeNode() {
	if x.nodeGone {
		return
	}
	x.nodeGone = true
	x.toNode = nil
}

// readyNode tells whether something can reach the node now.
func (x *conn) readyNode() bool {
	return !x.nodeGone && !x.node.away && x.node.up() && (len(x.toNode) > 0 || x.ctlGone)
}

// readyCtl tells whether something can reach the controller now. A node without power says nothing, not even good-bye:
// the controller finds out by itself, but a dialling ends in time.
func (x *conn) readyCtl() bool {
	if x.ctlGone || !x.ctl.running() {
		return false
	}
	if x.node == nil || x.dial != nil && x.ctl.w.now.Sub(x.born) >= dialLimit {
		return true
	}
	if x.node.away || !x.node.m.On() {
		return x.dial != nil && x.nodeGone
	}
	return len(x.toCtl) > 0 || x.nodeGone
}

// over tells whether nobody has anything to hear any more.
func (x *conn) over() bool {
	return (x.ctlGone || !x.ctl.running()) && (x.nodeGone || x.node == nil || !x.node.up())
}

func (w *world) sweepConns() {
	w.conns = slices.DeleteFunc(w.conns, (*conn).over)
}

// deliverNode hands the next message to the satellite; repeat leaves it in the queue as well.
func (x *conn) deliverNode(repeat bool) {
	w, n := x.node.w, x.node
	if len(x.toNode) == 0 {
		w.logf("%s hears that session %d is over", n.name, x.brs)
		x.nodeGone = true
		if x.ags != 0 {
			n.agent.Lost(x.ags)
		}
		n.pump()
		return
	}
	m := x.toNode[0]
	if !repeat {
		x.toNode = x.toNode[1:]
	}
	m, err := w.pipe.through(m)
	if err != nil {
		w.broken("I5", "a message doesn't pass the wire: %v", err)
		return
	}
	if h, ok := m.(wire.Hello); ok {
		x.hello(h)
		return
	}
	var stale []said
	if d, ok := m.(wire.Desired); ok {
		d = w.breakDesired(n, d)
		m = d
		w.logf("%s gets %s", n.name, desiredText(d))
		stale = w.oracle.ordered(n, d)
	}
	before := w.beforeOld(n, x, m)
	answer, err := n.agent.Message(x.ags, m, w.now)
	if n.died() {
		return
	}
	w.afterOld(n, before)
	w.afterStale(n, stale)
	if answer != nil {
		x.send(answer)
	}
	if err != nil {
		w.logf("%s ends session %d: %v", n.name, x.brs, err)
		n.agent.Lost(x.ags)
		x.closeNode()
	}
	n.pump()
}

// hello is what the satellite's server does with a new session.
func (x *conn) hello(h wire.Hello) {
	w, n := x.node.w, x.node
	w.lastSession++
	id := w.lastSession
	before := w.beforeHello(n, h)
	answer, ok := n.agent.Hello(id, h, w.now)
	if n.died() {
		return
	}
	w.afterHello(n, h, before, ok)
	w.logf("%s answers %s of epoch %d with %T", n.name, x.ctl.name, h.Order.Epoch, answer)
	x.send(answer)
	if !ok {
		x.closeNode()
		return
	}
	w.oracle.overruled = w.oracle.overruled || x.ctl == w.rival
	// The server serves one session; the older ones are closed.
	for _, o := range w.conns {
		if o != x && o.node == n && o.ags != 0 && !o.nodeGone {
			o.closeNode()
		}
	}
	x.ags = id
	n.claimed = true
	n.pump()
}

func (x *conn) send(m wire.Message) {
	if !x.ctlGone {
		x.toCtl = append(x.toCtl, m)
	}
}

// deliverCtl hands the next message to the controller.
func (x *conn) deliverCtl(repeat bool) {
	w, c := x.ctl.w, x.ctl
	c.due = true
	name := ""
	if x.node != nil {
		name = x.node.name
	}
	if x.dial != nil {
		name = x.dial.Node
	}
	if len(x.toCtl) == 0 || x.dial != nil && w.now.Sub(x.born) >= dialLimit {
		x.ctlGone = true
		w.logf("%s hears that session %d with %s is over", c.name, x.brs, name)
		if x.dial != nil {
			c.brain.DialFailed(name, x.brs, model.StatusOffline, "connection refused", w.now)
		} else {
			c.brain.Lost(name, x.brs, "connection lost", w.now)
		}
		return
	}
	m := x.toCtl[0]
	if !repeat || x.dial != nil {
		x.toCtl = x.toCtl[1:]
	}
	m, err := w.pipe.through(m)
	if err != nil {
		w.broken("I5", "a message doesn't pass the wire: %v", err)
		return
	}
	switch m := m.(type) {
	case wire.Welcome:
		x.dial = nil
		c.brain.Connected(name, x.brs, x.node.fingerprint, m, w.now)
	case wire.Refused:
		w.logf("%s is refused by %s: %s", c.name, name, m.Text)
		if x.dial != nil {
			c.brain.Refused(name, x.brs, m, w.now)
			x.closeCtl()
			break
		}
		c.brain.Message(name, x.brs, m, w.now)
	case wire.Report:
		w.logf("%s gets from %s %s", c.name, name, reportText(m))
		c.brain.Message(name, x.brs, m, w.now)
	default:
		c.brain.Message(name, x.brs, m, w.now)
	}
}
