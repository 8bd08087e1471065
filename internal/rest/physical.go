package rest

import (
	"cmp"
	"slices"
	"strings"

	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

func deviceView(d *model.BlockDevice) api.PhysicalStorageDevice {
	return api.PhysicalStorageDevice{Device: d.Path, Model: d.Model, Serial: d.Serial, WWN: d.WWN}
}

// physicalStorage groups the empty disks by size and kind. Of a node that is away nothing is known, so nothing is listed.
func physicalStorage(c *call) error {
	type group struct {
		size int64
		rota bool
	}
	found := map[group]*api.PhysicalStorage{}
	out := []*api.PhysicalStorage{}
	c.snap.Nodes(func(n *state.Node) bool {
		for i := range n.Seen.Devices {
			d := &n.Seen.Devices[i]
			k := group{d.SizeBytes, d.Rotational}
			if found[k] == nil {
				found[k] = &api.PhysicalStorage{Size: d.SizeBytes, Rotational: d.Rotational, Nodes: map[string][]api.PhysicalStorageDevice{}}
				out = append(out, found[k])
			}
			found[k].Nodes[n.Name] = append(found[k].Nodes[n.Name], deviceView(d))
		}
		return true
	})
	slices.SortFunc(out, func(a, b *api.PhysicalStorage) int {
		if a.Size == b.Size && b.Rotational {
			return -1
		}
		return cmp.Compare(a.Size, b.Size)
	})
	out, err := page(c, out)
	if err != nil {
		return err
	}
	return c.json(out)
}

func physicalStorageOn(c *call) error {
	n, err := c.node()
	if err != nil {
		return err
	}
	out := []api.PhysicalStorageNode{}
	for i := range n.Seen.Devices {
		d := &n.Seen.Devices[i]
		out = append(out, api.PhysicalStorageNode{Size: d.SizeBytes, Rotational: d.Rotational, PhysicalStorageDevice: deviceView(d)})
	}
	return c.json(out)
}

func createDevicePool(c *call) (core.Command, error) {
	var in api.PhysicalStorageCreate
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	no := func(what, field string) error {
		return fault.New(fault.Unsupported, fault.StoragePool, "%s is not possible.", what).In(field).
			Because("This release of Holdfast doesn't do it.").Do("Leave '%s' away.", field)
	}
	switch {
	case in.RaidLevel != "" && !strings.EqualFold(in.RaidLevel, "JBOD"):
		return nil, no("The RAID level "+in.RaidLevel, "raid_level")
	case in.VdoEnable.Value(false):
		return nil, no("VDO", "vdo_enable")
	case in.Sed.Value(false):
		return nil, no("To set up self-encrypting drives", "sed")
	}
	for field, words := range map[string][]string{"pv_create_arguments": in.PvArguments, "vg_create_arguments": in.VgArguments,
		"lv_create_arguments": in.LvArguments, "zpool_create_arguments": in.ZpoolArguments} {
		if len(words) > 0 {
			return nil, fault.New(fault.Refused, fault.StoragePool, "The arguments '%s' can't be given.", strings.Join(words, " ")).In(field).
				Because("They would become part of a command that runs on the node as root, and this REST API is open to everybody who reaches it.").
				Do("Leave them away, or make the volume group on the node by hand.")
		}
	}
	cmd := core.DevicePoolCreate{Node: c.param("node"), Kind: string(in.ProviderKind), Name: in.PoolName, Devices: in.DevicePaths}
	if p := in.WithStoragePool; p != nil {
		if p.SharedSpace != "" || p.ExternalLocking.Value(false) {
			return nil, no("Shared storage", "shared_space")
		}
		cmd.Pool, cmd.Props = p.Name, keys(p.Props)
		if cmd.Name == "" {
			cmd.Name = p.Name
		}
	}
	return cmd, nil
}
