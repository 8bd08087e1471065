package rest

import (
	"strings"

	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// volumeView is one volume of a replica. n is its node, nil if that is not known any more.
func volumeView(n *state.Node, d *state.Definition, r *model.Resource, v *model.Volume, vd *model.VolumeDefinition, st *model.ResourceStatus) api.Volume {
	seen := seenVolume(st, v)
	out := api.Volume{VolumeNumber: v.Number, StoragePoolName: v.Pool, Props: v.Props, UUID: string(v.UUID)}
	if r.Diskless {
		out.StoragePoolName, out.ProviderKind = model.DisklessPool, api.Diskless
	} else if n != nil {
		if p := n.Pool(v.Pool); p != nil {
			out.ProviderKind = api.ProviderKind(p.Kind)
		}
	}
	if v.Deleting {
		out.Flags = []string{api.FlagDelete}
	}
	if vd.GrowsFromKiB != 0 && !r.Diskless {
		out.Flags = append(out.Flags, api.FlagResize)
	}
	if d.HasDRBD() {
		data := drbdVolume(vd, seen)
		out.LayerDataList = append(out.LayerDataList, api.VolumeLayer{Type: api.LayerDRBD, Data: &data})
	}
	if d.HasLUKS() && !r.Diskless {
		data := luksVolume(v, seen)
		out.LayerDataList = append(out.LayerDataList, api.VolumeLayer{Type: api.LayerLUKS, Data: &data})
	}
	data := storageVolume(r, v, seen)
	out.LayerDataList = append(out.LayerDataList, api.VolumeLayer{Type: api.LayerStorage, Data: &data})
	if seen == nil {
		return out
	}
	out.DevicePath, out.AllocatedSizeKib, out.UsableSizeKib = seen.Device, &seen.AllocKiB, &seen.UsableKiB
	if !d.HasDRBD() && !d.HasLUKS() && out.DevicePath == "" {
		out.DevicePath = seen.Backing
	}
	out.State = &api.VolumeState{DiskState: seen.Disk, ReplicationStates: replication(st, v.Number)}
	return out
}

func replication(st *model.ResourceStatus, number int) map[string]api.ReplicationState {
	var m map[string]api.ReplicationState
	for i := range st.Peers {
		for j := range st.Peers[i].Volumes {
			pv := &st.Peers[i].Volumes[j]
			if pv.Number != number || pv.Replication == "" {
				continue
			}
			rs := api.ReplicationState{ReplicationState: pv.Replication}
			if syncing(pv.Replication) {
				rs.DonePercentage = &pv.DonePercent
				rs.Holdfast = &api.SyncStatus{OutOfSyncKib: &pv.OutOfSyncKiB}
			} else if pv.OutOfSyncKiB > 0 {
				rs.Holdfast = &api.SyncStatus{OutOfSyncKib: &pv.OutOfSyncKiB}
			}
			if m == nil {
				m = map[string]api.ReplicationState{}
			}
			m[st.Peers[i].Node] = rs
		}
	}
	return m
}

// syncing tells DRBD's words for a resync or verify that has progress (drbdsetup(8)).
func syncing(replication string) bool {
	return strings.HasPrefix(replication, "Sync") || strings.HasPrefix(replication, "PausedSync") || strings.HasPrefix(replication, "Verify")
}

func listVolumes(c *call) error {
	d, r, err := c.replica()
	if err != nil {
		return err
	}
	out := replicaView(c.snap, d, r).Volumes
	if out == nil {
		out = []api.Volume{}
	}
	if out, err = page(c, out); err != nil {
		return err
	}
	return c.json(out)
}

func getVolume(c *call) error {
	d, r, err := c.replica()
	if err != nil {
		return err
	}
	n, err := c.number("vlmnr", fault.Volume)
	if err != nil {
		return err
	}
	for _, v := range replicaView(c.snap, d, r).Volumes {
		if v.VolumeNumber == n {
			return c.json(v)
		}
	}
	return fault.New(fault.NotFound, fault.Volume, "Volume %d of resource '%s' on node '%s' not found.", n, d.Name, r.Node).
		Because("The replica has no volume of that number.").Do("`volume list` shows them.").Ref(api.RefRscDfn, d.Name).Ref(api.RefNode, r.Node)
}

func modifyVolume(c *call) (core.Command, error) {
	var in api.VolumeModify
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	n, err := c.number("vlmnr", fault.Volume)
	if err != nil {
		return nil, err
	}
	return core.ReplicaVolumeModify{Definition: c.param("rsc"), Node: c.param("node"), Number: n, Override: keys(in.OverrideProps),
		Delete: keyList(in.DeleteProps), Namespaces: keyList(in.DeleteNamespaces)}, nil
}
