// Package nodestate computes what a node is told: cluster in, desired state of one node out. Pure.
package nodestate

import (
	"cmp"
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// Of is the whole desired state of a node.
func Of(s *state.Snapshot, node string) model.NodeState {
	st := model.NodeState{Pools: Pools(s, node), DevicePools: DevicePools(s, node)}
	s.OnNode(node, func(d *state.Definition) bool {
		st.Resources = append(st.Resources, Resources(s, d, node)...)
		return true
	})
	slices.SortFunc(st.Resources, func(a, b model.ResourceSpec) int {
		if a.Name != b.Name {
			if a.Name < b.Name {
				return -1
			}
			return 1
		}
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return st
}

// Pools of the node, diskless ones aside: there is nothing to watch in them.
func Pools(s *state.Snapshot, node string) []model.PoolSpec {
	n := s.Node(node)
	if n == nil {
		return nil
	}
	var out []model.PoolSpec
	for i := range n.Pools {
		if p := &n.Pools[i]; p.Kind != model.Diskless {
			out = append(out, model.PoolSpec{UUID: p.UUID, Name: p.Name, Kind: p.Kind, Backing: p.Backing()})
		}
	}
	return out
}

// Resources of one definition on the node: one, or several while old incarnations go. None while the DRBD generation
// isn't pinned.
func Resources(s *state.Snapshot, d *state.Definition, node string) []model.ResourceSpec {
	if d.HasDRBD() && d.DRBD == model.Unpinned && !d.Deleting {
		return nil
	}
	n := s.Node(node)
	if n == nil {
		return nil
	}
	var out []model.ResourceSpec
	for i := range d.Resources {
		if r := &d.Resources[i]; model.Key(r.Node) == model.Key(node) && (r.Deleting || !d.Cloning.Untold()) {
			out = append(out, resource(s, d, n, r))
		}
	}
	return append(out, copies(d, node)...)
}

func resource(s *state.Snapshot, d *state.Definition, n *state.Node, r *model.Resource) model.ResourceSpec {
	spec := model.ResourceSpec{Definition: d.UUID, Name: d.Name, ID: r.UUID, Generation: d.Generation, Diskless: r.Diskless}
	if r.Deleting {
		if m := plan.MayRemove(s, d, r); m.OK && !plan.GrowsFirst(d, r) {
			spec.Want, spec.WholeDefinition, spec.LastUnused, spec.Lose = model.Gone, d.Deleting, m.LastUnused, r.Lose
			spec.HeldBy = plan.HeldBy(s, d, r)
		}
	}
	if spec.Want == model.Up {
		spec.Client, spec.DropDisk = r.Toggle == model.AddRequested, r.Toggle == model.Removing
		spec.Hold = spec.DropDisk && !plan.MayDropDisk(s, d, r).OK
		// One whose removal is held back may hold the only good copy: its peers get it only where it is up.
		spec.Down = r.Inactive && (!r.Deleting || r.Successor != "") || n.Evicted
	}
	if rb := d.RollingBack(); rb != nil && !r.Deleting {
		spec.Rollback = rollback(d, rb, r)
	}
	var group map[string]string
	if g := s.Group(d.Group); g != nil {
		group = g.Props
	}
	cluster := s.Controller().Props
	if t := d.Taking(); t != nil && !t.Waits && t.State != model.SnapshotResuming && slices.Contains(t.Quiet, r.UUID) {
		spec.Quiet, spec.Unheld = t.Lease, t.Unheld
	}
	if v := d.Verify; v != nil && v.State == model.VerifyRuns && v.Replica == r.UUID && spec.Want == model.Up {
		spec.Verify = v.ID
	}
	if d.HasDRBD() && d.DRBD != model.Unpinned {
		spec.DRBD = drbd(s, d, n, r, group, cluster)
	}
	for _, v := range r.Volumes {
		vd := d.Volume(v.Number)
		if vd == nil {
			continue
		}
		size := d.ToMake(vd)
		vs := model.VolumeSpec{ID: v.UUID, Number: v.Number, Minor: vd.Minor, SizeKiB: size.SizeKiB, BackingKiB: d.Backing(&size),
			Initialised: v.Initialised, Want: spec.Want}
		if v.Deleting {
			vs.Want = model.Gone
		}
		if !v.Initialised && v.From == nil && vd.Initialised {
			vs.BackingKiB = plan.BackingNow(d, &size)
		}
		if !r.Diskless {
			vs.Pool, vs.Backing = v.Pool, model.BackingName(d.Name, v.Number)
			if !v.Initialised {
				vs.From = v.From
			}
			var pool map[string]string
			if p := n.Pool(v.Pool); p != nil {
				pool = p.Props
			}
			vs.Throttle = throttle(v.Props, r.Props, vd.Props, d.Props, group, pool, n.Props, cluster)
			vs.LUKS = luks(s, vd, r.Props, vd.Props, d.Props, group, n.Props, cluster)
		}
		if vs.Want == model.Up && !spec.Client && !spec.DropDisk && !spec.Down && spec.Rollback == nil {
			vs.FileSystem = fileSystem(s, d, r, vd)
		}
		if (size.GrowsFromKiB != 0 || r.Deleting) && !r.Diskless && vs.Want == model.Up && !spec.Client && !spec.DropDisk && !spec.Down {
			vs.GrowAlone = plan.GrowsAlone(d, vd, r)
			if r.Deleting && vs.GrowAlone {
				vs.BackingKiB = plan.BackingNow(d, &size)
			}
			if vs.GrowAlone || size.GrowsFromKiB != 0 && !plan.GrowthHeld(d, vd) {
				vs.GrowKiB, vs.Resize = d.GrowTo(vd), plan.Resizer(d, vd) == r.UUID
			}
		}
		if spec.DRBD != nil {
			vs.Options = options(d.DRBD, []string{"Disk"}, v.Props, r.Props, vd.Props, d.Props, group, n.Props, cluster)
			// Also while its removal is held back: the others wait for what it is to give them.
			if vd.Source == r.UUID && !vd.Initialised && spec.Want == model.Up {
				vs.Seed = model.SeedSync
				if vd.SkipSync {
					vs.Seed = model.SeedSkip
				}
			}
		}
		spec.Volumes = append(spec.Volumes, vs)
	}
	return spec
}

func drbd(s *state.Snapshot, d *state.Definition, n *state.Node, r *model.Resource, group, cluster map[string]string) *model.DRBDSpec {
	spec := &model.DRBDSpec{Generation: d.DRBD, Secret: d.Secret, PeerSlots: d.PeerSlots, NodeID: r.NodeID,
		Address: address(n.Node, r, d.Props, group), Port: r.Port}
	spec.Options = options(d.DRBD, []string{"Net", "Resource", "PeerDevice"}, r.Props, d.Props, group, n.Props, cluster)
	quorum(s, d, spec.Options, group, cluster)
	verifyAlg(d, spec.Options, group, cluster)
	for _, o := range peersOf(s, d, r) {
		on := s.Node(o.Node)
		spec.Peers = append(spec.Peers, model.PeerSpec{Node: o.Node, ID: o.UUID, NodeID: o.NodeID,
			Address: address(on.Node, o, d.Props, group), Port: o.Port, Diskless: o.Diskless,
			Stays: d.DRBD == model.DRBD8 && !o.Deleting})
	}
	slices.SortFunc(spec.Peers, func(a, b model.PeerSpec) int {
		if a.Node < b.Node {
			return -1
		}
		return 1
	})
	if d.DRBD == model.DRBD8 {
		spec.Peers, spec.Others = one(s, d, r, spec.Peers), others(d, r)
	}
	connect(s, d, n, spec)
	for _, t := range d.Retired {
		if slices.Contains(t.WaitFor, r.UUID) {
			spec.Forget = append(spec.Forget, t.NodeID)
		}
	}
	slices.Sort(spec.Forget)
	return spec
}

// others are all replicas but r that aren't confirmed gone: what once had r for its peer may call it.
func others(d *state.Definition, r *model.Resource) (ids []model.UUID) {
	for i := range d.Resources {
		if o := &d.Resources[i]; o.UUID != r.UUID {
			ids = append(ids, o.UUID)
		}
	}
	return ids
}

// one peer is all that 8.4 takes, and all that its bitmap can follow. Two live replicas are each other's. An old one that
// goes is seen by one of them, and sees it, as long as that harms nobody: before its successor is there, or, when it comes back late,
// while all is UpToDate and unused; so its guard can look at the connection. One that a snapshot keeps there would stand
// between the two for as long. More live replicas than two, made before
// anybody knew the generation, find no place: the third keeps them all as its peers, and its node says why that can't be.
func one(s *state.Snapshot, d *state.Definition, r *model.Resource, peers []model.PeerSpec) []model.PeerSpec {
	peers = slices.DeleteFunc(peers, func(p model.PeerSpec) bool { return p.Diskless })
	if len(peers) < 2 {
		return peers
	}
	var live []*model.Resource
	for i := range d.Resources {
		if o := &d.Resources[i]; !o.Deleting && !o.Diskless && !plan.Evicted(s, o) {
			live = append(live, o)
		}
	}
	slices.SortStableFunc(live, func(a, b *model.Resource) int { return cmp.Compare(a.CreatedMS, b.CreatedMS) })
	if i := slices.Index(live, r); i > 1 {
		return peers
	}
	live = live[:min(2, len(live))]
	// witness is the live one that sees those that go.
	var witness *model.Resource
	if i := slices.IndexFunc(live, func(o *model.Resource) bool { return upToDate(d, o) }); i >= 0 {
		witness = live[i]
	} else if len(live) > 0 {
		witness = live[0]
	}
	engaged := len(live) == 2 && plan.EverDeployed(live[0]) && plan.EverDeployed(live[1]) && !stranded(d, witness, live)
	free := engaged && plan.InUse(d) == "" && !slices.ContainsFunc(live, func(o *model.Resource) bool { return !upToDate(d, o) }) && !apart(d, witness, live)
	rank := func(r, o *model.Resource) int {
		n := s.Node(o.Node)
		switch {
		case r.Deleting && o == witness:
			return 0
		case plan.Evicted(s, o):
			return 5 // it is away, and down when it returns; one that took its place would call in vain
		case !o.Deleting:
			return 3
		case r == witness && n != nil && n.Online() && plan.EverDeployed(o) && (!engaged || free && !held(d, n, o) && plan.HeldBy(s, d, o) == ""):
			switch {
			case o.Successor == "":
				return 1
			case plan.InUse(d) != "":
				return 0 // it still holds a copy of what is written
			}
			return 2 // it stays until its successor is there, which may wait for the one that goes now
		}
		return 4
	}
	first := func(r *model.Resource) func(a, b *model.Resource) int {
		return func(a, b *model.Resource) int {
			return cmp.Or(cmp.Compare(rank(r, a), rank(r, b)), cmp.Compare(a.CreatedMS, b.CreatedMS))
		}
	}
	// 8.4 doesn't look who calls: one that goes would take the place of the one that its witness waits for.
	if r.Deleting && witness != nil {
		its := slices.DeleteFunc(peersOf(s, d, witness), func(o *model.Resource) bool { return o.Diskless })
		if len(its) > 0 && slices.MinFunc(its, first(witness)) != r {
			return nil
		}
	}
	return []model.PeerSpec{slices.MinFunc(peers, func(a, b model.PeerSpec) int { return first(r)(d.Replica(a.ID), d.Replica(b.ID)) })}
}

// apart tells whether the witness may lack what its live peer has: it is connected neither to that one nor, having left it, to
// one that goes. What was written while they are apart couldn't be told from a split brain, if the witness's machine restarted
// before it is back.
func apart(d *state.Definition, witness *model.Resource, live []*model.Resource) bool {
	st := d.Seen[witness.UUID]
	return st == nil || !slices.ContainsFunc(st.Peers, func(p model.PeerStatus) bool {
		return p.State == model.Connected || !slices.ContainsFunc(live, func(o *model.Resource) bool { return model.Key(o.Node) == model.Key(p.Node) })
	})
}

// stranded tells whether the witness is in the midst of a sync that its live peer can't end, since that one was never good, and
// one that goes can: the witness needs that one. What nobody reports doesn't count.
func stranded(d *state.Definition, witness *model.Resource, live []*model.Resource) bool {
	if slices.ContainsFunc(live, func(o *model.Resource) bool { return o != witness && o.Filled() }) {
		return false
	}
	disk := func(r *model.Resource, number int) string {
		if st := d.Seen[r.UUID]; st != nil {
			if v := st.Volume(number); v != nil {
				return v.Disk
			}
		}
		return ""
	}
	return slices.ContainsFunc(witness.Volumes, func(v model.Volume) bool {
		return disk(witness, v.Number) == model.DiskInconsistent && slices.ContainsFunc(d.Resources, func(o model.Resource) bool {
			return !slices.ContainsFunc(live, func(l *model.Resource) bool { return l.UUID == o.UUID }) && disk(&o, v.Number) == model.DiskUpToDate
		})
	})
}

// peersOf are the replicas that r is connected to. A node may carry an old incarnation that still goes beside a new one that
// waits for it: the old one is the peer until it is gone, for its own guard looks at the connection to us.
func peersOf(s *state.Snapshot, d *state.Definition, r *model.Resource) (out []*model.Resource) {
	used := map[string]bool{model.Key(r.Node): true}
	for _, old := range []bool{true, false} {
		for i := range d.Resources {
			o := &d.Resources[i]
			if o.Deleting != old || used[model.Key(o.Node)] || r.Diskless && o.Diskless || s.Node(o.Node) == nil {
				continue
			}
			used[model.Key(o.Node)] = true
			out = append(out, o)
		}
	}
	return out
}

// held tells whether a snapshot keeps the replica on its node: a volume of a zpool has its snapshots in it.
func held(d *state.Definition, n *state.Node, r *model.Resource) bool {
	for _, sn := range d.Snapshots {
		for _, k := range sn.Copies {
			if k.Replica == r.UUID && slices.ContainsFunc(k.Volumes, func(v model.CopyVolume) bool {
				p := n.Pool(v.Pool)
				return p != nil && (p.Kind.SnapshotsInside() || v.RoomKiB > 0)
			}) {
				return true
			}
		}
	}
	return false
}

func upToDate(d *state.Definition, r *model.Resource) bool {
	st := d.Seen[r.UUID]
	return st != nil && st.UpToDate()
}

// address on which DRBD of the node listens for r: PrefNic (storage pool, resource, definition, group, node), else "default",
// else the active interface, else the first (linstor-features 4.2).
func address(n *model.Node, r *model.Resource, levels ...map[string]string) string {
	if name, ok := props.First("PrefNic", slices.Concat(poolProps(n, r), []map[string]string{r.Props}, levels, []map[string]string{n.Props})...); ok {
		if i := n.Interface(name); i != nil {
			return i.Address
		}
	}
	if i := n.Interface("default"); i != nil {
		return i.Address
	}
	if i := n.Dial(); i != nil {
		return i.Address
	}
	if len(n.Interfaces) > 0 {
		return n.Interfaces[0].Address
	}
	return ""
}

// poolProps are those of the pools that r lies in, by volume; of one without a disk those of the pool for such.
func poolProps(n *model.Node, r *model.Resource) (out []map[string]string) {
	if r.Diskless {
		if p := n.Pool(model.DisklessPool); p != nil {
			out = append(out, p.Props)
		}
		return out
	}
	for _, v := range r.Volumes {
		if p := n.Pool(v.Pool); p != nil && v.Pool != "" {
			out = append(out, p.Props)
		}
	}
	return out
}

// not84 are options that drbd-utils' 8.4 parser takes for errors (lab.md 5).
var not84 = map[string][]string{
	"Resource":   {"quorum", "on-no-quorum", "auto-promote", "auto-promote-timeout", "quorum-minimum-redundancy", "on-suspended-primary-outdated", "peer-ack-window", "peer-ack-delay", "max-io-depth", "twopc-timeout", "twopc-retry-timeout", "drbd8-api-compatibility"},
	"Net":        {"transport", "tls", "tls-certificate", "tls-keyring", "tls-privkey", "load-balance-paths", "rdma-ctrl-rcvbuf-size", "rdma-ctrl-sndbuf-size", "allow-remote-read"},
	"Disk":       {"bitmap", "block-size", "discard-granularity", "max-bio-size", "diskless", "disable-write-same"},
	"PeerDevice": {"bitmap", "peer-tiebreaker", "resync-without-replication"},
}

func options(gen model.DRBDGeneration, sections []string, levels ...map[string]string) map[string]map[string]string {
	out := props.DRBDOptions(sections, levels...)
	if gen == model.DRBD8 {
		for sec, names := range not84 {
			for _, name := range names {
				delete(out[sec], name)
			}
		}
	}
	return out
}

// quorum is LINSTOR's rule (linstor-features 3.5): majority with three diskful replicas or two and a diskless one, unless
// the user set it. 8.4 has none. It begins with a third one only when that costs nobody his quorum (plan.MajorityThere).
//
// Where three or more vote, most of them must also be UpToDate (plan.MostMustBeGood), unless the user set that: DRBD counts a
// disk that is in the midst of a sync, so that one that is behind would have quorum together with it. One that is being
// removed still votes until it is gone. Where two good ones stay, the majority is given up together with the connection to that
// one, unless its node is away: that may take long.
func quorum(s *state.Snapshot, d *state.Definition, out map[string]map[string]string, levels ...map[string]string) {
	if d.DRBD != model.DRBD9 {
		return
	}
	if out["Resource"] == nil {
		out["Resource"] = map[string]string{}
	}
	const key = "DrbdOptions/Resource/quorum"
	v := plan.CountVotes(d.ResourceDefinition)
	own := append([]map[string]string{d.Props}, levels...)
	if _, user := props.First(key, own...); !user {
		out["Resource"]["quorum"] = "off"
		if v.Full >= 3 && plan.MajorityThere(d.ResourceDefinition) || v.Full == 2 && (v.Less > 0 || plan.GoesSoon(s, d)) {
			out["Resource"]["quorum"] = "majority"
		}
	}
	if _, user := props.First(key+"-minimum-redundancy", own...); !user && out["Resource"]["quorum"] == "majority" && plan.MostMustBeGood(d.ResourceDefinition) {
		out["Resource"]["quorum-minimum-redundancy"] = "majority"
	}
}
