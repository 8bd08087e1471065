package rest

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"sync"

	"holdfast/api"
)

// encoder writes the JSON of replicas by hand, byte for byte as encoding/json would (a test holds it to that), several times
// as fast: a controller that was just started makes tens of thousands of them for the first list.
type encoder struct {
	b   []byte
	err error
}

// scratch holds encoders between uses.
var scratch = sync.Pool{New: func() any { return new(encoder) }}

// any is for what is rare.
func (e *encoder) any(v any) {
	b, err := json.Marshal(v)
	if err != nil && e.err == nil {
		e.err = err
	}
	e.b = append(e.b, b...)
}

func (e *encoder) str(s string) {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			e.any(s)
			return
		}
	}
	e.b = append(append(append(e.b, '"'), s...), '"')
}

// key starts a member: the comma before it, unless it's the first, its name and the colon.
func (e *encoder) key(name string) {
	if e.b[len(e.b)-1] != '{' {
		e.b = append(e.b, ',')
	}
	e.b = append(append(append(e.b, '"'), name...), '"', ':')
}

func (e *encoder) open()  { e.b = append(e.b, '{') }
func (e *encoder) close() { e.b = append(e.b, '}') }

// comma goes before every item of an array but the first.
func (e *encoder) comma() {
	if e.b[len(e.b)-1] != '[' {
		e.b = append(e.b, ',')
	}
}

func (e *encoder) int(name string, n int64) {
	e.key(name)
	e.b = strconv.AppendInt(e.b, n, 10)
}

func (e *encoder) bool(name string, v bool) {
	e.key(name)
	e.b = strconv.AppendBool(e.b, v)
}

// The opt forms leave out what is empty.

func (e *encoder) optStr(name, s string) {
	if s != "" {
		e.key(name)
		e.str(s)
	}
}

func (e *encoder) optInt(name string, n int64) {
	if n != 0 {
		e.int(name, n)
	}
}

func (e *encoder) optPtr(name string, n *int64) {
	if n != nil {
		e.int(name, *n)
	}
}

func (e *encoder) optProps(p api.Props) {
	if len(p) == 0 {
		return
	}
	e.key("props")
	e.open()
	for _, k := range sorted(p) {
		e.name(k)
		e.str(p[k])
	}
	e.close()
}

// name is key for names that come from outside.
func (e *encoder) name(k string) {
	if e.b[len(e.b)-1] != '{' {
		e.b = append(e.b, ',')
	}
	e.str(k)
	e.b = append(e.b, ':')
}

func sorted[V any](m map[string]V) []string {
	if len(m) == 1 {
		for k := range m {
			return []string{k}
		}
	}
	return slices.Sorted(maps.Keys(m))
}

func (e *encoder) optStrs(name string, l []string) {
	if len(l) == 0 {
		return
	}
	e.key(name)
	e.b = append(e.b, '[')
	for _, s := range l {
		e.comma()
		e.str(s)
	}
	e.b = append(e.b, ']')
}

func (e *encoder) replica(v *api.ResourceWithVolumes) {
	e.open()
	e.optStr("name", v.Name)
	e.optStr("node_name", v.NodeName)
	e.optProps(v.Props)
	if len(v.EffectiveProps) > 0 {
		e.key("effective_props")
		e.any(v.EffectiveProps)
	}
	e.optStrs("flags", v.Flags)
	if v.LayerObject != nil {
		e.key("layer_object")
		e.layer(v.LayerObject)
	}
	if v.State != nil {
		e.key("state")
		e.open()
		if v.State.InUse != nil {
			e.bool("in_use", *v.State.InUse)
		}
		e.close()
	}
	e.optStr("uuid", v.UUID)
	e.optPtr("create_timestamp", (*int64)(v.CreateTimestamp))
	e.status(v.Holdfast)
	if len(v.Volumes) > 0 {
		e.key("volumes")
		e.b = append(e.b, '[')
		for i := range v.Volumes {
			e.comma()
			e.volume(&v.Volumes[i])
		}
		e.b = append(e.b, ']')
	}
	e.optStr("shared_name", v.SharedName)
	e.close()
}

func (e *encoder) status(s *api.Status) {
	if s == nil {
		return
	}
	e.key("holdfast")
	e.open()
	e.optInt("generation", s.Generation)
	e.optInt("reported", s.Reported)
	e.optStr("condition", s.Condition)
	if len(s.Reasons) > 0 {
		e.key("reasons")
		e.any(s.Reasons)
	}
	e.optInt("since", s.Since)
	e.optStr("waiting", s.Waiting)
	e.close()
}

func (e *encoder) layer(l *api.ResourceLayer) {
	e.open()
	if len(l.Children) > 0 {
		e.key("children")
		e.b = append(e.b, '[')
		for i := range l.Children {
			e.comma()
			e.layer(&l.Children[i])
		}
		e.b = append(e.b, ']')
	}
	e.key("resource_name_suffix")
	e.str(l.ResourceNameSuffix)
	e.key("type")
	e.str(string(l.Type))
	if l.Drbd != nil {
		e.key("drbd")
		e.drbd(l.Drbd)
	}
	if l.Luks != nil {
		e.key("luks")
		e.any(l.Luks)
	}
	if l.Storage != nil {
		e.key("storage")
		e.open()
		if len(l.Storage.StorageVolumes) > 0 {
			e.key("storage_volumes")
			e.b = append(e.b, '[')
			for i := range l.Storage.StorageVolumes {
				e.comma()
				e.storageVolume(&l.Storage.StorageVolumes[i])
			}
			e.b = append(e.b, ']')
		}
		e.close()
	}
	for _, o := range []struct {
		name string
		is   bool
		v    any
	}{{"nvme", l.Nvme != nil, l.Nvme}, {"writecache", l.Writecache != nil, l.Writecache}, {"cache", l.Cache != nil, l.Cache}, {"bcache", l.Bcache != nil, l.Bcache}} {
		if o.is {
			e.key(o.name)
			e.any(o.v)
		}
	}
	e.close()
}

func (e *encoder) drbd(d *api.DrbdResource) {
	e.open()
	if rd := d.DrbdResourceDefinition; rd != nil {
		e.key("drbd_resource_definition")
		e.open()
		e.optStr("resource_name_suffix", rd.ResourceNameSuffix)
		e.optInt("peer_slots", int64(rd.PeerSlots))
		e.optInt("al_stripes", rd.AlStripes)
		e.optInt("al_stripe_size_kib", rd.AlStripeSizeKib)
		e.optInt("port", int64(rd.Port))
		e.optStr("transport_type", rd.TransportType)
		e.optStr("secret", rd.Secret)
		if rd.Down {
			e.bool("down", true)
		}
		e.close()
	}
	e.optPtr("node_id", (*int64)(d.NodeID))
	if len(d.TCPPorts) > 0 {
		e.key("tcp_ports")
		e.b = append(e.b, '[')
		for _, p := range d.TCPPorts {
			e.comma()
			e.b = strconv.AppendInt(e.b, int64(p), 10)
		}
		e.b = append(e.b, ']')
	}
	e.optInt("peer_slots", int64(d.PeerSlots))
	e.optInt("al_stripes", d.AlStripes)
	e.optInt("al_size", d.AlSize)
	e.optStrs("flags", d.Flags)
	if len(d.DrbdVolumes) > 0 {
		e.key("drbd_volumes")
		e.b = append(e.b, '[')
		for i := range d.DrbdVolumes {
			e.comma()
			e.drbdVolume(&d.DrbdVolumes[i])
		}
		e.b = append(e.b, ']')
	}
	if len(d.Connections) > 0 {
		e.key("connections")
		e.open()
		for _, k := range sorted(d.Connections) {
			c := d.Connections[k]
			e.name(k)
			e.open()
			e.bool("connected", c.Connected)
			e.optStr("message", c.Message)
			e.close()
		}
		e.close()
	}
	e.optInt("promotion_score", int64(d.PromotionScore))
	if d.MayPromote != nil {
		e.bool("may_promote", *d.MayPromote)
	}
	e.close()
}

func (e *encoder) drbdVolume(v *api.DrbdVolume) {
	e.open()
	if vd := v.DrbdVolumeDefinition; vd != nil {
		e.key("drbd_volume_definition")
		e.open()
		e.key("resource_name_suffix")
		e.str(vd.ResourceNameSuffix)
		e.int("volume_number", int64(vd.VolumeNumber))
		e.int("minor_number", int64(vd.MinorNumber))
		e.close()
	}
	e.optStr("device_path", v.DevicePath)
	e.optStr("backing_device", v.BackingDevice)
	e.optStr("meta_disk", v.MetaDisk)
	e.int("allocated_size_kib", v.AllocatedSizeKib)
	e.int("usable_size_kib", v.UsableSizeKib)
	e.optStr("disk_state", v.DiskState)
	e.optStr("ext_meta_stor_pool", v.ExtMetaStorPool)
	e.close()
}

func (e *encoder) storageVolume(v *api.StorageVolume) {
	e.open()
	e.int("volume_number", int64(v.VolumeNumber))
	e.optStr("device_path", v.DevicePath)
	e.int("allocated_size_kib", v.AllocatedSizeKib)
	e.int("usable_size_kib", v.UsableSizeKib)
	e.optStr("disk_state", v.DiskState)
	e.close()
}

func (e *encoder) volume(v *api.Volume) {
	e.open()
	e.int("volume_number", int64(v.VolumeNumber))
	e.optStr("storage_pool_name", v.StoragePoolName)
	e.optStr("provider_kind", string(v.ProviderKind))
	e.optStr("device_path", v.DevicePath)
	e.optPtr("allocated_size_kib", v.AllocatedSizeKib)
	e.optPtr("usable_size_kib", v.UsableSizeKib)
	e.optProps(v.Props)
	e.optStrs("flags", v.Flags)
	if st := v.State; st != nil {
		e.key("state")
		e.open()
		e.optStr("disk_state", st.DiskState)
		if len(st.ReplicationStates) > 0 {
			e.key("replication_states")
			e.open()
			for _, k := range sorted(st.ReplicationStates) {
				e.name(k)
				e.replication(st.ReplicationStates[k])
			}
			e.close()
		}
		e.close()
	}
	if len(v.LayerDataList) > 0 {
		e.key("layer_data_list")
		e.b = append(e.b, '[')
		for _, l := range v.LayerDataList {
			e.comma()
			e.layerData(l)
		}
		e.b = append(e.b, ']')
	}
	e.optStr("uuid", v.UUID)
	if len(v.Reports) > 0 {
		e.key("reports")
		e.any(v.Reports)
	}
	e.status(v.Holdfast)
	e.close()
}

func (e *encoder) layerData(l api.VolumeLayer) {
	e.open()
	e.key("type")
	e.str(string(l.Type))
	switch d := l.Data.(type) {
	case nil:
	case *api.DrbdVolume:
		e.key("data")
		e.drbdVolume(d)
	case *api.StorageVolume:
		e.key("data")
		e.storageVolume(d)
	default:
		e.key("data")
		e.any(d)
	}
	e.close()
}

func (e *encoder) replication(r api.ReplicationState) {
	e.open()
	e.optStr("replication_state", r.ReplicationState)
	if r.DonePercentage != nil {
		e.key("done_percentage")
		e.any(*r.DonePercentage)
	}
	if r.Holdfast != nil {
		e.key("holdfast")
		e.any(r.Holdfast)
	}
	e.close()
}
