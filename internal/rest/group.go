package rest

import (
	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
)

func groupView(g *model.ResourceGroup) api.ResourceGroup {
	v := api.ResourceGroup{Name: g.Name, Description: g.Description, Props: g.Props, SelectFilter: filterView(g.Filter), UUID: string(g.UUID)}
	if g.PeerSlots != 0 {
		v.PeerSlots = api.NewInt(int64(g.PeerSlots))
	}
	return v
}

func (c *call) group() (*model.ResourceGroup, error) {
	name := c.param("group")
	if g := c.snap.Group(name); g != nil {
		return g, nil
	}
	return nil, fault.New(fault.NotFound, fault.ResourceGroup, "Resource group '%s' not found.", name).
		Because("There is none of that name.").Do("`resource-group list` shows them.").Ref(api.RefRscGrp, name)
}

func listGroups(c *call) error {
	want, props := c.names("resource_groups"), propFilter(c.q["props"])
	out := []api.ResourceGroup{}
	c.snap.Groups(func(g *model.ResourceGroup) bool {
		if want.has(g.Name) && props.match(g.Props) {
			out = append(out, groupView(g))
		}
		return true
	})
	out, err := page(c, out)
	if err != nil {
		return err
	}
	return c.json(out)
}

func getGroup(c *call) error {
	g, err := c.group()
	if err != nil {
		return err
	}
	return c.json(groupView(g))
}

func createGroup(c *call) (core.Command, error) {
	var in api.ResourceGroup
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	f, err := toFilter(in.SelectFilter)
	if err != nil {
		return nil, err
	}
	slots, err := small(in.PeerSlots, fault.ResourceGroup, "peer_slots")
	if err != nil {
		return nil, err
	}
	return core.GroupCreate{Name: in.Name, Description: in.Description, Props: keys(in.Props), Filter: f, PeerSlots: slots}, nil
}

func modifyGroup(c *call) (core.Command, error) {
	var in api.ResourceGroupModify
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	if err := noSnapshots(in.SnapNames); err != nil {
		return nil, err
	}
	cmd := core.GroupModify{Name: c.param("group"), Description: in.Description, Override: keys(in.OverrideProps), Delete: keyList(in.DeleteProps),
		Namespaces: keyList(in.DeleteNamespaces)}
	if in.SelectFilter != nil {
		f, err := toFilter(in.SelectFilter)
		if err != nil {
			return nil, err
		}
		if in.SelectFilter.LayerStack != nil && f.Layers == nil {
			f.Layers = []model.LayerKind{} // an empty stack takes the group's away
		}
		cmd.Filter = &f
	}
	var err error
	if cmd.PeerSlots, err = small(in.PeerSlots, fault.ResourceGroup, "peer_slots"); err != nil {
		return nil, err
	}
	return cmd, nil
}

func deleteGroup(c *call) (core.Command, error) {
	return core.GroupDelete{Name: c.param("group")}, nil
}

func spawn(c *call) (core.Command, error) {
	var in api.ResourceGroupSpawn
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	f, err := toFilter(in.SelectFilter)
	if err != nil {
		return nil, err
	}
	cmd := core.Spawn{Group: c.param("group"), Name: in.ResourceDefinitionName, ExternalName: in.ResourceDefinitionExternalName,
		Partial: in.Partial.Value(false), DefinitionsOnly: in.DefinitionsOnly.Value(false), Filter: f, Props: keys(in.ResourceDefinitionProps)}
	if err := tooMany(len(in.VolumeSizes), fault.ResourceDefinition, "volume_sizes"); err != nil {
		return nil, err
	}
	for _, p := range in.VolumePassphrases {
		cmd.Passphrases = append(cmd.Passphrases, model.Secret(p))
	}
	for _, kib := range in.VolumeSizes {
		cmd.SizesKiB = append(cmd.SizesKiB, int64(kib))
	}
	if cmd.PeerSlots, err = small(in.PeerSlots, fault.ResourceDefinition, "peer_slots"); err != nil {
		return nil, err
	}
	return cmd, nil
}

func noSnapshots(names []string) error {
	if len(names) == 0 {
		return nil
	}
	return fault.New(fault.Unsupported, fault.Snapshot, "The snapshots %s can't be copied.", joined(names)).
		Because("This release of Holdfast has no snapshots.").Do("Leave them away.")
}

func noEncryption() error {
	return fault.New(fault.Unsupported, fault.VolumeDefinition, "The volume can't be encrypted.").In("layer_list").
		Because("Encryption isn't a flag: it is the layer LUKS of the resource definition.").Do("Leave the flag ENCRYPTED away, and create the definition with the layers DRBD,LUKS,STORAGE.")
}

func volumeGroupView(v *model.VolumeGroup) api.VolumeGroup {
	out := api.VolumeGroup{VolumeNumber: api.NewInt(int64(v.Number)), Props: v.Props, UUID: string(v.UUID)}
	if v.Gross {
		out.Flags = []string{api.FlagGrossSize}
	}
	return out
}

func listVolumeGroups(c *call) error {
	g, err := c.group()
	if err != nil {
		return err
	}
	out := []api.VolumeGroup{}
	for i := range g.Volumes {
		out = append(out, volumeGroupView(&g.Volumes[i]))
	}
	if out, err = page(c, out); err != nil {
		return err
	}
	return c.json(out)
}

func getVolumeGroup(c *call) error {
	g, err := c.group()
	if err != nil {
		return err
	}
	n, err := c.number("vlmnr", fault.VolumeGroup)
	if err != nil {
		return err
	}
	for i := range g.Volumes {
		if g.Volumes[i].Number == n {
			return c.json(volumeGroupView(&g.Volumes[i]))
		}
	}
	return fault.New(fault.NotFound, fault.VolumeGroup, "Volume group %d of resource group '%s' not found.", n, g.Name).
		Because("There is none of that number.").Do("`volume-group list %s` shows them.", g.Name).Ref(api.RefRscGrp, g.Name)
}

func createVolumeGroup(c *call) (core.Command, error) {
	var in api.VolumeGroup
	if err := c.decode(&in, true); err != nil {
		return nil, err
	}
	cmd := core.VolumeGroupPut{Group: c.param("group"), Create: true, Override: keys(in.Props)}
	var err error
	if in.VolumeNumber != nil {
		n, err := small(in.VolumeNumber, fault.VolumeGroup, "volume_number")
		if err != nil {
			return nil, err
		}
		cmd.Number = &n
	}
	if cmd.Gross, err = grossFlag(in.Flags, fault.VolumeGroup); err != nil {
		return nil, err
	}
	return cmd, nil
}

func modifyVolumeGroup(c *call) (core.Command, error) {
	var in api.VolumeGroupModify
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	n, err := c.number("vlmnr", fault.VolumeGroup)
	if err != nil {
		return nil, err
	}
	gross, err := grossFlag(in.Flags, fault.VolumeGroup)
	if err != nil {
		return nil, err
	}
	return core.VolumeGroupPut{Group: c.param("group"), Number: &n, Gross: gross, Override: keys(in.OverrideProps), Delete: keyList(in.DeleteProps),
		Namespaces: keyList(in.DeleteNamespaces)}, nil
}

func deleteVolumeGroup(c *call) (core.Command, error) {
	n, err := c.number("vlmnr", fault.VolumeGroup)
	if err != nil {
		return nil, err
	}
	return core.VolumeGroupDelete{Group: c.param("group"), Number: n}, nil
}

// grossFlag: GROSS_SIZE sets, -GROSS_SIZE takes away, nothing leaves alone.
func grossFlag(flags []string, o fault.Object) (*bool, error) {
	var gross *bool
	for _, f := range flags {
		on := true
		switch {
		case model.Key(f) == "gross_size":
			gross = &on
		case model.Key(f) == "-gross_size":
			on = false
			gross = &on
		case model.Key(f) == "encrypted":
			return nil, noEncryption()
		default:
			return nil, fault.New(fault.Invalid, o, "The flag '%s' can't be set.", f).In("flags").
				Because("Volumes take the flag GROSS_SIZE.").Do("Leave it away.")
		}
	}
	return gross, nil
}
