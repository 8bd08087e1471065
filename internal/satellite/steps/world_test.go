package steps

import (
	"fmt"
	"maps"
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/pool"
	"holdfast/internal/stack/drbd"
)

// world is a naive node: what steps change, without any program. A peer, if there is one, answers as soon as it is up.
type world struct {
	spec    model.ResourceSpec
	node    Node
	devices map[string]*pool.Device // by pool/name
	meta    map[model.UUID]bool     // labels that carry metadata
	made    map[model.UUID]bool
	mdMade  map[model.UUID]bool
	init    map[model.UUID]bool
	config  []byte
	kernel  *Kernel
	record  Record
	boot    bool // record is of this boot
	passed  bool
	guarded bool
	forgot  []int
	disk    map[model.UUID]string // by label: what the metadata says
	peer    string                // its disk; "" for no peer connected
	heals   int
	writes  []model.UUID // create-md done on these
}

func newWorld(spec model.ResourceSpec) *world {
	return &world{spec: spec, node: Node{Name: "alpha", Known: true, DRBD: model.DRBD8, Session: true},
		devices: map[string]*pool.Device{}, meta: map[model.UUID]bool{}, made: map[model.UUID]bool{}, mdMade: map[model.UUID]bool{},
		init: map[model.UUID]bool{}, disk: map[model.UUID]string{}}
}

func (w *world) seen() Seen {
	s := Seen{Volumes: map[int]Volume{}, KernelKnown: true, Kernel: w.kernel, Heals: w.heals, Passed: w.passed, Forgotten: w.forgot}
	if w.config != nil {
		s.ConfigThere, s.Config, s.ConfigID = true, w.config, drbd.Owner(w.config)
	}
	if w.record.There {
		s.Record = Record{There: true}
		if w.boot {
			s.Record, s.Owner = w.record, w.spec.ID
		}
	}
	for _, v := range w.spec.Volumes {
		sv := Volume{PoolSeen: true, Made: w.made[v.ID], MDMade: w.mdMade[v.ID], Initialised: w.init[v.ID]}
		if d := w.devices[v.Pool+"/"+v.Backing]; d != nil {
			c := *d
			sv.Device = &c
		}
		s.Volumes[v.Number] = sv
	}
	return s
}

func (w *world) plan() Plan { return Next(w.spec, w.seen(), w.node) }

// restart loses what the process knew; reboot loses the kernel too.
func (w *world) restart(reboot bool) {
	clear(w.made)
	clear(w.mdMade)
	w.passed, w.guarded = false, false
	if !reboot {
		return
	}
	w.kernel, w.boot, w.heals = nil, false, 0
	for _, d := range w.devices {
		d.Path = ""
	}
}

func (w *world) peers() []KernelPeer {
	if len(w.spec.DRBD.Peers) == 0 {
		return nil
	}
	p := KernelPeer{Name: "bravo", NodeID: 1, State: "Connecting", Role: "Unknown", Volumes: map[int]KernelPeerVolume{}}
	if w.peer != "" {
		p.State, p.Role = model.Connected, secondary
	}
	for n := range w.kernel.Volumes {
		p.Volumes[n] = KernelPeerVolume{Disk: w.peer}
	}
	return []KernelPeer{p}
}

func (w *world) do(s Step) error {
	at := s.Pool + "/" + s.Device
	guarded := w.guarded
	w.guarded = false
	switch s.Kind {
	case CreateDevice:
		if w.devices[at] != nil {
			return fmt.Errorf("%s exists", at)
		}
		w.devices[at] = &pool.Device{Name: s.Device, Label: s.Label, Path: "/dev/" + at, SizeKiB: s.SizeKiB}
		w.made[s.Label] = true
	case ActivateDevice:
		w.devices[at].Path = "/dev/" + at
	case VerifyDevice:
		if w.devices[at].Label != s.Label {
			return fmt.Errorf("%s has another label", at)
		}
	case RemoveDevice:
		if w.devices[at].Label != s.Label {
			panic("removes what isn't ours")
		}
		if w.kernel != nil && w.kernel.Volumes[s.Number].Disk != model.DiskDiskless {
			return fmt.Errorf("%s is in use", at)
		}
		delete(w.devices, at)
	case CreateMetadata:
		if w.init[s.Label] {
			panic("metadata of an initialised volume made anew")
		}
		w.meta[s.Label], w.mdMade[s.Label], w.disk[s.Label] = true, true, model.DiskInconsistent
		w.writes = append(w.writes, s.Label)
	case WriteRecord:
		w.record, w.boot = s.Record, true
	case RemoveRecord:
		w.record = Record{}
	case WriteConfig:
		if drbd.Owner(s.Config) != w.spec.ID {
			panic("config of nobody")
		}
		w.config = s.Config
	case RemoveConfig:
		w.config = nil
	case Adjust:
		if s.New {
			if drbd.Owner(s.Config) != w.spec.ID {
				panic("config of nobody")
			}
			w.config = s.Config
		}
		if string(w.config) != string(s.Config) {
			panic("adjusts to another config than is on disk")
		}
		if !w.record.There || !w.boot {
			panic("touches the kernel without a record")
		}
		if w.kernel == nil {
			w.kernel = &Kernel{Role: secondary, Volumes: map[int]KernelVolume{}}
		}
		clear(w.kernel.Volumes)
		for _, v := range w.spec.Volumes {
			if drbd.WithoutDisk(w.config, w.spec.ID, w.node.Name) {
				w.kernel.Volumes[v.Number] = KernelVolume{Minor: v.Minor, Disk: model.DiskDiskless}
				continue
			}
			d := w.devices[v.Pool+"/"+v.Backing]
			if d == nil || v.Want == model.Gone && w.spec.Want == model.Up || !w.init[v.ID] && !v.Initialised {
				continue
			}
			if !w.meta[v.ID] {
				return fmt.Errorf("no metadata")
			}
			w.kernel.Volumes[v.Number] = KernelVolume{Minor: v.Minor, Disk: w.disk[v.ID]}
		}
		w.kernel.Peers = w.peers()
	case GuardSeed:
		if why := SyncAlone(w.kernel, s.Number, s.DRBD); why != "" {
			return fmt.Errorf("%s", why)
		}
	case SeedSync:
		if s.DRBD == model.DRBD8 {
			w.kernel.Role = primary
		}
		w.good(Step{Number: s.Number})
	case Demote:
		w.kernel.Role = secondary
	case GuardSkip:
		if why, _ := SkipAll(w.kernel, s.Number, s.Peers); why != "" {
			return fmt.Errorf("%s", why)
		}
	case SeedSkip:
		w.good(s)
	case ForgetPeer:
		w.forgot = append(w.forgot, s.NodeID)
	case GuardGone:
		if w.kernel.Role == primary {
			return fmt.Errorf("in use")
		}
		if why := OtherGood(w.kernel, s.Volumes); why != "" {
			return fmt.Errorf("%s", why)
		}
		w.guarded = true
	case GuardIdle:
		if w.kernel.Role == primary {
			return fmt.Errorf("in use")
		}
	case GuardDrop:
		if why := OtherGood(w.kernel, s.Volumes); why != "" {
			return fmt.Errorf("%s", why)
		}
	case TakeDown:
		w.kernel = nil
	case Down:
		w.kernel, w.passed = nil, guarded
	default:
		panic(s.Kind)
	}
	return nil
}

func (w *world) good(s Step) {
	for _, v := range w.spec.Volumes {
		if v.Number == s.Number {
			w.disk[v.ID] = model.DiskUpToDate
			kv := w.kernel.Volumes[v.Number]
			kv.Disk = model.DiskUpToDate
			w.kernel.Volumes[v.Number] = kv
		}
	}
}

// round plans, runs the steps until one fails or n are done (n < 0: all), and tells how many there were.
func (w *world) round(n int) (Plan, int, error) {
	p := w.plan()
	passed := w.passed
	for i, s := range p.Steps {
		if i == n {
			return p, i, nil
		}
		if err := w.do(s); err != nil {
			return p, i, err
		}
	}
	if passed && w.passed {
		w.passed = false // one job long
	}
	if p.Healing {
		w.heals++
	}
	return p, len(p.Steps), nil
}

// controller does its part: it notes metadata that was made.
func (w *world) controller() {
	for i, v := range w.spec.Volumes {
		if w.mdMade[v.ID] && !v.Initialised {
			w.spec.Volumes = slices.Clone(w.spec.Volumes)
			w.spec.Volumes[i].Initialised = true
			w.init[v.ID] = true
		}
	}
}

// settle goes on until nothing is left to do.
func (w *world) settle() (Plan, error) {
	var err error
	for range 20 {
		var p Plan
		var n int
		p, n, err = w.round(-1)
		if n == 0 && err == nil {
			before := slices.Clone(w.spec.Volumes)
			w.controller()
			if slices.EqualFunc(before, w.spec.Volumes, func(a, b model.VolumeSpec) bool { return a.Initialised == b.Initialised }) {
				return p, nil
			}
		}
	}
	return Plan{}, fmt.Errorf("no rest: %v; last %v", err, w.plan().Steps)
}

func (w *world) clone() *world {
	c := *w
	c.devices = map[string]*pool.Device{}
	for k, d := range w.devices {
		e := *d
		c.devices[k] = &e
	}
	c.meta, c.made, c.mdMade, c.init, c.disk = maps.Clone(w.meta), maps.Clone(w.made), maps.Clone(w.mdMade), maps.Clone(w.init), maps.Clone(w.disk)
	if w.kernel != nil {
		k := *w.kernel
		k.Volumes = maps.Clone(w.kernel.Volumes)
		c.kernel = &k
	}
	return &c
}
