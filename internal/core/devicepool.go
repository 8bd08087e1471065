package core

import (
	"slices"
	"strings"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// DevicePoolCreate orders a volume group, a thin pool or a zpool of empty devices of a node that is online. The node looks
// just before whether they are empty; nothing is ever made on one that isn't. With Pool a storage pool over it is registered
// in the same breath as the node says that it is done.
type DevicePoolCreate struct {
	Node    string
	Kind    string // LVM, LVM_THIN, ZFS, ZFS_THIN, LINSTOR's spellings in any case
	Name    string
	Devices []string
	Pool    string
	Props   map[string]string // of the storage pool
}

// maxDevices of one order.
const maxDevices = 64

func (c DevicePoolCreate) Apply(tx *state.Tx, env Env) (Reply, error) {
	n, err := findNode(tx, c.Node)
	if err != nil {
		return Reply{}, err
	}
	kind := model.ProviderKind(strings.ToUpper(strings.ReplaceAll(c.Kind, "-", "_")))
	p := model.DevicePool{UUID: env.UUID(), Kind: kind, Name: c.Name, Devices: c.Devices, Pool: c.Pool}
	if err := c.check(n, &p); err != nil {
		return Reply{}, err
	}
	if c.Pool != "" {
		if p.PoolProps, err = c.checkPool(n, &p); err != nil {
			return Reply{}, err
		}
	}
	m := n.Node.Clone()
	m.DevicePools = append(m.DevicePools, p)
	tx.PutNode(m)
	refs := map[string]string{"Node": n.Name}
	if c.Pool != "" {
		refs["StorPool"] = c.Pool
	}
	return Reply{Notes: []fault.Note{info(fault.Create, fault.StoragePool, refs, "Device pool '%s' on node '%s' of %s ordered.", p.Group(), n.Name, strings.Join(p.Devices, ", "))},
		Wait: []Wait{{Node: n.Name, DevicePool: p.UUID, Op: fault.Create}}}, nil
}

func (c DevicePoolCreate) check(n *state.Node, p *model.DevicePool) error {
	if !slices.Contains([]model.ProviderKind{model.LVM, model.LVMThin, model.ZFS, model.ZFSThin}, p.Kind) {
		return fault.New(fault.Unsupported, fault.StoragePool, "A device pool of kind '%s' can't be made.", c.Kind).In("provider_kind").
			Because("Holdfast makes LVM volume groups, LVM thin pools and ZFS pools.").Do("Choose lvm, lvmthin, zfs or zfsthin.")
	}
	if !n.Online() {
		return fault.New(fault.NotConnected, fault.Node, "No device pool can be made on node '%s'.", n.Name).
			Because("It is not online, and what its devices hold must be looked at before: %s.", n.Seen.Reason).
			Do("Bring the node online, then try again.").Ref("Node", n.Name)
	}
	if !slices.Contains(n.Seen.Makes, p.Kind) {
		why := strings.Join(n.Seen.Unsupported[string(p.Kind)], "; ")
		if why == "" {
			why = "Its satellite doesn't say that it can; it may be older, or lack lsblk or wipefs"
		}
		return fault.New(fault.Unsupported, fault.StoragePool, "Node '%s' can't make a device pool of kind %s.", n.Name, p.Kind).In("provider_kind").
			Because("%s.", why).Do("Install what is missing there, then try again.").Ref("Node", n.Name)
	}
	if err := model.CheckDevicePoolName(p.Name); err != nil {
		return err
	}
	if len(p.Devices) == 0 || len(p.Devices) > maxDevices {
		return fault.New(fault.Invalid, fault.StoragePool, "A device pool can't be made of %d devices.", len(p.Devices)).In("device_paths").
			Because("It needs 1 to %d.", maxDevices).Do("Name that many.")
	}
	for i, d := range p.Devices {
		if err := model.CheckDevicePath(d); err != nil {
			return err
		}
		if slices.Contains(p.Devices[:i], d) {
			return fault.New(fault.Invalid, fault.StoragePool, "The device '%s' is named twice.", d).In("device_paths").
				Because("A device is in one pool once.").Do("Name it once.")
		}
	}
	for i := range n.DevicePools {
		o := &n.DevicePools[i]
		if o.Group() == p.Group() || slices.ContainsFunc(o.Devices, func(d string) bool { return slices.Contains(p.Devices, d) }) {
			return fault.New(fault.InUse, fault.StoragePool, "Device pool '%s' on node '%s' can't be made.", p.Group(), n.Name).
				Because("The device pool '%s' of %s is being made there.", o.Group(), strings.Join(o.Devices, ", ")).Do("Wait until that is over.").Ref("Node", n.Name)
		}
	}
	return nil
}

// checkPool tells whether the storage pool could be registered afterwards; it gives its properties.
func (c DevicePoolCreate) checkPool(n *state.Node, p *model.DevicePool) (map[string]string, error) {
	if err := model.CheckPoolName(c.Pool); err != nil {
		return nil, err
	}
	if !slices.Contains(Kinds, p.Kind) {
		return nil, fault.New(fault.Unsupported, fault.StoragePool, "A storage pool of kind %s can't be made.", p.Kind).In("with_storage_pool").
			Because("This release of Holdfast doesn't drive it.").Do("Make the device pool alone, or choose another kind.")
	}
	for i := range n.Pools {
		if o := &n.Pools[i]; model.Key(o.Name) == model.Key(c.Pool) || o.Kind != model.Diskless && o.Backing() == p.Backing() {
			return nil, fault.New(fault.Exists, fault.StoragePool, "Storage pool '%s' on node '%s' already exists.", o.Name, n.Name).In("with_storage_pool").
				Because("Pools have their names, and what they are made of, for themselves.").Do("Choose another name.").Ref("Node", n.Name).Ref("StorPool", o.Name)
		}
	}
	for _, o := range n.DevicePools {
		if model.Key(o.Pool) == model.Key(c.Pool) {
			return nil, fault.New(fault.InUse, fault.StoragePool, "Storage pool '%s' on node '%s' is being made.", o.Pool, n.Name).In("with_storage_pool").
				Because("An order for it is under way.").Do("Wait until that is over, or choose another name.").Ref("Node", n.Name)
		}
	}
	given := map[string]string{}
	for k, v := range c.Props {
		given[k] = v
	}
	given[model.PropPoolName] = p.Backing()
	return props.Apply(props.Pool, fault.StoragePool, nil, given, nil, nil)
}
