package steps

import (
	"fmt"
	"slices"

	"holdfast/internal/model"
)

// A file system that properties ask for is made once, on a volume that provably nobody has written to. With DRBD the proof is
// this: the volume became good by a first sync that this node started, or skipped, in this boot (Record.Fresh); it has been
// up since; all replicas are connected; and the kernel, which counts what was written to the disk since, by whichever
// node, has counted nothing. Without DRBD nobody is told of the device before. What can't be proven isn't done: the reason says
// so, and what to type.

// fileSystem is for volumes of a resource that is up. nil: there is nothing to do or to wait for.
func (p *planner) fileSystem(ready []model.VolumeSpec) (wait *Plan) {
	for _, v := range ready {
		f := v.FileSystem
		if f == nil || v.Pool == "" || p.seen.Volumes[v.Number].FileSystem {
			continue
		}
		w := p.makes(v)
		if len(w.Steps) > 0 {
			return &w
		}
		if wait == nil {
			wait = &w
		}
	}
	return wait
}

// unclaimed leaves out the volumes that wait for a file system still: what grows is synced, and the kernel counts that as
// written. One that gets none holds nothing up.
func (p *planner) unclaimed(ready []model.VolumeSpec) []model.VolumeSpec {
	return slices.DeleteFunc(slices.Clone(ready), func(v model.VolumeSpec) bool {
		return v.FileSystem != nil && v.Pool != "" && !p.seen.Volumes[v.Number].FileSystem && p.makes(v).Phase != model.Failed
	})
}

func (p *planner) makes(v model.VolumeSpec) Plan {
	sv, k, rec := p.seen.Volumes[v.Number], p.seen.Kernel, p.seen.Record
	n := v.Number
	switch d := k.Volumes[n].Disk; {
	case sv.FileSystemNo != "":
		return failed("%s", sv.FileSystemNo)
	case !v.FileSystem.Now && d == model.DiskUpToDate:
		return working("volume %d gets a file system: the controller is to note that it is good", n)
	case d != model.DiskUpToDate:
		return working("volume %d gets a file system: waits until it is UpToDate", n)
	case k.Suspended:
		return working("volume %d gets a file system: I/O is suspended", n)
	}
	for _, ps := range p.spec.DRBD.Peers {
		if kp := p.peer(ps); !ps.Diskless && (kp == nil || kp.State != model.Connected) {
			return blocked("volume %d gets a file system: waits until %s is connected", n, ps.Node)
		}
	}
	if why := busy(k, n); why != "" {
		return blocked("volume %d gets a file system: %s", n, why)
	}
	fresh := slices.Contains(rec.Fresh, n)
	if !fresh && !slices.Contains(rec.Making, n) {
		return failed("%s", NotProven(v, p.devicePath(v), "this node was restarted, or took it down, before the file system was made"))
	}
	guard, promote, mk, demote := p.volumeStep(GuardFileSystem, v), p.volumeStep(Promote, v), p.volumeStep(MakeFileSystem, v), p.volumeStep(Demote, v)
	for _, s := range []*Step{&guard, &mk} {
		s.FileSystem, s.Path, s.Peers, s.Fresh = v.FileSystem, p.devicePath(v), p.diskfulPeers(), fresh
	}
	demote.Settle = true
	if k.Role == primary { // by its user, and this volume isn't open
		guard.InUse, mk.InUse = true, true
		if p.spec.DRBD.Generation == model.DRBD8 { // each volume has a role of its own
			return do(guard, promote, mk)
		}
		return do(guard, mk)
	}
	on := rec.seeding(n)
	on.Making = with(rec.Making, n)
	return do(guard, p.record(on), promote, mk, demote, p.record(rec.seeded()))
}

// fileSystemAlone is for volumes without DRBD.
func (p *planner) fileSystemAlone(up []model.VolumeSpec) *Plan {
	for _, v := range up {
		sv := p.seen.Volumes[v.Number]
		if v.FileSystem == nil || v.Pool == "" || sv.FileSystem {
			continue
		}
		if !v.FileSystem.Now {
			w := working("volume %d gets a file system: the controller is to note it", v.Number)
			return &w
		}
		s := p.volumeStep(MakeFileSystem, v)
		s.FileSystem, s.Path, s.Fresh = v.FileSystem, p.path(v), true
		w := do(s)
		return &w
	}
	return nil
}

func (p *planner) devicePath(v model.VolumeSpec) string { return fmt.Sprintf("/dev/drbd%d", v.Minor) }

// busy says who uses the volume; "": nobody. A node that is Primary here, with this volume closed, doesn't.
func busy(k *Kernel, number int) string {
	for _, kp := range k.Peers {
		if kp.Role == primary {
			return "it is in use on a peer; it is made when that lets go of it, if it wasn't written to"
		}
	}
	if k.Volumes[number].Open {
		return "it is in use on this node; it is made when that lets go of it, if it wasn't written to"
	}
	return ""
}

// MayMake tells why no file system is made now; "" if the volume is UpToDate here, all n diskful peers are connected, and nobody
// uses it. Primary: this node is to be.
func MayMake(k *Kernel, number, n int, promoted bool) string {
	if k == nil {
		return "it isn't up"
	}
	if d := k.Volumes[number].Disk; d != model.DiskUpToDate {
		return "the disk here is " + d
	}
	if promoted && k.Role != primary {
		return "it isn't Primary here any more"
	}
	good := 0
	for _, kp := range k.Peers {
		if kp.State == model.Connected {
			good++
		}
	}
	if good < n {
		return "waits until every other replica is connected"
	}
	return busy(k, number)
}

// NotProven is the reason for which a file system is never made.
func NotProven(v model.VolumeSpec, device, why string) string {
	return fmt.Sprintf("volume %d gets no file system: %s, so somebody may have written to it. Make it by hand (`mkfs.%s %s`, where it is Primary), then take the property FileSystem/Type away", v.Number, why, v.FileSystem.Type, device)
}

func with(list []int, n int) []int {
	if slices.Contains(list, n) {
		return list
	}
	list = append(slices.Clone(list), n)
	slices.Sort(list)
	return list
}

// freshUp are the fresh volumes that have been up since.
func (p *planner) freshUp() []int {
	var out []int
	for _, n := range p.seen.Record.Fresh {
		if k := p.seen.Kernel; k != nil && attached(k.Volumes[n].Disk) {
			out = append(out, n)
		}
	}
	return out
}
