package rest

import (
	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
)

func listVolumeDefinitions(c *call) error {
	d, err := c.definition()
	if err != nil {
		return err
	}
	out := []api.VolumeDefinition{}
	for i := range d.Volumes {
		out = append(out, volumeDefinitionView(d.ResourceDefinition, &d.Volumes[i]))
	}
	if out, err = page(c, out); err != nil {
		return err
	}
	return c.json(out)
}

func getVolumeDefinition(c *call) error {
	d, err := c.definition()
	if err != nil {
		return err
	}
	n, err := c.number("vlmnr", fault.VolumeDefinition)
	if err != nil {
		return err
	}
	vd := d.Volume(n)
	if vd == nil {
		return fault.New(fault.NotFound, fault.VolumeDefinition, "Volume definition %d of '%s' not found.", n, d.Name).
			Because("There is none of that number.").Do("`volume-definition list` shows them.").Ref(api.RefRscDfn, d.Name).Ref(api.RefVlmNr, c.param("vlmnr"))
	}
	return c.json(volumeDefinitionView(d.ResourceDefinition, vd))
}

func createVolumeDefinition(c *call) (core.Command, error) {
	var in api.VolumeDefinitionCreate
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	return volumeCreate(c.param("rsc"), in)
}

func volumeCreate(rsc string, in api.VolumeDefinitionCreate) (core.Command, error) {
	vd := in.VolumeDefinition
	gross, err := grossFlag(vd.Flags, fault.VolumeDefinition)
	if err != nil {
		return nil, err
	}
	cmd := core.VolumeCreate{Definition: rsc, SizeKiB: int64(vd.SizeKib), Gross: gross != nil && *gross, Props: keys(vd.Props)}
	if in.Passphrase != "" {
		cmd.Passphrase = model.Secret(in.Passphrase)
	}
	if vd.VolumeNumber != nil {
		n, err := small(vd.VolumeNumber, fault.VolumeDefinition, "volume_number")
		if err != nil {
			return nil, err
		}
		cmd.Number = &n
	}
	if in.DrbdMinorNumber != nil {
		n, err := small(in.DrbdMinorNumber, fault.VolumeDefinition, "drbd_minor_number")
		if err != nil {
			return nil, err
		}
		cmd.Minor = &n
	}
	return cmd, nil
}

func modifyVolumeDefinition(c *call) (core.Command, error) {
	var in api.VolumeDefinitionModify
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	n, err := c.number("vlmnr", fault.VolumeDefinition)
	if err != nil {
		return nil, err
	}
	gross, err := grossFlag(in.Flags, fault.VolumeDefinition)
	if err != nil {
		return nil, err
	}
	if in.SizeKib != nil {
		if err := model.CheckVolumeSize(int64(*in.SizeKib)); err != nil {
			return nil, err
		}
	}
	return core.VolumeModify{Definition: c.param("rsc"), Number: n, SizeKiB: in.SizeKib.Value(0), Gross: gross, Override: keys(in.OverrideProps),
		Delete: keyList(in.DeleteProps), Namespaces: keyList(in.DeleteNamespaces)}, nil
}

func deleteVolumeDefinition(c *call) (core.Command, error) {
	n, err := c.number("vlmnr", fault.VolumeDefinition)
	if err != nil {
		return nil, err
	}
	return core.VolumeDelete{Definition: c.param("rsc"), Number: n}, nil
}
