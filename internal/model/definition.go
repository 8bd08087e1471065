package model

import (
	"fmt"
	"maps"
	"slices"
)

// LayerKind is a layer of the device stack, top first in a list; the last is always STORAGE.
type LayerKind string

const (
	LayerDRBD    LayerKind = "DRBD"
	LayerLUKS    LayerKind = "LUKS"
	LayerStorage LayerKind = "STORAGE"
)

// DRBDGeneration is fixed for a resource at its first deployment: metadata formats don't mix.
type DRBDGeneration int

const (
	Unpinned DRBDGeneration = 0
	DRBD8    DRBDGeneration = 8 // 8.4, metadata v08, two nodes
	DRBD9    DRBDGeneration = 9 // metadata v09 with peer slots
)

// ResourceDefinition is one aggregate and one record: the definition, its volumes, its replicas, and what is left of
// removed ones. A change of any part is a new ResourceDefinition with a higher Generation.
type ResourceDefinition struct {
	Record       int64
	UUID         UUID
	Name         string
	ExternalName string
	Group        string
	Props        map[string]string
	Layers       []LayerKind // nil: DRBD, STORAGE
	Secret       string      // DRBD's shared secret, this definition's own
	Port         int         // TCP port that replicas get if it is free on their node; 0: none is preferred
	PeerSlots    int         // fixed at the first deployment's create-md; 1 to MaxPeerSlots
	DRBD         DRBDGeneration
	Deleting     bool // whole: every replica goes, then the definition
	CreatedMS    int64
	Generation   uint64

	Volumes     []VolumeDefinition // by number
	Resources   []Resource         // by node, then creation; those that are Deleting are the tombstones
	Retired     []RetiredNodeID
	Connections []Connection // what is set for pairs of replicas
	Snapshots   []Snapshot   // by creation
	Rollback    *Rollback    // the newest, while it isn't done; immutable
	Auto        AutoSnapshots
	Cloning     *Cloning // while it is made as a clone, and the snapshot for it is needed; nil: it is none
	Verify      *Verify  // the newest; immutable; nil: none yet

	// GoodAmong is a milestone: among so many replicas with a disk most were UpToDate at once. It goes down with their number;
	// 0: not yet, or there are fewer than three.
	GoodAmong int
}

// HasDRBD tells whether DRBD is in the layer stack.
func (d *ResourceDefinition) HasDRBD() bool {
	return d.Layers == nil || slices.Contains(d.Layers, LayerDRBD)
}

// LayerStack is never nil.
func (d *ResourceDefinition) LayerStack() []LayerKind {
	if d.Layers == nil {
		return []LayerKind{LayerDRBD, LayerStorage}
	}
	return d.Layers
}

// extentKiB is LVM's extent, unless somebody chose another: what is asked of a pool comes in these.
const extentKiB = 4096

// Backing is the size in KiB that a volume takes of a pool: whole LVM extents whatever the pool, since DRBD refuses a peer
// whose disk is smaller than the one that was there first, and so that what is counted is what is taken. Before the DRBD
// generation is pinned it is that of 9, whose metadata is the larger.
func (d *ResourceDefinition) Backing(vd *VolumeDefinition) int64 { return d.backing(vd, vd.SizeKiB) }

func (d *ResourceDefinition) backing(vd *VolumeDefinition, size int64) int64 {
	if d.HasDRBD() && !vd.Gross {
		gen := d.DRBD
		if gen == Unpinned {
			gen = DRBD9
		}
		size = BackingKiB(size, gen, d.PeerSlots)
	}
	if !vd.Gross {
		size += d.header()
	}
	return max((size+extentKiB-1)/extentKiB*extentKiB, vd.LeastKiB)
}

// NoSmaller has all replicas on devices as large as those that are made from the snapshot: they may be larger than a volume of that
// size takes (large extents; a controller that has forgotten that it grew), and DRBD refuses a smaller one beside them.
func (d *ResourceDefinition) NoSmaller(sn *Snapshot) {
	for i := range d.Volumes {
		vd := &d.Volumes[i]
		if v := sn.Volume(vd.Number); v != nil && v.BackingKiB > d.Backing(vd) {
			vd.LeastKiB = v.BackingKiB
		}
	}
}

// VolumeDefinition is the cluster-wide half of a volume.
type VolumeDefinition struct {
	UUID    UUID
	Number  int
	SizeKiB int64 // what the user gets; with Gross, what the backing device has
	Gross   bool
	Props   map[string]string
	Minor   int // DRBD's, one for all nodes
	// LeastKiB: a replica's backing device is never smaller; see NoSmaller. 0: as SizeKiB needs.
	LeastKiB int64
	Deleting bool
	// Keys of an encrypted volume; nil: it isn't.
	Keys *VolumeKeys

	// GrowsFromKiB: it is to grow to SizeKiB, and this was its size before; 0: it doesn't grow. It is taken away when every
	// diskful replica offers SizeKiB.
	GrowsFromKiB int64

	// Milestones. They are set once and taken back only when no node has the volume any more (plan/afresh.go).

	// Initialised: some replica was UpToDate. From then on Seed is void and metadata is never made for Source again.
	Initialised bool
	// Source is the replica (Resource.UUID) from which the first sync starts, named once, before it is done.
	Source UUID
	// SkipSync: instead of syncing from Source, all replicas are declared equal. Named with Source.
	SkipSync bool

	// Making of its file system.
	Making Making
}

// Resource is one replica of a definition on one node, diskful or diskless, in one incarnation.
type Resource struct {
	UUID       UUID // the incarnation
	Node       string
	Diskless   bool
	TieBreaker bool // a Diskless one kept only for its vote
	NodeID     int  // DRBD's, 0 to MaxNodeID
	Port       int  // TCP, on this node
	Props      map[string]string
	CreatedMS  int64
	// First: made in the definition's first deployment, before any volume was initialised.
	First   bool
	Volumes []Volume // by number

	// Toggle is where the replica is between having a disk and having none.
	Toggle Toggle
	// Successor is the replica that takes this one's place: this one goes when that one is proven UpToDate. "": none.
	Successor UUID
	// UsedMS, of a Diskless one that DrbdOptions/auto-diskful speaks of: since when it is in use, ms since 1970 UTC; 0: it isn't. NoDisk
	// says why it got no disk when that was due.
	UsedMS int64
	NoDisk string
	// Inactive: down on its node on the user's word; its devices, metadata and numbers stay.
	Inactive bool

	Deleting bool
	// Lose: the user typed the override; the guard on the last good copy doesn't hold this one back.
	Lose bool
}

// Filled tells whether all its volumes were UpToDate once.
func (r *Resource) Filled() bool {
	return !slices.ContainsFunc(r.Volumes, func(v Volume) bool { return !v.Deleting && !v.Filled })
}

// Volume is one volume of one replica.
type Volume struct {
	UUID   UUID // the incarnation label on the backing device
	Number int
	Pool   string // "" on a diskless replica
	Props  map[string]string
	// Deleting: this volume goes while its replica stays.
	Deleting bool
	// Initialised is a milestone: DRBD metadata was made on this incarnation; it is never made again.
	Initialised bool
	// Filled is a milestone: this incarnation was UpToDate once. From then on it may be behind and not know.
	Filled bool
	// From: the device is made from this copy of a snapshot; nil: it is made empty. It means nothing once the device is there.
	From *Source
}

// RetiredNodeID is a DRBD node-id that may not be given again before every peer has forgotten it.
type RetiredNodeID struct {
	NodeID  int
	Replica UUID // whose it was
	// Since is the definition's generation that asks the peers to forget; an older report doesn't count.
	Since   uint64
	WaitFor []UUID // replicas that have not reported it forgotten yet
}

// Clone is deep.
func (d *ResourceDefinition) Clone() *ResourceDefinition {
	c := *d
	c.Props, c.Layers = maps.Clone(d.Props), slices.Clone(d.Layers)
	c.Volumes = slices.Clone(d.Volumes)
	for i := range c.Volumes {
		c.Volumes[i].Props = maps.Clone(c.Volumes[i].Props)
	}
	c.Resources = slices.Clone(d.Resources)
	for i := range c.Resources {
		r := &c.Resources[i]
		r.Props, r.Volumes = maps.Clone(r.Props), slices.Clone(r.Volumes)
		for j := range r.Volumes {
			r.Volumes[j].Props = maps.Clone(r.Volumes[j].Props)
		}
	}
	c.Retired = slices.Clone(d.Retired)
	c.Connections = cloneConnections(d.Connections)
	for i := range c.Retired {
		c.Retired[i].WaitFor = slices.Clone(c.Retired[i].WaitFor)
	}
	c.Snapshots = slices.Clone(d.Snapshots)
	for i := range c.Snapshots {
		c.Snapshots[i] = c.Snapshots[i].Clone()
	}
	return &c
}

// Volume returns the volume definition of that number, or nil; it points into d.
func (d *ResourceDefinition) Volume(number int) *VolumeDefinition {
	for i := range d.Volumes {
		if d.Volumes[i].Number == number {
			return &d.Volumes[i]
		}
	}
	return nil
}

// On returns the replica on that node that isn't Deleting, else one that is, else nil; it points into d.
func (d *ResourceDefinition) On(node string) *Resource {
	var gone *Resource
	for i := range d.Resources {
		if r := &d.Resources[i]; Key(r.Node) == Key(node) {
			if !r.Deleting {
				return r
			}
			gone = r
		}
	}
	return gone
}

// Replica returns the replica of that incarnation, or nil; it points into d.
func (d *ResourceDefinition) Replica(id UUID) *Resource {
	for i := range d.Resources {
		if d.Resources[i].UUID == id {
			return &d.Resources[i]
		}
	}
	return nil
}

// Volume returns the replica's volume of that number, or nil; it points into r.
func (r *Resource) Volume(number int) *Volume {
	for i := range r.Volumes {
		if r.Volumes[i].Number == number {
			return &r.Volumes[i]
		}
	}
	return nil
}

// BackingName is the name of a volume's backing device in its pool, LINSTOR's form: <resource>_<5 digits>.
func BackingName(resource string, number int) string { return fmt.Sprintf("%s_%05d", resource, number) }
