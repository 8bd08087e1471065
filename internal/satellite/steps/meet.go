package steps

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"holdfast/internal/model"
)

// DRBD 9 agrees on the data where a connection begins. Over one that is there already, when a disk is attached, it does so in
// messages, and 9.2.18 takes an answer that comes before its own state has changed for none (seen in the lab). Then the disk
// stays Negotiating, and whoever attached it hangs in the kernel; once another connection is lost it is Inconsistent, and nobody
// syncs it; and the peer that answered waits for a bitmap, and sends no data meanwhile. One that loses its source in the midst of a sync,
// connected to another good one since before, may have nobody to sync it either. A connection that is made anew mends all of these.

const (
	// negotiating is the disk while it is agreed which data are newer.
	negotiating = "Negotiating"
	// A sync that is about to begin looks the same for a moment.
	adriftFor = 10 * time.Second
	// A bitmap is on its way for so long at most.
	bitmapFor = 2 * time.Minute
)

// Adrift (9) finds peers that are to be met anew, the one that is in use first: a volume here isn't good, they are connected and
// good, and no sync of it runs, nor any with them. One that is used here isn't cut off from all its data at once.
func Adrift(k *Kernel) (peers []KernelPeer, volume int) {
	if k == nil {
		return nil, 0
	}
	for _, n := range slices.Sorted(maps.Keys(k.Volumes)) {
		if d := k.Volumes[n].Disk; d != model.DiskInconsistent && d != negotiating ||
			slices.ContainsFunc(k.Peers, func(kp KernelPeer) bool { return kp.Volumes[n].Syncing() }) {
			continue
		}
		for _, kp := range k.Peers {
			pv := kp.Volumes[n]
			if kp.State == model.Connected && pv.Disk == model.DiskUpToDate && pv.Replication == "Established" && !engaged(kp) {
				peers = append(peers, kp)
			}
		}
		slices.SortStableFunc(peers, func(a, b KernelPeer) int { return strings.Compare(a.Role, b.Role) })
		if k.Role == primary && len(peers) > 0 {
			peers = slices.DeleteFunc(peers[:1], func(kp KernelPeer) bool { return !othersGood(k, kp) })
		}
		if len(peers) > 0 {
			return peers, n
		}
	}
	return nil, 0
}

// Waits (9) finds peers whose bitmap this node waits for, to sync them; 'peers' as for Adrift. Who is in use there isn't cut off.
func Waits(k *Kernel) (peers []KernelPeer, volume int) {
	if k == nil {
		return nil, 0
	}
	for _, kp := range k.Peers {
		for _, n := range slices.Sorted(maps.Keys(kp.Volumes)) {
			if kp.State == model.Connected && kp.Role != primary && kp.Volumes[n].Replication == "WFBitMapS" && !slices.ContainsFunc(slices.Collect(maps.Values(kp.Volumes)), moves) {
				return []KernelPeer{kp}, n
			}
		}
	}
	return nil, 0
}

// engaged tells whether a sync with the peer runs, or is about to.
func engaged(kp KernelPeer) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(kp.Volumes)), KernelPeerVolume.Syncing)
}

// moves tells whether it's more than the wait for a bitmap.
func moves(v KernelPeerVolume) bool { return v.Syncing() && v.Replication != "WFBitMapS" }

// othersGood tells whether every volume is good at another connected peer, too.
func othersGood(k *Kernel, but KernelPeer) bool {
	rest := *k
	rest.Peers = slices.DeleteFunc(slices.Clone(k.Peers), func(kp KernelPeer) bool { return kp.NodeID == but.NodeID })
	return OtherGood(&rest, slices.Sorted(maps.Keys(k.Volumes))) == ""
}

// ToMeet are the peers to meet anew, of Adrift or else of Waits, with the reason, and for how long it must have been so.
func ToMeet(k *Kernel) (peers []KernelPeer, why string, after time.Duration) {
	if peers, n := Adrift(k); len(peers) > 0 {
		return peers, fmt.Sprintf("volume %d is %s and doesn't sync, though %s is good and connected: they are to meet anew", n, k.Volumes[n].Disk, peers[0].Name), adriftFor
	}
	if peers, n := Waits(k); len(peers) > 0 {
		return peers, fmt.Sprintf("%s is connected and doesn't begin the sync of volume %d: they are to meet anew", peers[0].Name, n), bitmapFor
	}
	return nil, "", 0
}

// meet lets those who are to meet anew do so.
func (p *planner) meet() *Plan {
	if p.spec.DRBD.Generation != model.DRBD9 || !p.seen.ConfigThere {
		return nil
	}
	peers, why, after := ToMeet(p.seen.Kernel)
	if len(peers) == 0 {
		return nil
	}
	adjust := p.step(Adjust)
	adjust.Config = p.seen.Config
	w := do(p.step(DropPeers), adjust)
	w.Applied, w.Reason, w.After = p.seen.Record.Applied, why, after
	return &w
}

// unhang is meet where a disk is Negotiating: what attached it hangs until then, and holds everything else up. nil: none is.
func (p *planner) unhang() *Plan {
	if p.spec.DRBD == nil || !p.kernelOwn() || !p.negotiates() {
		return nil
	}
	return p.meet()
}

func (p *planner) negotiates() bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(p.seen.Kernel.Volumes)), func(v KernelVolume) bool { return v.Disk == negotiating })
}

// Unhangs tells whether the plan ends what a program of this replica hangs on.
func (p Plan) Unhangs() bool { return len(p.Steps) > 0 && p.Steps[0].Kind == DropPeers }
