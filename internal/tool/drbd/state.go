package drbd

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// State is what the kernel runs, folded from events. Not safe for concurrent
// use; Clone gives one away.
type State struct {
	Complete  bool // the first picture has been seen to its end
	Resources map[string]*ResourceState
}

// ResourceState is a resource in the kernel. States are DRBD's own words:
// the kernel may have new ones, so they stay strings.
type ResourceState struct {
	Name        string
	Role        string // Primary, Secondary, Unknown
	Suspended   string // no, user, no-data, fencing, quorum ... (comma separated)
	MayPromote  string // 9: yes, no; 8.4: empty
	Score       int    // 9: how well it would do as Primary, the more the better; 0: none, or 8.4
	Devices     map[int]*DeviceState
	Connections map[int]*ConnectionState // by the peer's node-id; 8.4: 0
}

// DeviceState is a volume on this node.
type DeviceState struct {
	Volume  int
	Minor   int
	Disk    string // Diskless, Attaching, Detaching, Failed, Negotiating, Inconsistent, Outdated, DUnknown, Consistent, UpToDate
	Client  string // 9: yes = diskless by intent
	Quorum  string // 9: yes, no
	Open    string // 9 with newer drbd-utils: yes, no
	SizeKiB int64  // usable size; 0 where not known yet
	Written int64  // KiB that were written to the disk since the volume is up, those for peers too, as of the last picture
	Pending int    // requests of its users that aren't answered yet, as of the last picture
}

// ConnectionState is a peer.
type ConnectionState struct {
	NodeID      int
	Name        string // the peer's name in the file; 8.4: "peer" or empty
	Connection  string // StandAlone, Disconnecting, Unconnected, Timeout, BrokenPipe, NetworkFailure, ProtocolError, TearDown, Connecting, Connected
	Role        string // the peer's
	PeerDevices map[int]*PeerDeviceState
}

// PeerDeviceState is a volume on a peer, as seen from here.
type PeerDeviceState struct {
	Volume         int
	Replication    string  // Off, Established, SyncSource, SyncTarget, PausedSyncS ...
	PeerDisk       string  // as DeviceState.Disk
	OutOfSyncKiB   int64   // between this node and that peer
	ResyncSuspend  string  // no, or the reasons
	DonePercent    float64 // 9, while a sync runs
	HasDonePercent bool
}

// NewState is empty.
func NewState() *State { return &State{Resources: map[string]*ResourceState{}} }

// Names gives the resources' names, sorted.
func (s *State) Names() []string { return slices.Sorted(maps.Keys(s.Resources)) }

// Clone copies all of it.
func (s *State) Clone() *State {
	c := &State{Complete: s.Complete, Resources: make(map[string]*ResourceState, len(s.Resources))}
	for k, r := range s.Resources {
		c.Resources[k] = r.Clone()
	}
	return c
}

// Clone copies all of it.
func (r *ResourceState) Clone() *ResourceState {
	n := *r
	n.Devices = make(map[int]*DeviceState, len(r.Devices))
	for k, d := range r.Devices {
		e := *d
		n.Devices[k] = &e
	}
	n.Connections = make(map[int]*ConnectionState, len(r.Connections))
	for k, c := range r.Connections {
		e := *c
		e.PeerDevices = make(map[int]*PeerDeviceState, len(c.PeerDevices))
		for v, p := range c.PeerDevices {
			q := *p
			e.PeerDevices[v] = &q
		}
		n.Connections[k] = &e
	}
	return &n
}

// Peers gives the connections in the order of their node-ids.
func (r *ResourceState) Peers() []*ConnectionState {
	out := make([]*ConnectionState, 0, len(r.Connections))
	for _, k := range slices.Sorted(maps.Keys(r.Connections)) {
		out = append(out, r.Connections[k])
	}
	return out
}

// Syncing says whether any volume is on its way to or from a peer.
func (r *ResourceState) Syncing() bool {
	for _, c := range r.Connections {
		for _, p := range c.PeerDevices {
			switch p.Replication {
			case "", "Off", "Established":
			default:
				return true
			}
		}
	}
	return false
}

// UpToDatePeer says whether some connected peer has an UpToDate disk for the
// volume: the question of the last-good-copy guard.
func (r *ResourceState) UpToDatePeer(volume int) bool {
	for _, c := range r.Connections {
		if p := c.PeerDevices[volume]; c.Connection == "Connected" && p != nil && p.PeerDisk == "UpToDate" {
			return true
		}
	}
	return false
}

// Apply folds one event in and gives the name of the resource that it touched,
// or "". An event that doesn't fit what came before (a change of what was never
// created) is an error: the picture is wrong, and events2 has to be started
// again.
func (s *State) Apply(e Event) (string, error) {
	if e.Full() {
		s.Complete = true
		return "", nil
	}
	switch e.Verb {
	case "exists", "create", "change", "destroy", "rename":
	default: // call, response: helpers
		return "", nil
	}
	switch e.Object {
	case "resource", "device", "connection", "peer-device":
	default: // path, helper
		return "", nil
	}
	name := e.Fields["name"]
	fail := func(why string) (string, error) {
		return name, fmt.Errorf("fold DRBD event %s %s of resource %q: %s", e.Verb, e.Object, name, why)
	}
	if name == "" {
		return fail("no name")
	}
	r := s.Resources[name]
	isNew := e.Verb == "exists" || e.Verb == "create"
	if e.Object == "resource" {
		switch {
		case e.Verb == "destroy":
			delete(s.Resources, name)
			return name, nil
		case e.Verb == "rename":
			to := e.Fields["new_name"]
			if r == nil || to == "" {
				return fail("unknown")
			}
			delete(s.Resources, name)
			r.Name = to
			s.Resources[to] = r
			return name, nil
		case isNew:
			r = &ResourceState{Name: name, Devices: map[int]*DeviceState{}, Connections: map[int]*ConnectionState{}}
			s.Resources[name] = r
		case r == nil:
			return fail("unknown")
		}
		set(e, "role", &r.Role)
		set(e, "suspended", &r.Suspended)
		set(e, "may_promote", &r.MayPromote)
		setInt(e, "promotion_score", &r.Score)
		return name, nil
	}
	if r == nil {
		if e.Verb == "destroy" {
			return name, nil
		}
		return fail("unknown resource")
	}
	vol, id := -1, -1
	if e.Object != "connection" {
		n, err := strconv.Atoi(e.Fields["volume"])
		if err != nil {
			return fail("no volume")
		}
		vol = n
	}
	if e.Object != "device" {
		n, err := strconv.Atoi(e.Fields["peer-node-id"])
		if err != nil {
			return fail("no peer-node-id")
		}
		id = n
	}
	switch e.Object {
	case "device":
		if e.Verb == "destroy" {
			delete(r.Devices, vol)
			return name, nil
		}
		d := r.Devices[vol]
		if d == nil {
			if !isNew {
				return fail("unknown volume")
			}
			d = &DeviceState{Volume: vol}
			r.Devices[vol] = d
		}
		setInt(e, "minor", &d.Minor)
		set(e, "disk", &d.Disk)
		set(e, "client", &d.Client)
		set(e, "quorum", &d.Quorum)
		set(e, "open", &d.Open)
		setInt64(e, "size", &d.SizeKiB)
		setInt64(e, "written", &d.Written)
		setInt(e, "upper-pending", &d.Pending)
	case "connection":
		if e.Verb == "destroy" {
			delete(r.Connections, id)
			return name, nil
		}
		c := r.Connections[id]
		if c == nil {
			if !isNew {
				return fail("unknown connection")
			}
			c = &ConnectionState{NodeID: id, PeerDevices: map[int]*PeerDeviceState{}}
			r.Connections[id] = c
		}
		set(e, "conn-name", &c.Name)
		set(e, "connection", &c.Connection)
		set(e, "role", &c.Role)
	case "peer-device":
		c := r.Connections[id]
		if e.Verb == "destroy" {
			if c != nil {
				delete(c.PeerDevices, vol)
			}
			return name, nil
		}
		if c == nil {
			return fail("unknown connection")
		}
		p := c.PeerDevices[vol]
		if p == nil {
			if !isNew {
				return fail("unknown peer device")
			}
			p = &PeerDeviceState{Volume: vol}
			c.PeerDevices[vol] = p
		}
		set(e, "replication", &p.Replication)
		set(e, "peer-disk", &p.PeerDisk)
		set(e, "resync-suspended", &p.ResyncSuspend)
		setInt64(e, "out-of-sync", &p.OutOfSyncKiB)
		p.DonePercent, p.HasDonePercent = 0, false
		if s, ok := e.Fields["done"]; ok {
			if f, err := strconv.ParseFloat(s, 64); err == nil {
				p.DonePercent, p.HasDonePercent = f, true
			}
		}
	}
	return name, nil
}

func set(e Event, key string, to *string) {
	if v, ok := e.Fields[key]; ok {
		*to = v
	}
}

func setInt(e Event, key string, to *int) {
	if n, err := strconv.Atoi(e.Fields[key]); err == nil {
		*to = n
	}
}

func setInt64(e Event, key string, to *int64) {
	if n, err := strconv.ParseInt(e.Fields[key], 10, 64); err == nil {
		*to = n
	}
}

// ParseSnapshot reads the whole output of `drbdsetup events2 --now`. Output
// that was cut short is an error.
func ParseSnapshot(out []byte) (*State, error) {
	s := NewState()
	for line := range bytes.Lines(out) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		e, err := ParseEvent(string(line))
		if err != nil {
			return nil, err
		}
		if _, err := s.Apply(e); err != nil {
			return nil, err
		}
	}
	if !s.Complete {
		return nil, fmt.Errorf("parse DRBD events: cut short")
	}
	return s, nil
}
