package rest

import (
	"bytes"
	"encoding/json"
	"slices"

	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// replicaView is one replica with its volumes. What nobody reports in a current session is left out, not guessed.
func replicaView(s *state.Snapshot, d *state.Definition, r *model.Resource) api.ResourceWithVolumes {
	st := d.Seen[r.UUID]
	v := api.ResourceWithVolumes{Resource: api.Resource{Name: d.Name, NodeName: r.Node, Props: r.Props, Flags: append(replicaFlags(r), nodeMoveFlags(s.Node(r.Node), r)...), UUID: string(r.UUID),
		CreateTimestamp: api.NewInt(r.CreatedMS), LayerObject: layerObject(d, r, st), Holdfast: replicaStatus(s, d, r)}}
	if st != nil {
		v.State = &api.ResourceState{InUse: &st.InUse}
	}
	n := s.Node(r.Node)
	for i := range r.Volumes {
		if vd := d.Volume(r.Volumes[i].Number); vd != nil {
			v.Volumes = append(v.Volumes, volumeView(n, d, r, &r.Volumes[i], vd, st))
		}
	}
	return v
}

// replicaFlags lists each flag whose bits are all set (linstor-features 2.5).
func replicaFlags(r *model.Resource) []string {
	var f []string
	if r.Deleting {
		f = append(f, api.FlagDelete)
	}
	if r.Diskless {
		f = append(f, api.FlagDiskless)
		if r.TieBreaker {
			f = append(f, api.FlagTieBreaker)
		}
		f = append(f, api.FlagDrbdDiskless)
	}
	f = append(f, toggleFlags(r)...)
	return f
}

func layerObject(d *state.Definition, r *model.Resource, st *model.ResourceStatus) *api.ResourceLayer {
	storage := api.ResourceLayer{Type: api.LayerStorage, Storage: &api.StorageResource{}}
	for i := range r.Volumes {
		storage.Storage.StorageVolumes = append(storage.Storage.StorageVolumes, storageVolume(r, &r.Volumes[i], seenVolume(st, &r.Volumes[i])))
	}
	below := storage
	if d.HasLUKS() && !r.Diskless {
		below = api.ResourceLayer{Type: api.LayerLUKS, Luks: &api.LUKSResource{}, Children: []api.ResourceLayer{storage}}
		for i := range r.Volumes {
			below.Luks.LuksVolumes = append(below.Luks.LuksVolumes, luksVolume(&r.Volumes[i], seenVolume(st, &r.Volumes[i])))
		}
	}
	if !d.HasDRBD() {
		return &below
	}
	top := &api.DrbdResource{DrbdResourceDefinition: drbdDefinition(d.ResourceDefinition, ""), NodeID: api.NewInt(int64(r.NodeID)),
		PeerSlots: d.PeerSlots, AlStripes: alStripes, AlSize: alStripeSizeKiB}
	if r.Port != 0 {
		top.TCPPorts = []int{r.Port}
	}
	if r.Diskless {
		top.Flags = []string{"DISKLESS"}
	}
	if st != nil {
		top.MayPromote, top.PromotionScore = &st.MayPromote, st.PromotionScore
		for i := range st.Peers {
			p := &st.Peers[i]
			if top.Connections == nil {
				top.Connections = map[string]api.DrbdConnection{}
			}
			top.Connections[p.Node] = api.DrbdConnection{Connected: p.State == model.Connected, Message: p.State}
		}
	}
	for i := range r.Volumes {
		if vd := d.Volume(r.Volumes[i].Number); vd != nil {
			top.DrbdVolumes = append(top.DrbdVolumes, drbdVolume(vd, seenVolume(st, &r.Volumes[i])))
		}
	}
	return &api.ResourceLayer{Type: api.LayerDRBD, Drbd: top, Children: []api.ResourceLayer{below}}
}

// seenVolume is the status of exactly this incarnation, or nil.
func seenVolume(st *model.ResourceStatus, v *model.Volume) *model.VolumeStatus {
	if st == nil {
		return nil
	}
	if s := st.Volume(v.Number); s != nil && s.ID == v.UUID {
		return s
	}
	return nil
}

func drbdVolume(vd *model.VolumeDefinition, seen *model.VolumeStatus) api.DrbdVolume {
	v := api.DrbdVolume{DrbdVolumeDefinition: &api.DrbdVolumeDefinition{VolumeNumber: vd.Number, MinorNumber: vd.Minor}, UsableSizeKib: desired(vd)}
	if seen != nil {
		v.DevicePath, v.BackingDevice, v.AllocatedSizeKib, v.UsableSizeKib, v.DiskState = seen.Device, seen.Backing, seen.AllocKiB, seen.UsableKiB, seen.Disk
	}
	return v
}

// desired is the usable size in KiB that is known without asking the node; 0 if only the gross one is.
func desired(vd *model.VolumeDefinition) int64 {
	if vd.Gross {
		return 0
	}
	if vd.GrowsFromKiB != 0 {
		return vd.GrowsFromKiB
	}
	return vd.SizeKiB
}

func storageVolume(r *model.Resource, v *model.Volume, seen *model.VolumeStatus) api.StorageVolume {
	out := api.StorageVolume{VolumeNumber: v.Number}
	if seen != nil && !r.Diskless {
		out.DevicePath, out.AllocatedSizeKib, out.UsableSizeKib = seen.Backing, seen.AllocKiB, seen.UsableKiB
	}
	return out
}

func (c *call) replica() (*state.Definition, *model.Resource, error) {
	d, err := c.definition()
	if err != nil {
		return nil, nil, err
	}
	if r := d.On(c.param("node")); r != nil {
		return d, r, nil
	}
	return nil, nil, fault.New(fault.NotFound, fault.Resource, "Resource '%s' on node '%s' not found.", d.Name, c.param("node")).
		Because("The node has no replica of it.").Do("`resource list` shows the replicas.").Ref(api.RefRscDfn, d.Name).Ref(api.RefNode, c.param("node"))
}

// listed tells whether lists show the replica: of one that goes and one that comes on the same node only the latter.
func listed(d *state.Definition, r *model.Resource) bool { return d.On(r.Node) == r }

func listReplicas(c *call) error {
	d, err := c.definition()
	if err != nil {
		return err
	}
	out := []api.Resource{}
	for i := range d.Resources {
		if r := &d.Resources[i]; listed(d, r) {
			out = append(out, replicaView(c.snap, d, r).Resource)
		}
	}
	if out, err = page(c, out); err != nil {
		return err
	}
	return c.json(out)
}

func getReplica(c *call) error {
	d, r, err := c.replica()
	if err != nil {
		return err
	}
	return c.json(replicaView(c.snap, d, r).Resource)
}

// createReplicas takes an array, or one object.
func createReplicas(c *call) (core.Command, error) {
	var raw json.RawMessage
	if err := c.decode(&raw, false); err != nil {
		return nil, err
	}
	var in []api.ResourceCreate
	if bytes.HasPrefix(raw, []byte("{")) {
		in = make([]api.ResourceCreate, 1)
		if err := unmarshal(raw, &in[0], false); err != nil {
			return nil, err
		}
	} else if err := unmarshal(raw, &in, false); err != nil {
		return nil, err
	}
	if len(in) == 0 {
		return nil, badInput("the body names no resource")
	}
	return replicasCreate(c.param("rsc"), "", in)
}

func createReplica(c *call) (core.Command, error) {
	var in api.ResourceCreate
	if err := c.decode(&in, true); err != nil {
		return nil, err
	}
	return replicasCreate(c.param("rsc"), c.param("node"), []api.ResourceCreate{in})
}

func replicasCreate(rsc, node string, in []api.ResourceCreate) (core.Command, error) {
	if err := tooMany(len(in), fault.Resource, "resources"); err != nil {
		return nil, err
	}
	cmd := core.ResourceCreate{Definition: rsc, Layers: toLayers(in[0].LayerList)}
	for _, one := range in {
		if !slices.Equal(toLayers(one.LayerList), cmd.Layers) {
			return nil, fault.New(fault.Invalid, fault.Resource, "The resources of '%s' can't have different layers.", rsc).In("layer_list").
				Because("All replicas have the definition's.").Do("Leave the layers away.")
		}
		on, err := toReplica(one)
		if err != nil {
			return nil, err
		}
		if node != "" {
			on.Node = node
		}
		cmd.On = append(cmd.On, on)
	}
	return cmd, nil
}

func toReplica(in api.ResourceCreate) (core.ResourceOn, error) {
	on := core.ResourceOn{Node: in.Resource.NodeName, Props: keys(in.Resource.Props), Diskless: in.DrbdClient.Value(false)}
	for _, f := range in.Resource.Flags {
		switch f {
		case api.FlagDiskless, api.FlagDrbdDiskless:
			on.Diskless = true
		default:
			return on, fault.New(fault.Unsupported, fault.Resource, "A resource can't be created with the flag '%s'.", f).In("flags").
				Because("This release of Holdfast takes %s and %s.", api.FlagDiskless, api.FlagDrbdDiskless).Do("Leave it away.")
		}
	}
	// LINSTOR's clients name the pool in a property, the diskless one too.
	if model.Key(in.Resource.Props["StorPoolName"]) == model.Key(model.DisklessPool) {
		on.Diskless = true
	}
	if err := noSnapshots(in.SnapNames); err != nil {
		return on, err
	}
	if in.DrbdNodeID != nil {
		id, err := small(in.DrbdNodeID, fault.Resource, "drbd_node_id")
		if err != nil {
			return on, err
		}
		on.NodeID = &id
	}
	port, err := onePort(in.DrbdTCPPorts, in.DrbdTCPPortCount)
	on.Port = port
	return on, err
}

// onePort: a replica has one TCP port.
func onePort(ports []api.Int, count *api.Int) (int, error) {
	if len(ports) > 1 || count.Value(1) > 1 {
		return 0, fault.New(fault.Unsupported, fault.Resource, "A resource can't have several TCP ports.").In("drbd_tcp_ports").
			Because("This release of Holdfast uses one path between two nodes.").Do("Give one port, or none.")
	}
	if len(ports) == 0 {
		return 0, nil
	}
	if ports[0] < 1 || ports[0] > 65535 {
		return 0, fault.New(fault.Invalid, fault.Resource, "The port %d is not valid.", int64(ports[0])).In("drbd_tcp_ports").
			Because("A TCP port is between 1 and 65535.").Do("Leave it away.")
	}
	return int(ports[0]), nil
}

func modifyReplica(c *call) (core.Command, error) {
	var in api.ResourceModify
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	if in.DrbdTiebreaker != nil || in.DrbdClient != nil {
		return nil, fault.New(fault.Unsupported, fault.Resource, "The role of a diskless resource can't be changed.").
			Because("This release of Holdfast has diskless replicas of one kind.").Do("Leave drbd_tiebreaker and drbd_client away.")
	}
	return core.ResourceModify{Definition: c.param("rsc"), Node: c.param("node"), Override: keys(in.OverrideProps), Delete: keyList(in.DeleteProps),
		Namespaces: keyList(in.DeleteNamespaces)}, nil
}

func deleteReplica(c *call) (core.Command, error) {
	keep, err := c.flag("keep_tiebreaker", false)
	if err != nil {
		return nil, err
	}
	return core.ResourceDelete{Definition: c.param("rsc"), Node: c.param("node"), Lose: c.q[api.QueryLose], KeepTieBreaker: keep}, nil
}

func makeAvailable(c *call) (core.Command, error) {
	var in api.ResourceMakeAvailable
	if err := c.decode(&in, true); err != nil {
		return nil, err
	}
	if err := noSnapshots(in.SnapNames); err != nil {
		return nil, err
	}
	if len(in.DrbdTCPPorts) > 0 {
		return nil, fault.New(fault.Unsupported, fault.Resource, "The TCP port can't be chosen here.").In("drbd_tcp_ports").
			Because("This release of Holdfast takes a free one.").Do("Leave it away, or create the resource.")
	}
	return core.MakeAvailable{Definition: c.param("rsc"), Node: c.param("node"), Diskful: in.Diskful.Value(false)}, nil
}

func autoplace(c *call) (core.Command, error) {
	var in api.AutoPlaceRequest
	if err := c.decode(&in, true); err != nil {
		return nil, err
	}
	if err := noSnapshots(in.SnapNames); err != nil {
		return nil, err
	}
	f, err := toFilter(&in.SelectFilter)
	if err != nil {
		return nil, err
	}
	if in.DisklessOnRemaining != nil && f.DisklessOnRemaining == nil {
		on := in.DisklessOnRemaining.Value(false)
		f.DisklessOnRemaining = &on
	}
	return core.Autoplace{Definition: c.param("rsc"), Filter: f, Layers: toLayers(in.LayerList)}, nil
}
