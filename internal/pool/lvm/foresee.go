package lvm

import (
	"holdfast/internal/pool"
	"holdfast/internal/tool/lvm"
)

var (
	_ pool.Foreseer = Driver{}
	_ pool.Foreseer = Thin{}
)

// Made implements pool.Foreseer. lvcreate has made the volume active under its name, or has failed.
func (d Driver) Made(before pool.Picture, dev pool.Device) (pool.Picture, bool) {
	old := before.Device(dev.Name)
	if dev.Origin != "" {
		return before, false
	}
	if dev.SizeKiB == 0 {
		if old == nil {
			return before, true // there was nothing to remove
		}
		before.FreeKiB += old.AllocKiB
		return before.Without(dev.Name), true
	}
	if old != nil || before.UnitKiB == 0 {
		return before, false
	}
	dev.SizeKiB = lvm.RoundUp(dev.SizeKiB, before.UnitKiB<<10)
	dev.AllocKiB, dev.Path = dev.SizeKiB, "/dev/"+d.VG+"/"+dev.Name
	before.FreeKiB -= dev.AllocKiB
	return before.With(dev), before.FreeKiB >= 0
}

// Made implements pool.Foreseer. A new volume takes nothing of the pool; what one that goes gives back only a look tells, for
// it may share blocks. Of a snapshot, which isn't active, LVM doesn't say what it takes.
func (d Thin) Made(before pool.Picture, dev pool.Device) (pool.Picture, bool) {
	if before.Device(dev.Name) != nil || before.UnitKiB == 0 {
		return before, false
	}
	if of := before.Device(dev.Origin); of != nil {
		dev.SizeKiB = of.SizeKiB
		return before.With(dev), true
	}
	if dev.SizeKiB == 0 {
		return before, false
	}
	dev.SizeKiB = lvm.RoundUp(dev.SizeKiB, before.UnitKiB<<10)
	dev.Path = "/dev/" + d.VG + "/" + dev.Name
	return before.With(dev), true
}
