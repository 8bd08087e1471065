package core

import (
	"slices"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan/place"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// resize changes the size of vd in m, as far as it can be had: free before the first replica, afterwards only larger. All
// that could be in the way and is known here refuses it before anything changes. The notes say that nothing changes.
func (c VolumeModify) resize(s *state.Snapshot, m *model.ResourceDefinition, vd *model.VolumeDefinition) ([]fault.Note, error) {
	size, gross := vd.SizeKiB, vd.Gross
	if c.SizeKiB != 0 {
		size = c.SizeKiB
	}
	if c.Gross != nil {
		gross = *c.Gross
	}
	if size == vd.SizeKiB && gross == vd.Gross {
		if c.SizeKiB == 0 {
			return nil, nil
		}
		return []fault.Note{warn(fault.AlreadyDeployed, fault.Modify, fault.VolumeDefinition, map[string]string{"RscDfn": m.Name, "VlmNr": itoa(c.Number)},
			"Volume %d of '%s' has this size already.", c.Number, m.Name)}, nil
	}
	if err := model.CheckVolumeSize(size); err != nil {
		return nil, err
	}
	no := func(k fault.Kind) *fault.Error {
		return fault.New(k, fault.VolumeDefinition, "Volume %d of '%s' can't be resized to %d KiB.", c.Number, m.Name, size).In("size_kib").
			Ref("RscDfn", m.Name).Ref("VlmNr", itoa(c.Number))
	}
	switch deployed := slices.ContainsFunc(m.Resources, func(r model.Resource) bool { return r.Volume(c.Number) != nil }); {
	case vd.Deleting:
		return nil, no(fault.InUse).Because("It is being deleted.").Do("Create a new one.")
	case m.Cloning.Unmade():
		return nil, notUnmade(m, fault.VolumeDefinition, "It can't be resized.")
	case !deployed:
		vd.SizeKiB, vd.Gross, vd.GrowsFromKiB = size, gross, 0
		return nil, nil
	case m.RollingBack() != nil || m.Taking() != nil:
		return nil, no(fault.InUse).Because("A snapshot of it is being taken, or it is being rolled back to one.").Do("Wait until that is done.")
	case gross != vd.Gross:
		return nil, no(fault.Unsupported).Because("It is deployed, and whether its size counts DRBD's metadata is fixed by then.").Do("Leave the flag away.")
	case size < vd.SizeKiB:
		return nil, no(fault.Invalid).Because("Deployed volumes can only grow, not shrink: it has %d KiB, and what lies behind the new end would be lost.", vd.SizeKiB).
			Do("Create a smaller volume and copy the data.")
	case props.On("DrbdOptions/ExactSize", false, m.Props):
		return nil, no(fault.Refused).Because("The resource definition's property DrbdOptions/ExactSize is set, and keeps the size as it is.").
			Do("Delete that property first.")
	}
	was := *vd
	vd.SizeKiB = size
	if vd.GrowsFromKiB == 0 {
		vd.GrowsFromKiB = was.SizeKiB
	}
	need := m.Backing(vd) - m.Backing(&was)
	for i := range m.Resources {
		r := &m.Resources[i]
		v, n := r.Volume(c.Number), s.Node(r.Node)
		if r.Diskless || r.Deleting || v == nil || v.Deleting || n == nil {
			continue
		}
		p := n.Pool(v.Pool)
		if p == nil {
			continue
		}
		if free, why := place.Free(s, n, p); why == "" && need > free {
			return nil, no(fault.NoSpace).Because("Storage pool '%s' on node '%s' is too small: %d KiB more are needed, %d KiB are free.", p.Name, n.Name, need, free).
				Do("Add space to the pool, or move that replica to another.").Ref("Node", n.Name).Ref("StorPool", p.Name)
		}
	}
	return nil, nil
}
