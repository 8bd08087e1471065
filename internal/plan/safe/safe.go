// Package safe says what would be lost if a node stopped now: by what its volumes' other nodes report in their current
// sessions. Pure.
package safe

import (
	"fmt"
	"slices"
	"strconv"

	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/plan/nodestate"
	"holdfast/internal/state"
)

// Kind of a loss, the worst first.
type Kind string

const (
	LastCopy   Kind = "last-copy"  // no other replica is proven UpToDate
	Quorum     Kind = "quorum"     // those that remain may not write any more
	InUse      Kind = "in-use"     // a program on the node uses it
	Redundancy Kind = "redundancy" // fewer copies remain; it can still be read and written
)

// Stops tells whether a loss of the kind speaks against stopping the node.
func (k Kind) Stops() bool { return k != Redundancy }

// Loss is what one volume would lose.
type Loss struct {
	Definition string
	Volume     int
	Kind       Kind
	// Copies that are proven UpToDate and remain.
	Copies int
	Text   string
}

// ToStop lists the losses, by definition and volume.
func ToStop(s *state.Snapshot, node string) []Loss {
	var out []Loss
	s.OnNode(node, func(d *state.Definition) bool {
		r := d.On(node)
		if d.Deleting || r == nil || r.Deleting && r.Successor == "" {
			return true
		}
		st := d.Seen[r.UUID]
		quorum := losesQuorum(s, d, r)
		for i := range r.Volumes {
			v := &r.Volumes[i]
			vd := d.Volume(v.Number)
			if vd == nil || vd.Deleting || v.Deleting {
				continue
			}
			add := func(k Kind, copies int, format string, a ...any) {
				out = append(out, Loss{d.Name, v.Number, k, copies, fmt.Sprintf(format, a...)})
			}
			copies := others(s, d, r, v.Number)
			switch holds := !r.Diskless && (vd.Initialised || !d.HasDRBD()); {
			case holds && copies == 0:
				add(LastCopy, 0, "no other replica is proven UpToDate")
			case quorum != "":
				add(Quorum, copies, "%s", quorum)
			case st != nil && st.InUse:
				add(InUse, copies, "it is in use on the node")
			case holds && good(st, v):
				if copies == 1 {
					add(Redundancy, copies, "1 good copy remains")
				} else {
					add(Redundancy, copies, "%d good copies remain", copies)
				}
			}
		}
		return true
	})
	return out
}

// others counts the replicas elsewhere on which the volume is proven good and that are not to go. One that a good replica here
// isn't connected to may have missed what was written here, and still be UpToDate by its own word: with 8.4 it doesn't know. So may one
// that is connected to nobody, if nobody knows what this node has: it may be out of the controller's reach alone, and in use.
func others(s *state.Snapshot, d *state.Definition, r *model.Resource, number int) (n int) {
	here := d.Seen[r.UUID]
	unknown := here == nil && !r.Diskless && d.HasDRBD()
	if v := r.Volume(number); v == nil || !good(here, v) {
		here = nil
	}
	for i := range d.Resources {
		o := &d.Resources[i]
		if o.UUID == r.UUID || !o.Diskful() || o.Inactive || plan.Evicted(s, o) {
			continue
		}
		if here != nil && slices.ContainsFunc(here.Peers, func(p model.PeerStatus) bool {
			return model.Key(p.Node) == model.Key(o.Node) && p.State != model.Connected
		}) {
			continue
		}
		if v := o.Volume(number); v != nil && good(d.Seen[o.UUID], v) && (!unknown || plan.InTouch(d.Seen[o.UUID])) {
			n++
		}
	}
	return n
}

func good(st *model.ResourceStatus, v *model.Volume) bool {
	if st == nil {
		return false
	}
	seen := st.Volume(v.Number)
	return seen != nil && seen.ID == v.UUID && (seen.Disk == model.DiskUpToDate || seen.Disk == model.DiskCreated)
}

// losesQuorum says why those that remain would have none; "" if they have, or none is asked for. DRBD counts the replicas
// with disks; without one can break a tie (drbd.conf(5), quorum).
func losesQuorum(s *state.Snapshot, d *state.Definition, r *model.Resource) string {
	rule, good := "", ""
	for _, spec := range nodestate.Resources(s, d, r.Node) {
		if spec.ID == r.UUID && spec.DRBD != nil && spec.DRBD.Generation == model.DRBD9 {
			rule, good = spec.DRBD.Options["Resource"]["quorum"], spec.DRBD.Options["Resource"]["quorum-minimum-redundancy"]
		}
	}
	if rule == "" || rule == "off" {
		return ""
	}
	voters, left, ties, upToDate := 0, 0, 0, 0
	for i := range d.Resources {
		o := &d.Resources[i]
		if o.Deleting {
			continue
		}
		n := s.Node(o.Node)
		there := o.UUID != r.UUID && !o.Inactive && n != nil && n.Online() && !n.Evicted && d.Seen[o.UUID] != nil
		switch {
		case o.Diskless && there:
			ties++
		case o.Diskless:
		case there:
			voters++
			left++
			if d.Seen[o.UUID].UpToDate() {
				upToDate++
			}
		default:
			voters++
		}
	}
	if voters == 0 {
		return ""
	}
	enough := 2*left > voters || 2*left == voters && ties > 0
	switch k, err := strconv.Atoi(rule); {
	case rule == "all":
		enough = left == voters
	case err == nil:
		enough = left >= k
	}
	if enough && good == "majority" && 2*upToDate <= voters && 2*left > voters {
		return fmt.Sprintf("quorum-minimum-redundancy %q isn't met: %d of %d replicas with a disk remain UpToDate", good, upToDate, voters)
	}
	if enough {
		return ""
	}
	return fmt.Sprintf("the quorum %q is lost: %d of %d replicas with a disk remain", rule, left, voters)
}
