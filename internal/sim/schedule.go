package sim

import (
	"time"

	"holdfast/internal/satellite"
)

// choice is something that can happen next.
type choice struct {
	weight int
	do     act
	ctl    *ctl
	conn   *conn
	node   *node
	job    *job
}

type act uint8

const (
	actTick act = iota
	actStep
	actCommit
	actCommitted
	actReload
	actToNode
	actToCtl
	actRun
	actFinish
	actEvents
	actStreamEnd
	actLate
)

// ready lists what can happen, the clock aside.
func (w *world) ready() []choice {
	out := w.choices[:0]
	for _, c := range []*ctl{w.main, w.rival} {
		if c == nil || !c.running() {
			continue
		}
		switch {
		case c.req != nil && c.taken:
			out = append(out, choice{weight: 8, do: actCommitted, ctl: c})
		case c.req != nil:
			out = append(out, choice{weight: 8, do: actCommit, ctl: c})
		case c.brain.NeedReload():
			out = append(out, choice{weight: 4, do: actReload, ctl: c})
		}
		if c.due || c.wakes() {
			out = append(out, choice{weight: 6, do: actStep, ctl: c})
		}
		if c.late.waiting() {
			out = append(out, choice{weight: 1, do: actLate, ctl: c})
		}
	}
	for _, x := range w.conns {
		if x.readyNode() {
			out = append(out, choice{weight: 6, do: actToNode, conn: x})
		}
		if x.readyCtl() {
			out = append(out, choice{weight: 6, do: actToCtl, conn: x})
		}
	}
	for _, n := range w.nodes {
		if n.agent == nil {
			continue
		}
		ended := n.listen()
		if len(n.lines) > 0 {
			out = append(out, choice{weight: 6, do: actEvents, node: n})
		}
		if ended {
			out = append(out, choice{weight: 6, do: actStreamEnd, node: n})
		}
		for _, j := range n.jobs {
			if j.Kind == satellite.NodeJob && w.now.Before(n.looks) {
				continue
			}
			a := actRun
			if j.ran {
				a = actFinish
			}
			out = append(out, choice{weight: 4, do: a, node: n, job: j})
		}
	}
	w.choices = out
	return out
}

// next makes one thing happen. It tells whether anything but the clock moved.
func (w *world) next() bool {
	w.step++
	all := w.ready()
	sum := 0
	for i := range all {
		sum += all[i].weight
	}
	tick := 2
	if sum == 0 {
		w.tick(w.pause())
		return false
	}
	k := w.rng.IntN(sum + tick)
	if k >= sum {
		w.tick(time.Duration(1+w.rng.IntN(150)) * time.Millisecond)
		return true
	}
	for i := range all {
		if k -= all[i].weight; k < 0 {
			w.happen(all[i])
			break
		}
	}
	w.machineLogs()
	w.sweepConns()
	return true
}

// pause is how long nothing happens when there is nothing to do.
func (w *world) pause() time.Duration {
	switch {
	case w.settling && w.idle:
		return 3 * second
	case w.settling:
		return second
	}
	return time.Duration(50+w.rng.IntN(1500)) * time.Millisecond
}

// tick lets time pass.
func (w *world) tick(d time.Duration) {
	w.now = w.now.Add(d)
	w.net.Tick(w.now)
	w.machineLogs()
	for _, n := range w.nodes {
		if w.now.Sub(n.pumped) >= second/4 {
			n.pump()
		}
	}
	w.oracle.look(w)
}

func (w *world) happen(c choice) {
	if c.ctl != nil || c.conn != nil {
		w.ctlSteps++
	}
	switch c.do {
	case actStep:
		c.ctl.act()
	case actCommit:
		c.ctl.commit()
	case actCommitted:
		c.ctl.committed()
	case actReload:
		c.ctl.reload()
	case actToNode:
		c.conn.deliverNode(w.faults.repeats(w))
	case actToCtl:
		c.conn.deliverCtl(w.faults.repeats(w))
	case actRun:
		c.node.run(c.job)
	case actFinish:
		c.node.finish(c.job)
	case actEvents:
		c.node.events(1 + w.rng.IntN(20))
	case actStreamEnd:
		c.node.endStream()
		c.node.pump()
	case actLate:
		c.ctl.late.flush(c.ctl)
	}
	for _, x := range []*ctl{w.main, w.rival} {
		if x != nil && x.running() && x.brain.ReadOnly() == "" {
			x.hand()
		}
	}
}

// quiet runs until nothing moves but the clock, or for most steps.
func (w *world) quiet(most int) {
	for range most {
		if w.failure != nil {
			return
		}
		if !w.next() {
			return
		}
	}
}
