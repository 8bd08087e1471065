package core

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/plan/place"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// DefaultPeerSlots is LINSTOR's (linstor-features 2.5).
const DefaultPeerSlots = 7

// DefinitionCreate adds a resource definition. Its reply's Data is the name (one is made of an external name).
type DefinitionCreate struct {
	Name, ExternalName string
	Group              string // "": DfltRscGrp
	Props              map[string]string
	Layers             []model.LayerKind
	PeerSlots          int // 0: the group's, the property PeerSlotsNewResource, or 7
	Port               int // preferred
	Secret             string
}

func (c DefinitionCreate) Apply(tx *state.Tx, env Env) (Reply, error) {
	s := tx.Snapshot()
	id := env.UUID()
	if c.Name == "" && c.ExternalName != "" {
		if len(c.ExternalName) > 256 {
			return Reply{}, fault.New(fault.Invalid, fault.ResourceDefinition, "The external name is too long.").In("external_name").
				Because("It has at most 256 bytes.").Do("Shorten it.")
		}
		c.Name = "LS_" + string(id)
	}
	if err := model.CheckResourceName(c.Name); err != nil {
		return Reply{}, err
	}
	if d := s.Definition(c.Name); d != nil && !d.Deleting {
		return Reply{}, fault.New(fault.Exists, fault.ResourceDefinition, "Resource definition '%s' already exists.", d.Name).
			Because("Names are unique, whatever their case.").Do("Choose another name, or delete it first.").Ref("RscDfn", d.Name)
	}
	if c.Group == "" {
		c.Group = model.DefaultGroup
	}
	g, err := findGroup(tx, c.Group)
	if err != nil {
		return Reply{}, err
	}
	if err := CheckLayers(fault.ResourceDefinition, c.Layers); err != nil {
		return Reply{}, err
	}
	if c.Layers == nil && g.Filter.Layers != nil {
		c.Layers = slices.Clone(g.Filter.Layers)
	}
	if err := checkPeerSlots(fault.ResourceDefinition, c.PeerSlots); err != nil {
		return Reply{}, err
	}
	if c.Port < 0 || c.Port > 65535 {
		return Reply{}, fault.New(fault.Invalid, fault.ResourceDefinition, "The port %d is not valid.", c.Port).In("drbd_port").
			Because("A TCP port is between 1 and 65535.").Do("Leave it away.")
	}
	p, err := props.Apply(props.Definition, fault.ResourceDefinition, nil, c.Props, nil, nil)
	if err != nil {
		return Reply{}, err
	}
	d := &model.ResourceDefinition{UUID: id, Name: c.Name, ExternalName: c.ExternalName, Group: g.Name, Props: p, Layers: c.Layers,
		PeerSlots: c.PeerSlots, Port: c.Port, CreatedMS: env.Now.UnixMilli()}
	if d.HasDRBD() {
		d.Secret = env.Secret()
		if c.Secret != "" {
			if len(c.Secret) > 64 || slices.ContainsFunc([]byte(c.Secret), func(b byte) bool { return b <= ' ' || b > '~' || b == '"' || b == '\\' }) {
				return Reply{}, fault.New(fault.Invalid, fault.ResourceDefinition, "The DRBD secret is not valid.").In("drbd_secret").
					Because("It has at most 64 printable characters without blanks, quotes and backslashes.").Do("Leave it away: one is made.")
			}
			d.Secret = c.Secret
		}
	}
	if d.PeerSlots == 0 {
		d.PeerSlots = g.PeerSlots
	}
	if d.PeerSlots == 0 {
		d.PeerSlots = DefaultPeerSlots
		if v, ok := props.First("PeerSlotsNewResource", p, g.Props, s.Controller().Props); ok {
			_, _ = fmt.Sscan(v, &d.PeerSlots)
		}
	}
	if err := tx.PutDefinition(d); err != nil {
		return Reply{}, err
	}
	n := done(fault.Create, fault.ResourceDefinition, map[string]string{"RscDfn": c.Name, "UUID": string(id)}, "New resource definition '%s' created.", c.Name)
	n.Details = "Resource definition '" + c.Name + "' UUID is: " + string(id)
	return Reply{Notes: append([]fault.Note{n}, exactSize(fault.Create, c.Name, nil, p)...), Data: c.Name}, nil
}

// exactSize says what becomes of that property where it is set: Incus and Proxmox set it on volumes that are to be as large as
// their source to the byte.
func exactSize(op fault.Op, name string, before, after map[string]string) []fault.Note {
	const key = "DrbdOptions/ExactSize"
	if props.On(key, false, before) || !props.On(key, false, after) {
		return nil
	}
	n := info(op, fault.ResourceDefinition, map[string]string{"RscDfn": name}, "The size of '%s' is kept as it is, and not cut to what was asked for.", name)
	n.Cause = "This release of Holdfast takes " + key + " as an order to refuse resizing. A device may be a few MiB larger than asked for, never smaller, since pools round up."
	return []fault.Note{n}
}

// DefinitionModify changes a definition; zero fields leave alone.
type DefinitionModify struct {
	Name       string
	Override   map[string]string
	Delete     []string
	Namespaces []string
	Group      string
	PeerSlots  int
	Port       int
	Layers     []model.LayerKind
}

func (c DefinitionModify) Apply(tx *state.Tx, env Env) (Reply, error) {
	d, err := findDefinition(tx, c.Name)
	if err != nil {
		return Reply{}, err
	}
	m := d.ResourceDefinition.Clone()
	if c.Group != "" {
		g, err := findGroup(tx, c.Group)
		if err != nil {
			return Reply{}, err
		}
		m.Group = g.Name
	}
	if c.PeerSlots != 0 && c.PeerSlots != m.PeerSlots || c.Layers != nil && !slices.Equal(c.Layers, m.LayerStack()) {
		if err := checkPeerSlots(fault.ResourceDefinition, c.PeerSlots); err != nil {
			return Reply{}, err
		}
		if err := CheckLayers(fault.ResourceDefinition, c.Layers); err != nil {
			return Reply{}, err
		}
		if len(m.Resources) > 0 {
			return Reply{}, fault.New(fault.InUse, fault.ResourceDefinition, "Peer slots and layers of '%s' can't be changed.", d.Name).
				Because("It is deployed: they are in its metadata and device stack.").Do("Change them before the first resource is created.").Ref("RscDfn", d.Name)
		}
		if c.PeerSlots != 0 {
			m.PeerSlots = c.PeerSlots
		}
		if c.Layers != nil {
			m.Layers = c.Layers
			if err := keyVolumes(tx.Snapshot(), env, m); err != nil {
				return Reply{}, err
			}
		}
	}
	if c.Port != 0 {
		m.Port = c.Port
	}
	if m.Props, err = props.Apply(props.Definition, fault.ResourceDefinition, m.Props, c.Override, c.Delete, c.Namespaces); err != nil {
		return Reply{}, err
	}
	if err := tx.PutDefinition(m); err != nil {
		return Reply{}, err
	}
	reply := Reply{Notes: []fault.Note{done(fault.Modify, fault.ResourceDefinition, map[string]string{"RscDfn": d.Name}, "Resource definition '%s' modified.", d.Name)}}
	reply.Notes = append(reply.Notes, exactSize(fault.Modify, d.Name, d.Props, m.Props)...)
	for i := range m.Resources {
		reply.Notes = append(reply.Notes, noNic(tx.Snapshot(), c.Override, m.Resources[i].Node)...)
	}
	if !c.remarks() {
		reply.Wait = waits(tx, d.UUID, fault.Modify)
	}
	return reply, nil
}

// remarks tells whether only properties change that no node is told of: then there is nothing to wait for. What is wrong with
// a replica is no reason to refuse a remark: the CSI driver sets one before it deletes.
func (c DefinitionModify) remarks() bool {
	if c.Group != "" || c.PeerSlots != 0 || c.Layers != nil || c.Port != 0 {
		return false
	}
	keys := slices.Concat(slices.Collect(maps.Keys(c.Override)), c.Delete, c.Namespaces)
	return !slices.ContainsFunc(keys, func(key string) bool {
		return key != "Aux" && !strings.HasPrefix(key, "Aux/") && !strings.HasPrefix(key, "BalanceResources")
	})
}

// DefinitionDelete removes a definition with all its replicas. Its name is free at once.
type DefinitionDelete struct{ Name string }

func (c DefinitionDelete) Apply(tx *state.Tx, _ Env) (Reply, error) {
	refs := map[string]string{"RscDfn": c.Name}
	d := tx.Snapshot().Definition(c.Name)
	if d == nil {
		return Reply{Notes: []fault.Note{warn(fault.NotFound, fault.Delete, fault.ResourceDefinition, refs, "Resource definition '%s' does not exist.", c.Name)}}, nil
	}
	if !d.Deleting {
		if node := plan.InUse(d); node != "" {
			return Reply{}, fault.New(fault.InUse, fault.ResourceDefinition, "Resource definition '%s' can't be deleted.", d.Name).
				Because("It is in use on node '%s'.", node).Do("Unmount it there, make it secondary, then try again.").Ref("RscDfn", d.Name).Ref("Node", node).MayPass()
		}
		if len(kept(d.ResourceDefinition)) > 0 {
			return Reply{}, fault.New(fault.Exists, fault.Snapshot, "Cannot delete resource definition '%s' because it has snapshots.", d.Name).
				Because("There are: %s.", strings.Join(kept(d.ResourceDefinition), ", ")).Do("Delete them first: `snapshot delete %s NAME`.", d.Name).Ref("RscDfn", d.Name)
		}
		m := d.ResourceDefinition.Clone()
		m.Deleting = true
		for i := range m.Snapshots { // those that failed hold nothing
			plan.DropSnapshot(&m.Snapshots[i])
		}
		for i := range m.Resources {
			m.Resources[i].Deleting = true
		}
		if err := tx.PutDefinition(m); err != nil {
			return Reply{}, err
		}
	}
	w := waits(tx, d.UUID, fault.Delete)
	return Reply{Notes: []fault.Note{done(fault.Delete, fault.ResourceDefinition, refs, "Resource definition '%s' deleted.", d.Name)}, Wait: w}, nil
}

// VolumeCreate adds a volume definition, and the volume to every replica there is.
type VolumeCreate struct {
	Definition string
	Number     *int // nil: the lowest free
	SizeKiB    int64
	Gross      bool
	Props      map[string]string
	Minor      *int // nil: the lowest free of the range
	// Passphrase of an encrypted volume; nil: a key is made.
	Passphrase model.Secret
	// Keys of the snapshot that it is to be restored from.
	Keys *model.VolumeKeys
}

func (c VolumeCreate) Apply(tx *state.Tx, env Env) (Reply, error) {
	s := tx.Snapshot()
	d, err := findDefinition(tx, c.Definition)
	if err != nil {
		return Reply{}, err
	}
	n := 0
	if c.Number != nil {
		n = *c.Number
	} else {
		for d.Volume(n) != nil {
			n++
		}
	}
	if err := model.CheckVolumeNumber(n); err != nil {
		return Reply{}, err
	}
	if d.Volume(n) != nil {
		return Reply{}, fault.New(fault.Exists, fault.VolumeDefinition, "Volume definition %d of '%s' already exists.", n, d.Name).
			Because("Volume numbers are unique.").Do("Choose another number, or none.").Ref("RscDfn", d.Name).Ref("VlmNr", itoa(n))
	}
	if err := model.CheckVolumeSize(c.SizeKiB); err != nil {
		return Reply{}, err
	}
	if err := notUnmade(d.ResourceDefinition, fault.VolumeDefinition, "It can't have new volumes."); err != nil {
		return Reply{}, err
	}
	c.Props, c.Passphrase = passphraseProp(c.Props, c.Passphrase)
	p, err := props.Apply(props.VolumeDefinition, fault.VolumeDefinition, nil, c.Props, nil, nil)
	if err != nil {
		return Reply{}, err
	}
	m := d.ResourceDefinition.Clone()
	vd := model.VolumeDefinition{UUID: env.UUID(), Number: n, SizeKiB: c.SizeKiB, Gross: c.Gross, Props: p}
	if vd.Keys, err = c.keys(s, env, m); err != nil {
		return Reply{}, err
	}
	if d.HasDRBD() {
		if vd.Minor, err = minor(s, c.Minor); err != nil {
			return Reply{}, err
		}
	}
	m.Volumes = append(m.Volumes, vd)
	slices.SortFunc(m.Volumes, func(a, b model.VolumeDefinition) int { return a.Number - b.Number })
	var notes []fault.Note
	for i := range m.Resources {
		r := &m.Resources[i]
		if r.Deleting {
			continue
		}
		v := model.Volume{UUID: env.UUID(), Number: n}
		if !r.Diskless {
			pool, err := choosePool(s, s.Node(r.Node), m, &vd, r, samePool(r))
			if err != nil {
				return Reply{}, err
			}
			v.Pool = pool
		}
		r.Volumes = append(r.Volumes, v)
		slices.SortFunc(r.Volumes, func(a, b model.Volume) int { return a.Number - b.Number })
	}
	if err := tx.PutDefinition(m); err != nil {
		return Reply{}, err
	}
	notes = append(notes, done(fault.Create, fault.VolumeDefinition, map[string]string{"RscDfn": d.Name, "VlmNr": itoa(n)},
		"New volume definition with number '%d' of resource definition '%s' created.", n, d.Name))
	return Reply{Notes: notes, Wait: waits(tx, d.UUID, fault.Create)}, nil
}

func samePool(r *model.Resource) string {
	if len(r.Volumes) > 0 {
		return r.Volumes[0].Pool
	}
	return ""
}

func minor(s *state.Snapshot, want *int) (int, error) {
	if want != nil {
		if *want < 1 || *want > model.MaxMinor {
			return 0, fault.New(fault.Invalid, fault.VolumeDefinition, "The minor number %d is not valid.", *want).In("drbd_minor_number").
				Because("It must be between 1 and %d.", model.MaxMinor).Do("Leave it away.")
		}
		if u := s.MinorUser(*want); u != "" {
			return 0, fault.New(fault.Exists, fault.VolumeDefinition, "The minor number %d is taken.", *want).In("drbd_minor_number").
				Because("'%s' has it, or had it and is still being removed.", s.DefinitionByID(u).Name).Do("Leave it away.")
		}
		return *want, nil
	}
	from, to := props.MinorRange(s.Controller().Props)
	m := s.FreeMinor(from, to)
	if m < 0 {
		return 0, fault.New(fault.Exhausted, fault.VolumeDefinition, "No minor number is free.").In("drbd_minor_number").
			Because("All of %d-%d are taken.", from, to).Do("Set the controller property MinorNrAutoRange to a wider range.")
	}
	return m, nil
}

// VolumeModify changes a volume definition. What is deployed can only grow.
type VolumeModify struct {
	Definition string
	Number     int
	SizeKiB    int64 // 0: unchanged
	Gross      *bool
	Override   map[string]string
	Delete     []string
	Namespaces []string
}

func (c VolumeModify) Apply(tx *state.Tx, _ Env) (Reply, error) {
	d, vd, err := copyWithVolume(tx, c.Definition, c.Number)
	if err != nil {
		return Reply{}, err
	}
	refs := map[string]string{"RscDfn": d.Name, "VlmNr": itoa(c.Number)}
	same, err := c.resize(tx.Snapshot(), d, vd)
	if err != nil {
		return Reply{}, err
	}
	if vd.Props, err = props.Apply(props.VolumeDefinition, fault.VolumeDefinition, vd.Props, c.Override, c.Delete, c.Namespaces); err != nil {
		return Reply{}, err
	}
	if err := tx.PutDefinition(d); err != nil {
		return Reply{}, err
	}
	notes := []fault.Note{done(fault.Modify, fault.VolumeDefinition, refs, "Volume definition with number '%d' of resource definition '%s' modified.", c.Number, d.Name)}
	return Reply{Notes: append(notes, same...), Wait: waits(tx, d.UUID, fault.Modify)}, nil
}

// copyWithVolume is a copy of the definition, to be changed, and its volume.
func copyWithVolume(tx *state.Tx, def string, number int) (*model.ResourceDefinition, *model.VolumeDefinition, error) {
	d, err := findDefinition(tx, def)
	if err != nil {
		return nil, nil, err
	}
	m := d.ResourceDefinition.Clone()
	vd := m.Volume(number)
	if vd == nil {
		return nil, nil, noVolume(d.Name, number)
	}
	return m, vd, nil
}

func noVolume(def string, n int) error {
	return fault.New(fault.NotFound, fault.VolumeDefinition, "Volume definition %d of '%s' not found.", n, def).
		Because("There is none of that number.").Do("`volume-definition list` shows them.").Ref("RscDfn", def).Ref("VlmNr", itoa(n))
}

// VolumeDelete removes a volume from a definition and from every replica.
type VolumeDelete struct {
	Definition string
	Number     int
}

func (c VolumeDelete) Apply(tx *state.Tx, _ Env) (Reply, error) {
	refs := map[string]string{"RscDfn": c.Definition, "VlmNr": itoa(c.Number)}
	missing := Reply{Notes: []fault.Note{warn(fault.NotFound, fault.Delete, fault.VolumeDefinition, refs, "Volume definition %d of '%s' does not exist.", c.Number, c.Definition)}}
	d := tx.Snapshot().Definition(c.Definition)
	if d == nil || d.Deleting {
		return missing, nil
	}
	m := d.ResourceDefinition.Clone()
	vd := m.Volume(c.Number)
	if vd == nil {
		return missing, nil
	}
	if err := notUnmade(m, fault.VolumeDefinition, "Its volumes can't be deleted."); err != nil {
		return Reply{}, err
	}
	if node := plan.InUse(d); node != "" {
		return Reply{}, fault.New(fault.InUse, fault.VolumeDefinition, "Volume %d of '%s' can't be deleted.", c.Number, d.Name).
			Because("It is in use on node '%s'.", node).Do("Unmount it there, make it secondary, then try again.").Ref("RscDfn", d.Name).Ref("Node", node).MayPass()
	}
	for i := range d.Resources {
		if err := heldBySnapshot(tx.Snapshot(), d, &d.Resources[i], &c.Number); err != nil && !vd.Deleting {
			return Reply{}, err
		}
	}
	vd.Deleting = true
	for i := range m.Resources {
		if v := m.Resources[i].Volume(c.Number); v != nil {
			v.Deleting = true
		}
	}
	if err := tx.PutDefinition(m); err != nil {
		return Reply{}, err
	}
	return Reply{Notes: []fault.Note{done(fault.Delete, fault.VolumeDefinition, refs, "Volume definition %d of '%s' deleted.", c.Number, d.Name)},
		Wait: waits(tx, d.UUID, fault.Delete)}, nil
}

// choosePool finds the pool for a volume: asked for, or StorPoolName on replica, volume definition, definition, group
// and node (linstor-features 2.7), or DfltStorPool, or the only one there is.
func choosePool(s *state.Snapshot, n *state.Node, d *model.ResourceDefinition, vd *model.VolumeDefinition, r *model.Resource, asked string) (string, error) {
	var group map[string]string
	var groupPools []string
	if g := s.Group(d.Group); g != nil {
		group, groupPools = g.Props, g.Filter.Pools
	}
	name := asked
	if name == "" {
		name, _ = props.First("StorPoolName", r.Props, vd.Props, d.Props, group, n.Props)
	}
	if name == "" && len(groupPools) > 0 {
		name = groupPools[0]
	}
	if name == "" && n.Pool(model.DefaultPool) != nil {
		name = model.DefaultPool
	}
	if name == "" {
		var real []string
		for _, p := range n.Pools {
			if p.Kind != model.Diskless {
				real = append(real, p.Name)
			}
		}
		if len(real) != 1 {
			return "", fault.New(fault.NotFound, fault.StoragePool, "No storage pool is named for '%s' on node '%s'.", d.Name, n.Name).
				Because("There is no pool '%s', and of others there are %d: %v.", model.DefaultPool, len(real), real).
				Do("Name one with --storage-pool.").Ref("Node", n.Name)
		}
		name = real[0]
	}
	p := n.Pool(name)
	if p == nil || p.Kind == model.Diskless {
		return "", fault.New(fault.NotFound, fault.StoragePool, "Storage pool '%s' on node '%s' not found.", name, n.Name).
			Because("The node has no such pool that holds data.").Do("`storage-pool list` shows the pools.").Ref("Node", n.Name).Ref("StorPool", name)
	}
	need := d.Backing(vd)
	if old := s.DefinitionByID(d.UUID); old == nil || old.Replica(r.UUID) == nil {
		// Of a new replica nothing is counted yet, the volumes before this one neither.
		for _, v := range r.Volumes {
			if o := d.Volume(v.Number); o != nil && model.Key(v.Pool) == model.Key(p.Name) {
				need += d.Backing(o)
			}
		}
	}
	if why := place.Full(n, p); why != "" {
		return "", fault.New(fault.NoSpace, fault.StoragePool, "Storage pool '%s' on node '%s' has no room for volume %d of '%s'.", p.Name, n.Name, vd.Number, d.Name).
			Because("It says: %s.", why).Do("Extend it, remove volumes or snapshots from it, or choose another pool.").Ref("Node", n.Name).Ref("StorPool", p.Name)
	}
	if free, why := place.Free(s, n, p); why == "" && need > free {
		return "", fault.New(fault.NoSpace, fault.StoragePool, "Storage pool '%s' on node '%s' is too small for volume %d of '%s'.", p.Name, n.Name, vd.Number, d.Name).
			Because("%d KiB are needed, %d KiB are free.", need, free).Do("Choose another pool, or free space.").Ref("Node", n.Name).Ref("StorPool", p.Name)
	}
	return p.Name, nil
}
