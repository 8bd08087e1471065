package satellite

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/tool/lsblk"
	"holdfast/internal/tool/lvm"
	"holdfast/internal/tool/run"
	"holdfast/internal/tool/zpool"
)

// minDevice is the smallest disk that is offered, LINSTOR's.
const minDevice = 1 << 30 // bytes

// madeLabel marks a volume group (tag) or zpool (user property holdfast:made) with the order that made it.
const madeLabel = "holdfast.made."

// devicePool is an order to make a pool of empty devices.
//
//	told -> running -> done      it is there, and bears the order's id
//	                -> failed    for good: nothing is tried again, and the controller takes the order back
type devicePool struct {
	spec   model.DevicePoolSpec
	said   uint64 // the session that said or confirmed it; before, nothing is made
	busy   bool
	done   bool
	failed string // why
}

func (a *Agent) takeDevicePools(specs []model.DevicePoolSpec) {
	next := map[model.UUID]*devicePool{}
	for _, s := range specs {
		p := a.devicePools[s.ID]
		if p == nil {
			p = &devicePool{spec: s}
		}
		next[s.ID] = p
	}
	a.devicePools = next
}

// devicePoolsSaid notes that the open session has said what device pools are to be.
func (a *Agent) devicePoolsSaid() {
	for _, p := range a.devicePools {
		p.said = a.session.id
	}
}

func (a *Agent) devicePoolIDs() []model.UUID {
	var ids []model.UUID
	for id := range a.devicePools {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// dueDevicePool is an order to carry out now, or nil. One at a time, and only in a session that stands by it: an order that
// was kept on disk may have been taken back since.
func (a *Agent) dueDevicePool() *devicePool {
	for _, p := range a.devicePools {
		if p.busy {
			return nil
		}
	}
	for _, id := range a.devicePoolIDs() {
		p := a.devicePools[id]
		if a.session != nil && p.said == a.session.id && !p.done && p.failed == "" {
			return p
		}
	}
	return nil
}

func (a *Agent) finishDevicePool(j Job, res Result) {
	a.nodeDirty = true // there are fewer empty devices now
	p := a.devicePools[j.devicePool.ID]
	if p == nil {
		return
	}
	p.busy = false
	switch {
	case errors.Is(res.Err, run.ErrCrashed):
	case res.Err != nil:
		p.failed = reason(res.Err)
	default:
		p.done = true
	}
}

func (a *Agent) devicePoolStatus() []model.DevicePoolStatus {
	var out []model.DevicePoolStatus
	for _, id := range a.devicePoolIDs() {
		if p := a.devicePools[id]; p.done || p.failed != "" {
			out = append(out, model.DevicePoolStatus{ID: id, Done: p.done, Reason: p.failed})
		}
	}
	return out
}

// makeDevicePool makes what isn't there yet. Devices are looked at just before: on one that isn't provably empty nothing is
// made.
func (w worker) makeDevicePool(ctx context.Context, s model.DevicePoolSpec) error {
	switch s.Kind {
	case model.LVM, model.LVMThin:
		return w.makeGroup(ctx, s)
	case model.ZFS, model.ZFSThin:
		return w.makeZpool(ctx, s)
	}
	return fmt.Errorf("this satellite makes no pools of kind %s", s.Kind)
}

func (w worker) makeGroup(ctx context.Context, s model.DevicePoolSpec) error {
	t := lvm.Tool{Run: w.host, Allow: w.cfg.LVMAllow}
	label := madeLabel + string(s.ID)
	tags, err := t.VGTags(ctx, s.Group)
	switch {
	case errors.Is(err, lvm.ErrVGNotFound):
		if err := w.empty(ctx, s.Devices); err != nil {
			return err
		}
		if err := t.CreateVG(ctx, s.Group, label, s.Devices...); err != nil {
			return err
		}
	case err != nil:
		return err
	case !slices.Contains(tags, label):
		return fmt.Errorf("a volume group %s is there already", s.Group)
	}
	if s.Kind != model.LVMThin {
		return nil
	}
	g, err := t.VG(ctx, s.Group)
	if err != nil {
		return err
	}
	if _, there := g.LV(s.Thin); there {
		return nil
	}
	if err := t.CreateThinPool(ctx, s.Group, s.Thin); err != nil {
		return fmt.Errorf("the volume group %s was made and is there: %w", s.Group, err)
	}
	return nil
}

func (w worker) makeZpool(ctx context.Context, s model.DevicePoolSpec) error {
	const key = "holdfast:made"
	t := zpool.Tool{Run: w.host}
	switch id, err := t.Property(ctx, s.Group, key); {
	case errors.Is(err, zpool.ErrNotFound):
	case err != nil:
		return err
	case id == string(s.ID):
		return nil
	default:
		return fmt.Errorf("a ZFS pool %s is there already", s.Group)
	}
	if err := w.empty(ctx, s.Devices); err != nil {
		return err
	}
	return t.Create(ctx, s.Group, key, string(s.ID), s.Devices...)
}

// empty gives the reason why a device can't be taken: it is no whole disk, is in use, or something is written on it.
func (w worker) empty(ctx context.Context, devices []string) error {
	if len(devices) == 0 {
		return errors.New("no device was named")
	}
	seen := map[string]string{}
	for _, name := range devices {
		d, err := lsblk.Tool{Run: w.host}.Device(ctx, name)
		if err != nil {
			return err
		}
		if other, twice := seen[d.Path]; twice {
			return fmt.Errorf("%s and %s are the same device", other, name)
		}
		seen[d.Path] = name
		if why, err := w.occupied(ctx, d); err != nil {
			return fmt.Errorf("it can't be told whether %s is empty: %w", name, err)
		} else if why != "" {
			return fmt.Errorf("%s isn't empty: %s", name, why)
		}
	}
	return nil
}

// occupied says what speaks against taking the device; "" if it is provably empty.
func (w worker) occupied(ctx context.Context, d lsblk.Device) (string, error) {
	base := path.Base(d.Path)
	switch {
	case d.Kind != "disk":
		return "it is no whole disk but of the kind " + d.Kind, nil
	case strings.HasPrefix(base, "drbd"), strings.HasPrefix(base, "zram"), strings.HasPrefix(base, "loop"), strings.HasPrefix(base, "nbd"), strings.HasPrefix(base, "ram"),
		strings.HasPrefix(base, "zd"): // a volume of ZFS
		return "it is no disk", nil
	case d.ReadOnly:
		return "it is read-only", nil
	case d.SizeBytes < minDevice:
		return "it has less than 1 GiB", nil
	case d.Mounted != "":
		return "it is mounted on " + d.Mounted, nil
	case len(d.Children) > 0:
		return fmt.Sprintf("%s stands on it", d.Children[0].Path), nil
	}
	holders, err := w.host.ReadDir("/sys/class/block/" + base + "/holders")
	if err != nil {
		return "", err
	}
	if len(holders) > 0 {
		return holders[0] + " uses it", nil
	}
	signs, err := lsblk.Tool{Run: w.host}.Signatures(ctx, d.Path)
	if err != nil {
		return "", err
	}
	if len(signs) > 0 {
		return "there is a signature on it: " + strings.Join(signs, ", ") + " (`wipefs --all " + d.Path + "` removes it, and access to what is there)", nil
	}
	return "", nil
}

// emptyDevices lists the disks that could be taken. What can't be looked at isn't listed; the error is of the list itself.
func (w worker) emptyDevices(ctx context.Context) ([]model.BlockDevice, error) {
	all, err := lsblk.Tool{Run: w.host}.List(ctx)
	if err != nil {
		return nil, err
	}
	var out []model.BlockDevice
	for _, d := range all {
		if why, err := w.occupied(ctx, d); err != nil || why != "" {
			continue
		}
		out = append(out, model.BlockDevice{Path: d.Path, SizeBytes: d.SizeBytes, Model: d.Model, Serial: d.Serial, WWN: d.WWN, Rotational: d.Rotational})
	}
	slices.SortFunc(out, func(x, y model.BlockDevice) int { return strings.Compare(x.Path, y.Path) })
	return out, nil
}

// lookForDevices fills in what could be made into pools, of the kinds that the node can drive.
func (f *nodeFacts) lookForDevices(ctx context.Context, w worker) {
	devices, err := w.emptyDevices(ctx)
	if err != nil || missing(ctx, w.host, []string{"wipefs", "--version"}) != "" {
		return
	}
	f.devices = devices
	for _, k := range []model.ProviderKind{model.LVM, model.LVMThin, model.ZFS, model.ZFSThin} {
		if slices.Contains(f.providers, k) {
			f.makes = append(f.makes, k)
		}
	}
}
