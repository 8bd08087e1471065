package controller

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/state"
	"holdfast/internal/wire"
)

// peer is a node that is dialled.
type peer struct {
	key, name string
	node      model.UUID // another node may take the name over
	address   string     // host:port
	next      time.Time
	backoff   time.Duration
	attempt   uint64 // session number of the dialling under way; 0: none
	pinned    bool   // that dialling checks a fingerprint
	sess      *session
}

// DialRequest asks the driver to dial a satellite: TLS that shows the cluster's certificate and, if Fingerprint isn't
// empty, accepts only that satellite; then Hello. Exactly one of Connected, Refused and DialFailed answers it.
type DialRequest struct {
	Node        string
	Session     uint64
	Address     string // host:port
	Fingerprint string // as it was given or learnt; see pki.ParsePin
	Hello       wire.Hello
}

// DialPlan names the nodes to dial now. Call it after each Step and Committed.
func (b *Brain) DialPlan(now time.Time) []DialRequest {
	if !b.started || b.readOnly != "" {
		return nil
	}
	var out []DialRequest
	for _, p := range b.sorted {
		if p.sess != nil || p.attempt != 0 || now.Before(p.next) {
			continue
		}
		n := b.cur.Node(p.key)
		if n == nil {
			continue
		}
		b.lastSession++
		p.attempt, p.pinned = b.lastSession, n.Fingerprint != ""
		out = append(out, DialRequest{Node: p.name, Session: p.attempt, Address: p.address, Fingerprint: n.Fingerprint,
			Hello: wire.Hello{Order: b.order, ClusterID: b.cfg.ClusterID, Version: b.cfg.Version, Features: wire.Features,
				NodeName: p.name, Claim: true, ClaimFingerprint: n.Fingerprint, ClusterCA: b.cfg.ClusterCA}})
	}
	return out
}

// Reconnect ends a node's session, if there is one, and dials it at once.
func (b *Brain) Reconnect(node string, now time.Time) {
	p := b.peers[model.Key(node)]
	if p == nil {
		return
	}
	b.end(p, "reconnecting", now)
	p.next, p.backoff = now, 0
}

// dialSet makes the peers what the nodes say.
func (b *Brain) dialSet(now time.Time) {
	keys := map[string]bool{}
	for _, p := range b.sorted {
		keys[p.key] = true
	}
	b.cur.Nodes(func(n *state.Node) bool {
		keys[model.Key(n.Name)] = true
		return true
	})
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		b.dial(k, now)
	}
}

// dial makes one peer what its node says.
func (b *Brain) dial(key string, now time.Time) {
	p, n := b.peers[key], b.cur.Node(key)
	var nif *model.NetInterface
	if n != nil && n.Type.HasSatellite() {
		nif = n.Dial()
	}
	if p != nil && (n == nil || p.node != n.UUID || nif == nil || nif.Port == 0) {
		b.end(p, "the node is no longer to be dialled", now)
		delete(b.peers, key)
		b.sorted = slices.DeleteFunc(b.sorted, func(o *peer) bool { return o == p })
		p = nil
	}
	if nif == nil || nif.Port == 0 {
		return
	}
	address := net.JoinHostPort(nif.Address, strconv.Itoa(nif.Port))
	if p == nil {
		p = &peer{key: key, name: n.Name, node: n.UUID, address: address}
		b.peers[key] = p
		i, _ := slices.BinarySearchFunc(b.sorted, p, func(a, b *peer) int { return strings.Compare(a.key, b.key) })
		b.sorted = slices.Insert(b.sorted, i, p)
	}
	if p.address != address {
		p.address = address
		b.end(p, "the node's address was changed", now)
		p.attempt, p.backoff, p.next = 0, 0, time.Time{}
	}
}

// end drops the session if there is one.
func (b *Brain) end(p *peer, reason string, now time.Time) {
	if p.sess != nil {
		b.drop(p, model.StatusOffline, reason, now)
	}
}

// later puts the next dialling off: 1 s, doubled up to 60 s, with up to a quarter of jitter.
func (b *Brain) later(p *peer, now time.Time) {
	p.backoff = min(max(2*p.backoff, redialMin), redialMax)
	var r [2]byte
	_, _ = io.ReadFull(b.cfg.Rand, r[:])
	jitter := p.backoff / 4 * time.Duration(binary.LittleEndian.Uint16(r[:])) / (1 << 16)
	p.next = now.Add(min(p.backoff+jitter, redialMax))
}

// DialFailed says that there is no session: status is OFFLINE, or AUTHENTICATION_ERROR if the satellite isn't the right one.
func (b *Brain) DialFailed(node string, session uint64, status model.ConnectionStatus, reason string, now time.Time) {
	p := b.peers[model.Key(node)]
	if p == nil || p.attempt != session {
		return
	}
	p.attempt = 0
	b.later(p, now)
	b.status(p, status, reason, now)
}

// Refused says that the satellite answered so instead of Welcome.
func (b *Brain) Refused(node string, session uint64, r wire.Refused, now time.Time) {
	p := b.peers[model.Key(node)]
	if p == nil || p.attempt != session {
		return
	}
	b.heardEpoch(p, r)
	b.DialFailed(node, session, refusedStatus(r.Why), r.Text, now)
}

// heardEpoch turns read-only if one of our own satellites obeys a newer controller. What an unproven one says, or one of
// another cluster, doesn't count.
func (b *Brain) heardEpoch(p *peer, r wire.Refused) {
	if p.pinned && r.Why == wire.RefusedEpoch && r.HighestEpoch > b.order.Epoch {
		b.turnReadOnly(newerEpoch(p.name, r.HighestEpoch, b.order.Epoch), r.HighestEpoch)
	}
}

func newerEpoch(node string, theirs, ours uint64) string {
	return fmt.Sprintf("Node '%s' obeys a controller of epoch %d; this one's is %d: another controller is in charge, or this store is an older copy.", node, theirs, ours)
}

func refusedStatus(why wire.RefusedWhy) model.ConnectionStatus {
	switch why {
	case wire.RefusedEpoch, wire.RefusedInstance, wire.RefusedCluster:
		return model.StatusOtherController
	case wire.RefusedClaim:
		return model.StatusAuthError
	case wire.RefusedVersion:
		return model.StatusVersionMismatch
	case wire.RefusedName:
		return model.StatusHostname
	}
	return model.StatusOffline
}

// status notes why a node isn't online.
func (b *Brain) status(p *peer, status model.ConnectionStatus, reason string, now time.Time) {
	if n := b.cur.Node(p.key); n != nil && (n.Seen.Status != status || n.Seen.Reason != reason) {
		b.cfg.Log.Warn("node is not online", "node", p.name, "status", status, "reason", reason)
	}
	key := p.key
	b.queue = append(b.queue, input{see: func(tx *state.Tx) {
		if n := tx.Snapshot().Node(key); n != nil && (n.Seen.Status != status || n.Seen.Reason != reason) {
			since := n.Seen.SinceMS
			if n.Seen.Status != status {
				since = now.UnixMilli()
			}
			tx.SeeNode(key, &model.NodeObserved{Status: status, Reason: reason, SinceMS: since, Fill: n.Seen.Fill, Last: n.Seen.Past()})
		}
	}})
}

func (b *Brain) wakePeers(now time.Time, sooner func(time.Time)) {
	if !b.started {
		return
	}
	for _, p := range b.sorted {
		switch {
		case p.sess != nil:
			sooner(p.sess.wake(now, b.readOnly == ""))
		case p.attempt == 0 && b.readOnly == "":
			sooner(p.next)
		}
	}
}
