package steps

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/stack/drbd"
)

// Sum is the checksum by which a Record names a config.
func Sum(config []byte) string {
	h := sha256.Sum256(config)
	return hex.EncodeToString(h[:8])
}

func (p *planner) up() Plan {
	if p.spec.DRBD != nil {
		switch {
		case !p.node.Known:
			return working("this node's DRBD version is being read")
		case p.spec.DRBD.Generation == model.Unpinned:
			return blocked("the DRBD generation of %s isn't decided yet", p.spec.Name)
		}
		if why := p.otherGeneration(); why != "" {
			return blocked("%s", why)
		}
		if p.spec.DRBD.Generation == model.DRBD8 && p.spec.Diskless {
			return blocked("DRBD 8.4 has no diskless replicas")
		}
	}
	if p.seen.OldWaits != "" {
		return blocked("waits until the old incarnation of %s on this node is gone", p.spec.Name)
	}
	// First, so that nothing is made that would only be in the way.
	if p.spec.DRBD != nil {
		if !p.seen.KernelKnown {
			return working("DRBD's state is being read")
		}
		if w := p.conflict(); w != nil {
			return *w
		}
	}
	up := p.wanted()
	if w := p.extra(&up); w != nil {
		return *w
	}
	if w := p.storage(up); w != nil {
		return *w
	}
	if w := p.throttle(up); w != nil {
		return *w
	}
	if w := p.crypt(up); w != nil {
		return *w
	}
	if p.spec.DRBD == nil {
		if w := p.removeVolumes(); w != nil {
			return *w
		}
		if w := p.luksAlone(up); w != nil {
			return *w
		}
		if w := p.fileSystemAlone(up); w != nil {
			return *w
		}
		if steps := p.growDevices(up); len(steps) > 0 {
			return do(steps...)
		}
		return Plan{Phase: model.Done}
	}
	if steps := p.metadata(up); len(steps) > 0 {
		return do(steps...)
	}
	var ready []model.VolumeSpec
	var pending *Plan
	for _, v := range up {
		if v.Pool == "" || p.initialised(v) {
			ready = append(ready, v)
			continue
		}
		w := working("the controller is to note that the metadata of volume %d is made", v.Number)
		if !p.seen.Volumes[v.Number].MDMade {
			w = working("the metadata of volume %d waits for a controller's session", v.Number)
		}
		pending = &w
	}
	if w := p.unhang(); w != nil {
		return *w
	}
	if w := p.attached(ready); w != nil {
		return *w
	}
	if w := p.removeVolumes(); w != nil {
		return *w
	}
	w := p.running(ready)
	if (len(w.Steps) == 0 || w.Quiet) && pending != nil && w.Phase == model.Done {
		w.Phase, w.Reason = pending.Phase, pending.Reason
	}
	return w
}

// extra adds the volumes that stay though they aren't mentioned. A Plan says why they are in the way.
func (p *planner) extra(up *[]model.VolumeSpec) *Plan {
	for _, x := range p.seen.Extra {
		for _, v := range p.spec.Volumes {
			if v.Number == x.Number || v.Minor == x.Minor && p.spec.DRBD != nil {
				w := failed("volume %d or its minor %d is still used here by %s (%s), which the controller doesn't know (any more); all is left as it is: see `node info` for orphans", v.Number, v.Minor, x.Backing, x.ID)
				return &w
			}
		}
	}
	if p.spec.Diskless {
		for _, v := range p.spec.Volumes {
			if p.seen.Volumes[v.Number].Initialised {
				w := blocked("volume %d has a disk with data here, and the controller knows this replica as diskless; all is left as it is", v.Number)
				return &w
			}
		}
	}
	for _, v := range p.seen.Extra {
		if sv := p.seen.Volumes[v.Number]; v.LUKS != nil && sv.MappingsKnown && !sv.Mapped && !sv.KeyKnown {
			continue // nobody has its key; it stays closed, and holds up nobody else
		}
		if p.spec.DRBD != nil && p.seen.Minors[v.Minor] != "" {
			continue // another resource has its minor by now
		}
		if p.hopeless(v) {
			continue
		}
		v.GrowKiB, v.Resize, v.GrowAlone, v.FileSystem = 0, false, false, nil // nobody asks for that any more
		*up = append(*up, v)
	}
	slices.SortFunc(*up, func(a, b model.VolumeSpec) int { return a.Number - b.Number })
	return nil
}

// hopeless tells whether nobody has good data of a volume that nobody asks for: its disk is Inconsistent, all peers are connected,
// and none has better. DRBD promotes a resource only where each of its volumes has good data, so it would keep the others from
// being used. Once taken down it stays down in this boot.
func (p *planner) hopeless(v model.VolumeSpec) bool {
	k := p.seen.Kernel
	if p.spec.DRBD == nil || !p.kernelOwn() {
		return false
	}
	if _, there := k.Volumes[v.Number]; !there {
		return slices.Contains(p.seen.Record.Minors, v.Minor)
	}
	return k.Role != primary && SyncAlone(k, v.Number, p.spec.DRBD.Generation) == "" &&
		!slices.ContainsFunc(k.Peers, func(peer KernelPeer) bool { return peer.State != model.Connected })
}

// conflict: somebody else's config or kernel resource has the name.
func (p *planner) conflict() *Plan {
	var w Plan
	switch {
	case p.seen.ConfigThere && p.seen.ConfigID == "":
		w = failed("the config folder already has a file for %s that Holdfast didn't make; it is left untouched: rename or remove it", p.spec.Name)
	case p.seen.ConfigThere && p.seen.ConfigID != p.spec.ID:
		w = failed("the config file of %s is of another incarnation (%s) that nobody asked to remove; it is left untouched: see `node info` for orphans", p.spec.Name, p.seen.ConfigID)
	case p.seen.Kernel != nil && !p.kernelOwn():
		w = failed("DRBD on this node already runs a resource %s that isn't this one; it is left untouched: rename or stop it", p.spec.Name)
	default:
		for _, v := range p.spec.Volumes {
			if other := p.seen.Minors[v.Minor]; other != "" && v.Want == model.Up {
				w = failed("minor %d of volume %d is taken by the DRBD resource %s, which runs on this node and is left untouched: see `node info` for orphans", v.Minor, v.Number, other)
				return &w
			}
		}
		return nil
	}
	return &w
}

// metadata of volumes that hold nothing yet. Made anew after a restart, since nobody knows how far it came; only in a
// session, so that an old word kept on disk can't write over what a newer one says is initialised.
func (p *planner) metadata(up []model.VolumeSpec) (steps []Step) {
	if !p.node.Session {
		return nil
	}
	for _, v := range up {
		sv := p.seen.Volumes[v.Number]
		if v.Pool == "" || p.initialised(v) || sv.MDMade {
			continue
		}
		if k := p.seen.Kernel; k != nil {
			if kv, there := k.Volumes[v.Number]; there && kv.Disk != model.DiskDiskless {
				continue // attached: it has metadata, whatever the word says
			}
		}
		if !sv.Made {
			steps = append(steps, p.volumeStep(VerifyDevice, v))
		}
		steps = append(steps, p.newMetadata(v)...)
	}
	return steps
}

// newMetadata are told from others by themselves: what was noted of those before is taken back.
func (p *planner) newMetadata(v model.VolumeSpec) (steps []Step) {
	if _, grew := p.seen.Record.Growing[v.Number]; grew {
		p.seen.Record = p.seen.Record.grown(v.Number)
		steps = append(steps, p.record(p.seen.Record))
	}
	s := p.volumeStep(CreateMetadata, v)
	s.Path = p.path(v)
	return append(steps, s)
}

// attached brings the ready volumes up as the config says, and nothing else of this resource.
func (p *planner) attached(ready []model.VolumeSpec) *Plan {
	if len(ready) == 0 {
		return p.empty()
	}
	config, err := p.config(ready)
	if err != nil {
		w := failed("%v", err)
		return &w
	}
	sum := Sum(config)
	same := p.seen.ConfigThere && string(p.seen.Config) == string(config)
	applied := p.seen.Record.There && p.seen.Record.Applied == sum
	lacks := p.lacks(ready)
	if same && applied && lacks == "" {
		return nil
	}
	heal := same && applied && p.seen.Kernel != nil
	if heal && p.seen.Heals >= MaxHeals {
		return nil // shown by running
	}
	if why := p.leaves(); why != "" {
		w := Plan{Phase: model.Working, Reason: why}
		return &w
	}
	if w := p.exchange(); w != nil {
		return w
	}
	var steps []Step
	// One program can parse the new file and adjust to it, and then the file replaces the old. A process that dies between
	// finds the kernel ahead of the file. That does no harm where the old file tells nothing that matters: not with 8.4, whose
	// connections have no names but in it, nor while a guard's word stands in it.
	adjust := p.step(Adjust)
	adjust.Config = config
	adjust.New = !same && !p.apart && (!p.seen.ConfigThere || p.spec.DRBD.Generation == model.DRBD9)
	if !same && !adjust.New {
		s := p.step(WriteConfig)
		s.Config = config
		steps = append(steps, s)
	}
	// The record comes before the kernel is touched, so that the resource is provably ours from its first moment; what
	// was applied is noted after.
	rec := p.seen.Record
	rec.There = true
	for _, v := range ready {
		if !slices.Contains(rec.Minors, v.Minor) {
			rec.Minors = append(slices.Clone(rec.Minors), v.Minor)
		}
	}
	slices.Sort(rec.Minors)
	rec.Fresh = p.freshUp()
	if p.seen.Kernel == nil || heal && p.lacksUp(ready) != "" { // the counters begin anew when a disk is attached
		rec.Exchange = rec.Exchange.Restarted()
	}
	rec.Exchange = p.another(rec.Exchange)
	if !sameRecord(rec, p.seen.Record) && (!heal || len(rec.Fresh) != len(p.seen.Record.Fresh) || len(rec.Exchange.Left) > 0) {
		steps = append(steps, p.record(rec))
	}
	steps = append(steps, adjust)
	if !heal || p.seen.Record.Applied != sum {
		rec.Applied = sum
		if p.spec.DRBD.Generation == model.DRBD8 && len(p.spec.DRBD.Peers) == 1 {
			rec.Exchange = rec.Exchange.done(p.spec.DRBD.Peers[0].ID)
		}
		steps = append(steps, p.record(rec))
	}
	w := do(steps...)
	w.Applied, w.Healing, w.Reason = sum, heal, lacks
	w.Gentle = heal && p.lacksUp(ready) == ""
	return &w
}

// leaves tells why the one peer that 8.4 has isn't exchanged for another now; "" if it may be, or is the same. One that is
// being synced from it would be left without a good copy, and the next would have nobody to get the data from: a volume that
// has just grown syncs what it grew by.
func (p *planner) leaves() string {
	k := p.seen.Kernel
	if p.spec.DRBD.Generation != model.DRBD8 || k == nil || !p.seen.ConfigThere || len(k.Peers) == 0 || len(p.spec.DRBD.Peers) == 0 ||
		bytes.Contains(p.seen.Config, []byte(`on "`+p.spec.DRBD.Peers[0].Node+`" `)) {
		return ""
	}
	for _, n := range slices.Sorted(maps.Keys(k.Volumes)) {
		pv := k.Peers[0].Volumes[n]
		if k.Peers[0].State == model.Connected && k.Volumes[n].Disk == model.DiskInconsistent && pv.Disk == model.DiskUpToDate && pv.Syncing() {
			return fmt.Sprintf("volume %d gets its data from the peer that makes room; that goes on first", n)
		}
	}
	return ""
}

func (p *planner) record(r Record) Step {
	s := p.step(WriteRecord)
	s.Record = r
	return s
}

func sameRecord(a, b Record) bool {
	return a.There == b.There && a.Applied == b.Applied && slices.Equal(a.Minors, b.Minors) && a.Seeding == b.Seeding && a.SeedVolume == b.SeedVolume && a.Met == b.Met && a.Quiet == b.Quiet &&
		slices.Equal(a.Fresh, b.Fresh) && slices.Equal(a.Making, b.Making) && maps.Equal(a.Growing, b.Growing) && a.Exchange.equal(b.Exchange)
}

// config is the text of the config file.
func (p *planner) config(ready []model.VolumeSpec) ([]byte, error) {
	paths := map[int]string{}
	for _, v := range ready {
		if path := p.path(v); path != "" && v.Pool != "" {
			paths[v.Number] = path
		}
	}
	return drbd.Config(p.node.Name, p.spec, ready, paths)
}

// empty: no volume is to run (yet). What ran before, of volumes that went, is taken down.
func (p *planner) empty() *Plan {
	if p.kernelOwn() {
		if p.seen.Kernel.Role == primary {
			w := blocked("%s is in use on this node", p.spec.Name)
			return &w
		}
		guard := p.step(GuardGone)
		w := do(guard, p.step(Down))
		return &w
	}
	if p.seen.ConfigThere {
		w := do(p.step(RemoveConfig))
		return &w
	}
	return nil
}

// lacks says what the kernel doesn't have though the config says so, and an adjust may mend; "" for nothing.
func (p *planner) lacks(ready []model.VolumeSpec) string {
	if why := p.lacksUp(ready); why != "" {
		return why
	}
	for _, ps := range p.spec.DRBD.Peers {
		if kp := p.peer(ps); kp == nil || kp.State == model.StandAlone { // 8.4's events have none that is StandAlone
			return fmt.Sprintf("the connection to %s is StandAlone: if it stays so, both sides were written to while apart (split brain), or they refuse each other; the kernel log says which", ps.Node)
		}
	}
	return ""
}

// lacksUp is lacks of the volumes, and of connections that were never made.
func (p *planner) lacksUp(ready []model.VolumeSpec) string {
	k := p.seen.Kernel
	if k == nil {
		return fmt.Sprintf("%s isn't up", p.spec.Name)
	}
	for _, v := range ready {
		kv, there := k.Volumes[v.Number]
		switch {
		case !there:
			return fmt.Sprintf("volume %d isn't up", v.Number)
		case v.Pool != "" && kv.Disk == model.DiskDiskless:
			return fmt.Sprintf("volume %d has lost its disk: DRBD detached it after an I/O error, or could not attach it; see the kernel log", v.Number)
		}
	}
	for n := range k.Volumes {
		if !slices.ContainsFunc(ready, func(v model.VolumeSpec) bool { return v.Number == n }) {
			return fmt.Sprintf("volume %d is still up", n)
		}
	}
	for _, ps := range p.spec.DRBD.Peers {
		if p.peer(ps) == nil && p.spec.DRBD.Generation != model.DRBD8 {
			return fmt.Sprintf("the connection to %s isn't up", ps.Node)
		}
	}
	return ""
}

// peer finds the kernel's connection to a peer, or nil.
func (p *planner) peer(ps model.PeerSpec) *KernelPeer {
	return Peer(p.spec, p.seen.Kernel, ps)
}

// Peer finds the kernel's connection to a peer, or nil: by name, and on 8.4, which knows no names, the only one.
func Peer(spec model.ResourceSpec, k *Kernel, ps model.PeerSpec) *KernelPeer {
	if k == nil {
		return nil
	}
	if spec.DRBD.Generation == model.DRBD8 {
		if len(k.Peers) > 0 && len(spec.DRBD.Peers) > 0 {
			return &k.Peers[0]
		}
		return nil
	}
	for i := range k.Peers {
		if model.Key(k.Peers[i].Name) == model.Key(ps.Node) {
			return &k.Peers[i]
		}
	}
	return nil
}

// removeVolumes destroys volumes that go while the replica stays, once the kernel has let go of them.
func (p *planner) removeVolumes() *Plan {
	var steps []Step
	for _, v := range p.spec.Volumes {
		if v.Want != model.Gone || v.Pool == "" {
			continue
		}
		sv := p.seen.Volumes[v.Number]
		switch {
		case sv.PoolReason != "":
			w := failed("storage pool %s can't be read: %s", v.Pool, sv.PoolReason)
			return &w
		case !sv.PoolSeen:
			w := working("storage pool %s is being read", v.Pool)
			return &w
		case p.own(v) == nil && !p.mapped(v):
			continue
		}
		if k := p.seen.Kernel; k != nil && p.kernelOwn() {
			if _, up := k.Volumes[v.Number]; up {
				w := blocked("volume %d is still up", v.Number)
				return &w
			}
		}
		steps = append(steps, p.remove(v)...)
	}
	if len(steps) == 0 {
		return nil
	}
	w := do(steps...)
	return &w
}
