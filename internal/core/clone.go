package core

import (
	"maps"
	"slices"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// DefinitionClone makes a new definition with the data that another has at one moment. It is answered at the commit; how far
// it is is model.Cloning's. Its reply's Data is the new name.
type DefinitionClone struct {
	Source             string
	Name, ExternalName string
	Group              string            // "": the source's
	Layers             []model.LayerKind // nil: the source's, and no others are possible
	Override           map[string]string // over the source's properties
	Delete             []string
	Namespaces         []string
}

// Apply implements Command.
func (c DefinitionClone) Apply(tx *state.Tx, env Env) (Reply, error) {
	d, err := findDefinition(tx, c.Source)
	if err != nil {
		return Reply{}, err
	}
	if err := notUnmade(d.ResourceDefinition, fault.ResourceDefinition, "It can't be cloned."); err != nil {
		return Reply{}, err
	}
	group := c.Group
	if group == "" {
		group = d.Group
	}
	made, err := DefinitionCreate{Name: c.Name, ExternalName: c.ExternalName, Group: group, Layers: d.Layers, PeerSlots: d.PeerSlots}.Apply(tx, env)
	if err != nil {
		return Reply{}, err
	}
	name := made.Data.(string)
	to := tx.Snapshot().Definition(name)
	if c.Layers != nil && !slices.Equal(c.Layers, d.LayerStack()) || !slices.Equal(to.LayerStack(), d.LayerStack()) {
		return Reply{}, fault.New(fault.Unsupported, fault.ResourceDefinition, "The clone of '%s' can't have other layers.", d.Name).In("layer_list").
			Because("Its blocks are the source's, whose layers are %v.", d.LayerStack()).Do("Leave the layers away, or create a resource and copy the data.").Ref("RscDfn", d.Name)
	}
	m := to.ResourceDefinition.Clone()
	if m.Props, err = props.Apply(props.Definition, fault.ResourceDefinition, maps.Clone(d.Props), c.Override, c.Delete, c.Namespaces); err != nil {
		return Reply{}, err
	}
	m.DRBD = d.DRBD
	if err := tx.PutDefinition(m); err != nil {
		return Reply{}, err
	}
	for i := range d.Volumes {
		vd := &d.Volumes[i]
		if n := vd.Number; !vd.Deleting {
			if _, err := (VolumeCreate{Definition: name, Number: &n, SizeKiB: vd.SizeKiB, Gross: vd.Gross, Props: vd.Props, Keys: vd.Keys}).Apply(tx, env); err != nil {
				return Reply{}, err
			}
		}
	}
	sn, notes, err := newSnapshot(tx.Snapshot(), env, d, SnapshotOf{Definition: d.Name, Name: "clone-" + string(m.UUID)[:8], copies: true})
	if err != nil {
		return Reply{}, err
	}
	sn.For, sn.Lease = m.UUID, env.UUID()
	src := d.ResourceDefinition.Clone()
	src.Snapshots = append(src.Snapshots, *sn)
	if err := tx.PutDefinition(src); err != nil {
		return Reply{}, err
	}
	m = tx.Snapshot().Definition(name).ResourceDefinition.Clone()
	m.NoSmaller(sn)
	m.Cloning = &model.Cloning{Source: d.UUID, SourceName: d.Name, Snapshot: sn.UUID, State: model.CloneTaking, SinceMS: env.Now.UnixMilli()}
	for i := range sn.Copies {
		if _, err := addReplica(tx, env, tx.Snapshot().Definition(name), m, fromCopy(d, sn, &sn.Copies[i])); err != nil {
			return Reply{}, err
		}
	}
	notes = append(notes, alongside(tx, env, d, m)...)
	if err := tx.PutDefinition(m); err != nil {
		return Reply{}, err
	}
	out := []fault.Note{done(fault.Create, fault.ResourceDefinition, map[string]string{"RscDfn": name, "UUID": string(m.UUID)},
		"Clone of resource definition '%s' to '%s' started.", d.Name, name)}
	for _, n := range notes {
		if n.Severity == fault.Warning {
			out = append(out, n)
		}
	}
	return Reply{Notes: out, Data: name}, nil
}

// fromCopy is a replica beside a copy of a snapshot, made from it.
func fromCopy(d *state.Definition, sn *model.Snapshot, k *model.SnapshotCopy) ResourceOn {
	on := ResourceOn{Node: k.Node, From: map[int]*model.Source{}, Pools: map[int]string{}}
	for _, v := range k.Volumes {
		on.Pools[v.Number] = v.Pool
		on.From[v.Number] = &model.Source{Snapshot: sn.UUID, Label: v.UUID, Device: model.SnapshotName(model.BackingName(d.Name, v.Number), sn.Name)}
	}
	return on
}

// notUnmade refuses what a clone can't take before its data are whole.
func notUnmade(d *model.ResourceDefinition, o fault.Object, what string) error {
	x := d.Cloning
	if !x.Unmade() {
		return nil
	}
	if x.Failed() {
		return fault.New(fault.NotApplied, o, "'%s' is a clone that failed. %s", d.Name, what).
			Because("%s", x.Reason).Do("Delete the resource definition, then clone again.").Ref("RscDfn", d.Name)
	}
	return fault.New(fault.InUse, o, "'%s' is still being cloned from '%s'. %s", d.Name, x.SourceName, what).
		Because("Its data aren't whole yet.").Do("Wait until that is done: `resource-definition list` shows it.").Ref("RscDfn", d.Name)
}
