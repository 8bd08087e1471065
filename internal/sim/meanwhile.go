package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"holdfast/internal/satellite/steps"
	"holdfast/internal/state"
)

// What happens in the short time between a decision and its act is rare by chance, and what guards are for. These have
// a randomness of their own.

// meanwhile is true in n of three cases, where there are faults.
func (f *faults) meanwhile(w *world, n int) bool {
	if f.rng == nil {
		f.rng = rand.New(rand.NewPCG(w.seed, 0x4d45414e))
	}
	return len(f.kinds) > 0 && !w.settling && f.rng.IntN(3) < n
}

// holderDies kills a satellite that holds I/O, and starts it only when the lease is long over.
func (w *world) holderDies() {
	for _, n := range w.nodes {
		if n.agent == nil || !n.m.Frozen() || !w.faults.meanwhile(w, 1) {
			continue
		}
		w.logf("fault: the satellite on %s dies while it holds I/O", n.name)
		n.kill()
		for began := w.now; w.now.Sub(began) < frozenLimit+2*second && w.failure == nil; {
			w.next()
			w.checkFrozen()
		}
		n.boot()
		return
	}
}

// slowLook lets a satellite that starts take longer for its first look at the machine than its first report waits for that; in
// a fifth of the seeds.
func (w *world) slowLook(n *node) {
	n.looks = time.Time{}
	if w.seed%5 == 4 && w.faults.meanwhile(w, 2) {
		n.looks = w.now.Add(8 * second)
		w.logf("fault: %s is slow to look at itself", n.name)
	}
}

// checkInventory: who is online has said what it has, in this session or the one before.
func (w *world) checkInventory(s *state.Snapshot) {
	for _, n := range w.nodes {
		if o := s.Node(n.name); o != nil && o.Online() && o.Seen.Providers == nil {
			w.broken("I5", "%s is online, and it isn't known what it has", n.name)
		}
	}
}

// apartBefore cuts a node off when it is about to drop a disk, and somebody uses the resource there once more: what he wrote
// is nowhere else.
func (w *world) apartBefore(n *node, j *job) {
	i := slices.IndexFunc(j.Steps, func(s steps.Step) bool { return s.Kind == steps.GuardDrop })
	if i < 0 || !w.faults.meanwhile(w, 2) {
		return
	}
	w.logf("fault: %s is cut off before it drops a disk", n.name)
	w.isolate(n)
	for range 3 {
		w.net.Tick(w.now)
		w.now = w.now.Add(second / 10)
	}
	w.oracle.look(w)
	for _, a := range w.running() {
		if a.n != n || a.r.Name != j.Steps[i].Resource {
			continue
		}
		if a.r.Role != "Primary" {
			if !w.oracle.permits(w, a) {
				return
			}
			r := n.m.Operator("drbdadm", "-c", n.res(a.r.Name), "primary", a.r.Name)
			w.logf("operator: promote %s on %s: exit %d %s", a.r.Name, n.name, r.Exit, r.Stderr)
			if r.Exit != 0 {
				return
			}
			w.oracle.promoted(w, a)
		}
		w.writeTo(a)
		w.demote(n)
		return
	}
}

// loseAnswers lets no peer answer to a disk that a job of the node attaches over connections that are there already: that is rare.
func (w *world) loseAnswers(n *node, j *job) {
	if len(w.faults.kinds) == 0 || !slices.ContainsFunc(j.Steps, func(s steps.Step) bool { return s.Kind == steps.Adjust }) {
		return
	}
	if w.faults.answers == nil {
		w.faults.answers = rand.New(rand.NewPCG(w.seed, 0x414e5357))
	}
	lose := !w.settling && w.faults.answers.IntN(4) > 0
	n.m.LoseAnswers(lose)
}
