package rest

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"

	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// defJSON is what is kept beside a definition's entry. Of two that make the same at once, either stays.
type defJSON struct {
	plain, volumes atomic.Pointer[[]byte] // the definition without and with its volume definitions
	replicas       atomic.Pointer[replicasJSON]
}

func memoOf(d *state.Definition) *defJSON {
	if m, ok := d.Memo.Get().(*defJSON); ok {
		return m
	}
	m := new(defJSON)
	d.Memo.Put(m)
	return m
}

func definitionBytes(d *state.Definition, withVolumes bool) ([]byte, error) {
	m := memoOf(d)
	slot := &m.plain
	if withVolumes {
		slot = &m.volumes
	}
	if b := slot.Load(); b != nil {
		return *b, nil
	}
	b, err := json.Marshal(definitionView(d, withVolumes))
	if err != nil {
		return nil, fmt.Errorf("encode definition %s: %w", d.Name, err)
	}
	slot.Store(&b)
	return b, nil
}

func definitionView(d *state.Definition, withVolumes bool) api.ResourceDefinition {
	v := api.ResourceDefinition{Name: d.Name, ExternalName: d.ExternalName, Props: d.Props, UUID: string(d.UUID),
		ResourceGroupName: d.Group, Holdfast: &api.Status{Generation: int64(d.Generation), Condition: "ok"}}
	if d.Deleting {
		v.Flags = []string{api.FlagDelete}
		v.Holdfast.Condition = "deleting"
	}
	if x := d.Cloning; x.Unmade() && !d.Deleting {
		flag := api.FlagCloning
		if x.State == model.CloneFailed {
			flag = api.FlagFailed
		}
		condition, r := cloneReason(d)
		v.Flags = append(v.Flags, flag)
		v.Holdfast.Condition, v.Holdfast.Reasons, v.Holdfast.Waiting = condition, []api.Reason{r}, r.Message
	}
	for _, l := range d.LayerStack() {
		layer := api.ResourceDefinitionLayer{Type: api.LayerType(l)}
		if l == model.LayerDRBD {
			layer.Data = drbdDefinition(d.ResourceDefinition, d.Secret)
		}
		v.LayerData = append(v.LayerData, layer)
	}
	if withVolumes {
		for i := range d.Volumes {
			v.VolumeDefinitions = append(v.VolumeDefinitions, volumeDefinitionView(d.ResourceDefinition, &d.Volumes[i]))
		}
	}
	return v
}

// LINSTOR's defaults of the activity log, which Holdfast's metadata has too; the port is the one that replicas get if it
// is free on their node, and -1 stands for none, which older clients need (the Python client reads it unasked).
const (
	alStripes       = 1
	alStripeSizeKiB = 32
	noPort          = -1
)

func drbdDefinition(d *model.ResourceDefinition, secret string) *api.DrbdResourceDefinition {
	port := d.Port
	if port == 0 {
		port = noPort
	}
	return &api.DrbdResourceDefinition{PeerSlots: d.PeerSlots, AlStripes: alStripes, AlStripeSizeKib: alStripeSizeKiB, Port: port,
		TransportType: "IP", Secret: secret, Down: d.Deleting}
}

func volumeDefinitionView(d *model.ResourceDefinition, vd *model.VolumeDefinition) api.VolumeDefinition {
	v := api.VolumeDefinition{VolumeNumber: api.NewInt(int64(vd.Number)), SizeKib: api.Int(vd.SizeKiB), Props: keys(vd.Props), UUID: string(vd.UUID)}
	if vd.Deleting || d.Deleting {
		v.Flags = append(v.Flags, api.FlagDelete)
	}
	if vd.GrowsFromKiB != 0 {
		v.Flags = append(v.Flags, api.FlagResize)
	}
	if vd.Gross {
		v.Flags = append(v.Flags, api.FlagGrossSize)
	}
	for _, l := range d.LayerStack() {
		layer := api.VolumeDefinitionLayer{Type: api.LayerType(l)}
		if l == model.LayerDRBD {
			layer.Data = &api.DrbdVolumeDefinition{VolumeNumber: vd.Number, MinorNumber: vd.Minor}
		}
		v.LayerData = append(v.LayerData, layer)
	}
	return v
}

func (c *call) definition() (*state.Definition, error) {
	name := c.param("rsc")
	if d := c.snap.Definition(name); d != nil {
		return d, nil
	}
	return nil, fault.New(fault.NotFound, fault.ResourceDefinition, "Resource definition '%s' not found.", name).
		Because("There is none of that name.").Do("`resource-definition list` shows what there is.").Ref(api.RefRscDfn, name)
}

func listDefinitions(c *call) error {
	want, props := c.names("resource_definitions"), propFilter(c.q["props"])
	volumes, err := c.flag("with_volume_definitions", false)
	if err != nil {
		return err
	}
	var list []*state.Definition
	if want != nil {
		for _, name := range sortedNames(want) {
			if d := c.snap.Definition(name); d != nil && props.match(d.Props) {
				list = append(list, d)
			}
		}
	} else {
		c.snap.Definitions(func(d *state.Definition) bool {
			if props.match(d.Props) {
				list = append(list, d)
			}
			return true
		})
	}
	if list, err = page(c, list); err != nil {
		return err
	}
	out := make([][]byte, 0, len(list))
	for _, d := range list {
		b, err := definitionBytes(d, volumes)
		if err != nil {
			return err
		}
		out = append(out, b)
	}
	return c.list(out)
}

func sortedNames(s nameSet) []string {
	out := make([]string, 0, len(s))
	for k := range s {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func getDefinition(c *call) error {
	d, err := c.definition()
	if err != nil {
		return err
	}
	return c.json(definitionView(d, false))
}

func createDefinition(c *call) (core.Command, error) {
	var in api.ResourceDefinitionCreate
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	rd := in.ResourceDefinition
	switch t := in.DrbdTransportType; {
	case t == "", model.Key(t) == "ip", model.Key(t) == "tcp":
	default:
		return nil, fault.New(fault.Invalid, fault.ResourceDefinition, "The transport '%s' is not possible.", t).In("drbd_transport_type").
			Because("This release of Holdfast replicates over TCP.").Do("Leave it away.")
	}
	cmd := core.DefinitionCreate{Name: rd.Name, ExternalName: rd.ExternalName, Group: rd.ResourceGroupName, Props: keys(rd.Props), Secret: in.DrbdSecret}
	for _, l := range rd.LayerData {
		cmd.Layers = append(cmd.Layers, model.LayerKind(l.Type))
	}
	var err error
	if cmd.PeerSlots, err = small(in.DrbdPeerSlots, fault.ResourceDefinition, "peer_slots"); err != nil {
		return nil, err
	}
	if cmd.Port, err = small(in.DrbdPort, fault.ResourceDefinition, "drbd_port"); err != nil {
		return nil, err
	}
	if len(rd.VolumeDefinitions) == 0 {
		return cmd, nil
	}
	if rd.Name == "" {
		return nil, fault.New(fault.Invalid, fault.ResourceDefinition, "Volumes can't be created with a definition whose name is made.").
			In("name").Because("Only an external name was given.").Do("Create the definition, then its volumes.")
	}
	if err := tooMany(len(rd.VolumeDefinitions), fault.ResourceDefinition, "volume_definitions"); err != nil {
		return nil, err
	}
	all := sequence{cmd}
	for _, vd := range rd.VolumeDefinitions {
		v, err := volumeCreate(rd.Name, api.VolumeDefinitionCreate{VolumeDefinition: vd})
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// sequence is one command of several: all or none.
type sequence []core.Command

// Apply runs them in order and answers with what the last one waits for.
func (q sequence) Apply(tx *state.Tx, env core.Env) (core.Reply, error) {
	var all core.Reply
	for _, cmd := range q {
		r, err := cmd.Apply(tx, env)
		if err != nil {
			return core.Reply{}, err
		}
		all.Notes, all.Wait, all.Data = append(all.Notes, r.Notes...), r.Wait, r.Data
	}
	return all, nil
}

func modifyDefinition(c *call) (core.Command, error) {
	var in api.ResourceDefinitionModify
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	cmd := core.DefinitionModify{Name: c.param("rsc"), Override: keys(in.OverrideProps), Delete: keyList(in.DeleteProps), Namespaces: keyList(in.DeleteNamespaces),
		Group: in.ResourceGroup, Layers: toLayers(in.LayerStack)}
	var err error
	if cmd.PeerSlots, err = small(in.DrbdPeerSlots, fault.ResourceDefinition, "peer_slots"); err != nil {
		return nil, err
	}
	if cmd.Port, err = small(in.DrbdPort, fault.ResourceDefinition, "drbd_port"); err != nil {
		return nil, err
	}
	if cmd.Port < 0 || cmd.Port > 65535 {
		return nil, fault.New(fault.Invalid, fault.ResourceDefinition, "The port %d is not valid.", cmd.Port).In("drbd_port").
			Because("A TCP port is between 1 and 65535.").Do("Leave it away.")
	}
	return cmd, nil
}

func deleteDefinition(c *call) (core.Command, error) {
	return core.DefinitionDelete{Name: c.param("rsc")}, nil
}

// syncStatus tells whether every replica with a disk is seen good now.
func syncStatus(c *call) error {
	d, err := c.definition()
	if err != nil {
		return err
	}
	all := true
	for i := range d.Resources {
		r := &d.Resources[i]
		if r.Diskless || r.Deleting {
			continue
		}
		st := d.Seen[r.UUID]
		all = all && st != nil && (len(r.Volumes) == 0 || st.UpToDate() && len(st.Volumes) >= len(r.Volumes))
	}
	return c.json(api.ResourceDefinitionSyncStatus{SyncedOnAll: all})
}
