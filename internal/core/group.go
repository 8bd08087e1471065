package core

import (
	"slices"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

func findGroup(tx *state.Tx, name string) (*model.ResourceGroup, error) {
	if g := tx.Snapshot().Group(name); g != nil {
		return g, nil
	}
	return nil, fault.New(fault.NotFound, fault.ResourceGroup, "Resource group '%s' not found.", name).
		Because("There is none of that name.").Do("`resource-group list` shows them.").Ref("RscGrp", name)
}

func checkPeerSlots(o fault.Object, n int) error {
	if n < 0 || n > model.MaxPeerSlots {
		return fault.New(fault.Invalid, o, "%d peer slots are not possible.", n).In("peer_slots").
			Because("DRBD has 1 to %d.", model.MaxPeerSlots).Do("Choose a number in that range.")
	}
	return nil
}

func checkPlaceCount(n int) error {
	if n < 0 || n > model.MaxNodeID {
		return fault.New(fault.Invalid, fault.ResourceGroup, "A place count of %d is not possible.", n).In("place_count").
			Because("It must be between 1 and %d.", model.MaxNodeID).Do("Choose a number in that range.")
	}
	return nil
}

// stacks that this release builds.
var stacks = [][]model.LayerKind{{model.LayerDRBD, model.LayerStorage}, {model.LayerStorage},
	{model.LayerDRBD, model.LayerLUKS, model.LayerStorage}, {model.LayerLUKS, model.LayerStorage}}

// CheckLayers accepts the stacks that this release builds: DRBD and LUKS over STORAGE, each with or without. nil stays nil.
func CheckLayers(o fault.Object, l []model.LayerKind) error {
	if l == nil || slices.ContainsFunc(stacks, func(s []model.LayerKind) bool { return slices.Equal(l, s) }) {
		return nil
	}
	return fault.New(fault.Unsupported, o, "The layer stack %v can't be built.", l).In("layer_list").
		Because("This release of Holdfast builds DRBD,LUKS,STORAGE, and the same without DRBD, without LUKS, or without both.").Do("Choose one of these.")
}

// GroupCreate adds a resource group.
type GroupCreate struct {
	Name, Description string
	Props             map[string]string
	Filter            model.SelectFilter
	PeerSlots         int
}

func (c GroupCreate) Apply(tx *state.Tx, env Env) (Reply, error) {
	if err := model.CheckGroupName(c.Name); err != nil {
		return Reply{}, err
	}
	if g := tx.Snapshot().Group(c.Name); g != nil {
		return Reply{}, fault.New(fault.Exists, fault.ResourceGroup, "Resource group '%s' already exists.", g.Name).
			Because("Group names are unique, whatever their case.").Do("Choose another name, or modify the group.").Ref("RscGrp", g.Name)
	}
	p, err := props.Apply(props.Group, fault.ResourceGroup, nil, c.Props, nil, nil)
	if err != nil {
		return Reply{}, err
	}
	if err := checkGroup(c.Filter, c.PeerSlots); err != nil {
		return Reply{}, err
	}
	tx.PutGroup(&model.ResourceGroup{UUID: env.UUID(), Name: c.Name, Description: c.Description, Props: p, Filter: c.Filter, PeerSlots: c.PeerSlots})
	return Reply{Notes: []fault.Note{done(fault.Create, fault.ResourceGroup, map[string]string{"RscGrp": c.Name}, "New resource group '%s' created.", c.Name)}}, nil
}

func checkGroup(f model.SelectFilter, slots int) error {
	if err := checkPeerSlots(fault.ResourceGroup, slots); err != nil {
		return err
	}
	if err := checkPlaceCount(f.PlaceCount); err != nil {
		return err
	}
	return CheckLayers(fault.ResourceGroup, f.Layers)
}

// GroupModify changes a group; nil and zero fields leave alone.
type GroupModify struct {
	Name        string
	Description *string
	Override    map[string]string
	Delete      []string
	Namespaces  []string
	Filter      *model.SelectFilter // its said fields replace the group's
	PeerSlots   int
}

func (c GroupModify) Apply(tx *state.Tx, _ Env) (Reply, error) {
	g, err := findGroup(tx, c.Name)
	if err != nil {
		return Reply{}, err
	}
	m := g.Clone()
	if c.Description != nil {
		m.Description = *c.Description
	}
	if c.Filter != nil {
		m.Filter = c.Filter.Over(m.Filter)
		if len(m.Filter.Layers) == 0 {
			m.Filter.Layers = nil
		}
	}
	if c.PeerSlots != 0 {
		m.PeerSlots = c.PeerSlots
	}
	if err := checkGroup(m.Filter, m.PeerSlots); err != nil {
		return Reply{}, err
	}
	if m.Props, err = props.Apply(props.Group, fault.ResourceGroup, m.Props, c.Override, c.Delete, c.Namespaces); err != nil {
		return Reply{}, err
	}
	tx.PutGroup(m)
	var ids []model.UUID
	tx.Snapshot().AllDefinitions(func(d *state.Definition) bool {
		if model.Key(d.Group) == model.Key(m.Name) {
			ids = append(ids, d.UUID)
		}
		return true
	})
	for _, id := range ids {
		tx.Touch(id)
	}
	return Reply{Notes: []fault.Note{done(fault.Modify, fault.ResourceGroup, map[string]string{"RscGrp": g.Name}, "Resource group '%s' modified.", g.Name)}}, nil
}

// GroupDelete removes a group that no definition uses.
type GroupDelete struct{ Name string }

func (c GroupDelete) Apply(tx *state.Tx, _ Env) (Reply, error) {
	refs := map[string]string{"RscGrp": c.Name}
	g := tx.Snapshot().Group(c.Name)
	if g == nil {
		return Reply{Notes: []fault.Note{warn(fault.NotFound, fault.Delete, fault.ResourceGroup, refs, "Resource group '%s' does not exist.", c.Name)}}, nil
	}
	if model.Key(c.Name) == model.Key(model.DefaultGroup) {
		return Reply{}, fault.New(fault.Refused, fault.ResourceGroup, "Resource group '%s' can't be deleted.", g.Name).
			Because("It is the default.").Do("Leave it.")
	}
	var user string
	tx.Snapshot().AllDefinitions(func(d *state.Definition) bool {
		if model.Key(d.Group) == model.Key(g.Name) && !d.Deleting {
			user = d.Name
		}
		return user == ""
	})
	if user != "" {
		// LINSTOR answers with "resource definition exists" here, and CSI looks for it (linstor-clients 2.2).
		return Reply{}, fault.New(fault.Exists, fault.ResourceDefinition, "Resource group '%s' can't be deleted.", g.Name).
			Because("Resource definition '%s' belongs to it.", user).Do("Delete its resource definitions, or move them to another group.").Ref("RscGrp", g.Name)
	}
	tx.DropGroup(g.Name)
	return Reply{Notes: []fault.Note{done(fault.Delete, fault.ResourceGroup, refs, "Resource group '%s' deleted.", g.Name)}}, nil
}

// VolumeGroupPut adds (Create; Number nil: the lowest free) or modifies a volume group.
type VolumeGroupPut struct {
	Group      string
	Number     *int
	Create     bool
	Gross      *bool
	Override   map[string]string
	Delete     []string
	Namespaces []string
}

func (c VolumeGroupPut) Apply(tx *state.Tx, env Env) (Reply, error) {
	g, err := findGroup(tx, c.Group)
	if err != nil {
		return Reply{}, err
	}
	m := g.Clone()
	n := 0
	if c.Number != nil {
		n = *c.Number
	} else {
		for slices.ContainsFunc(m.Volumes, func(v model.VolumeGroup) bool { return v.Number == n }) {
			n++
		}
	}
	if err := model.CheckVolumeNumber(n); err != nil {
		return Reply{}, err
	}
	i := slices.IndexFunc(m.Volumes, func(v model.VolumeGroup) bool { return v.Number == n })
	op, word := fault.Modify, "modified"
	switch {
	case c.Create && i >= 0:
		return Reply{}, fault.New(fault.Exists, fault.VolumeGroup, "Volume group %d of resource group '%s' already exists.", n, g.Name).
			Because("Volume numbers are unique.").Do("Choose another number, or none.")
	case c.Create:
		op, word = fault.Create, "created"
		m.Volumes = append(m.Volumes, model.VolumeGroup{UUID: env.UUID(), Number: n})
		slices.SortFunc(m.Volumes, func(a, b model.VolumeGroup) int { return a.Number - b.Number })
		i = slices.IndexFunc(m.Volumes, func(v model.VolumeGroup) bool { return v.Number == n })
	case i < 0:
		return Reply{}, fault.New(fault.NotFound, fault.VolumeGroup, "Volume group %d of resource group '%s' not found.", n, g.Name).
			Because("There is none of that number.").Do("`volume-group list %s` shows them.", g.Name)
	}
	v := &m.Volumes[i]
	if c.Gross != nil {
		v.Gross = *c.Gross
	}
	if v.Props, err = props.Apply(props.VolumeDefinition, fault.VolumeGroup, v.Props, c.Override, c.Delete, c.Namespaces); err != nil {
		return Reply{}, err
	}
	tx.PutGroup(m)
	return Reply{Notes: []fault.Note{done(op, fault.VolumeGroup, map[string]string{"RscGrp": g.Name, "VlmNr": itoa(n)},
		"Volume group %d of resource group '%s' %s.", n, g.Name, word)}}, nil
}

// VolumeGroupDelete removes a volume group.
type VolumeGroupDelete struct {
	Group  string
	Number int
}

func (c VolumeGroupDelete) Apply(tx *state.Tx, _ Env) (Reply, error) {
	g, err := findGroup(tx, c.Group)
	if err != nil {
		return Reply{}, err
	}
	refs := map[string]string{"RscGrp": g.Name, "VlmNr": itoa(c.Number)}
	m := g.Clone()
	m.Volumes = slices.DeleteFunc(m.Volumes, func(v model.VolumeGroup) bool { return v.Number == c.Number })
	if len(m.Volumes) == len(g.Volumes) {
		return Reply{Notes: []fault.Note{warn(fault.NotFound, fault.Delete, fault.VolumeGroup, refs, "Volume group %d does not exist.", c.Number)}}, nil
	}
	tx.PutGroup(m)
	return Reply{Notes: []fault.Note{done(fault.Delete, fault.VolumeGroup, refs, "Volume group %d of resource group '%s' deleted.", c.Number, g.Name)}}, nil
}

// Spawn makes a definition from a group: volumes of these sizes, placed by the group's filter.
type Spawn struct {
	Group, Name, ExternalName string
	SizesKiB                  []int64
	Partial                   bool // fewer sizes than volume groups
	DefinitionsOnly           bool
	Filter                    model.SelectFilter
	PeerSlots                 int
	Props                     map[string]string
	Passphrases               []model.Secret // of the volumes, as far as they go; an empty one: a key is made
}

func (c Spawn) Apply(tx *state.Tx, env Env) (Reply, error) {
	g, err := findGroup(tx, c.Group)
	if err != nil {
		return Reply{}, err
	}
	if n := len(g.Volumes); n > 0 && (len(c.SizesKiB) > n || len(c.SizesKiB) < n && !c.Partial) {
		return Reply{}, fault.New(fault.Invalid, fault.ResourceDefinition, "%d volume sizes don't fit resource group '%s'.", len(c.SizesKiB), g.Name).
			In("volume_sizes").Because("It has %d volume groups.", n).Do("Give one size for each, or fewer with --partial.")
	}
	out, err := DefinitionCreate{Name: c.Name, ExternalName: c.ExternalName, Group: g.Name, PeerSlots: c.PeerSlots, Props: c.Props,
		Layers: c.Filter.Over(g.Filter).Layers}.Apply(tx, env)
	if err != nil {
		return Reply{}, err
	}
	name, _ := out.Data.(string)
	for i, kib := range c.SizesKiB {
		v := VolumeCreate{Definition: name, SizeKiB: kib}
		if i < len(c.Passphrases) && len(c.Passphrases[i]) > 0 {
			v.Passphrase = c.Passphrases[i]
		}
		if i < len(g.Volumes) {
			n := g.Volumes[i].Number
			v.Number, v.Gross, v.Props = &n, g.Volumes[i].Gross, g.Volumes[i].Props
		}
		r, err := v.Apply(tx, env)
		if err != nil {
			return Reply{}, err
		}
		out.Notes = append(out.Notes, r.Notes...)
	}
	if !c.DefinitionsOnly {
		r, err := Autoplace{Definition: name, Filter: c.Filter}.Apply(tx, env)
		if err != nil {
			return Reply{}, err
		}
		out.Notes, out.Wait = append(out.Notes, r.Notes...), r.Wait
	}
	return out, nil
}
