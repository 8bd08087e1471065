package satellite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/pool"
	"holdfast/internal/satellite/steps"
	stack "holdfast/internal/stack/drbd"
	"holdfast/internal/tool/drbd"
	"holdfast/internal/tool/run"
)

// execution of one job's steps.
type execution struct {
	worker
	job     Job
	result  *Result
	touched map[string]bool // pools that have to be looked at
	// foreseen are pictures of pools after what was done, see pool.Foreseer
	foreseen map[string]pool.Picture
	// looked: those follow from a look that a step took.
	looked map[string]bool
	kernel bool // DRBD was touched
	// looksCrypt: encrypted devices were touched
	looksCrypt bool
}

func (x *execution) do(ctx context.Context, s steps.Step) error {
	if s.Pooled() {
		return x.storage(ctx, s)
	}
	switch s.Kind {
	case steps.Throttle:
		x.throttle(ctx, s)
		return nil
	case steps.CopyData:
		return x.copyData(ctx, s)
	case steps.GuardFileSystem:
		return x.guardFileSystem(ctx, s)
	case steps.MakeFileSystem:
		return x.makeFileSystem(ctx, s)
	case steps.CreateMetadata:
		err := x.drbd.CreateMetadata(ctx, drbd.Meta{Minor: s.Minor, Format: drbd.Generation(s.DRBD).Format(), Device: s.Path}, s.Slots, true)
		if err == nil {
			x.result.mdMade = append(x.result.mdMade, s.Label)
		}
		return err
	case steps.FormatCrypt, steps.OpenCrypt, steps.CloseCrypt:
		return x.crypt(ctx, s)
	case steps.WriteRecord:
		rec := newRecord(x.boot, s)
		if err := rec.save(x.host, x.cfg); err != nil {
			return err
		}
		x.result.record = &rec
		return nil
	case steps.RemoveRecord:
		if err := x.host.Remove(x.cfg.recordFile(s.ID)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove record of %s: %w", s.Resource, err)
		}
		x.result.record, x.result.noRec = nil, true
		return nil
	case steps.WriteConfig:
		return x.writeConfig(ctx, s)
	case steps.RemoveConfig:
		return x.removeConfig(s)
	}
	return x.kernelStep(ctx, s)
}

func (x *execution) storage(ctx context.Context, s steps.Step) error {
	d, err := driver(x.host, x.cfg, x.job.pools[s.Pool], x.job.disks[s.Pool])
	if err != nil {
		return err
	}
	known := x.touched[s.Pool]
	x.touched[s.Pool] = true
	switch s.Kind {
	case steps.CreateDevice:
		if err := d.Create(ctx, s.Device, s.SizeKiB, s.Label); err != nil {
			return err
		}
		x.result.made = append(x.result.made, s.Label)
		x.touched[s.Pool] = known || !x.foresee(d, s.Pool, pool.Device{Name: s.Device, Label: s.Label, SizeKiB: s.SizeKiB})
	case steps.GrowDevice:
		return x.growDevice(ctx, d, s)
	case steps.ActivateDevice:
		return d.Activate(ctx, s.Device, s.Label)
	case steps.RemoveDevice:
		if err := d.Remove(ctx, s.Device, s.Label); err != nil {
			return err
		}
		x.result.removed = append(x.result.removed, s.Label)
		x.touched[s.Pool] = known || !x.foresee(d, s.Pool, pool.Device{Name: s.Device, Label: s.Label})
	case steps.RestoreDevice, steps.TakeSnapshot, steps.RollbackDevice, steps.FinishCopy:
		if err := x.snapshot(ctx, d, s); err != nil || s.Kind != steps.TakeSnapshot {
			return err
		}
		x.touched[s.Pool] = known || !x.foresee(d, s.Pool, pool.Device{Name: s.Path, Label: s.Label, Origin: s.Device})
	case steps.ClearEnd:
		return x.clearEnd(ctx, d, s)
	case steps.RemoveSnapshot:
		if err := d.Remove(ctx, s.Device, s.Label); err != nil {
			return err
		}
	case steps.VerifyDevice:
		p, err := d.Scan(ctx)
		if err != nil {
			return err
		}
		switch dev := p.Device(s.Device); {
		case dev == nil:
			return fmt.Errorf("look at %s/%s: %w", s.Pool, s.Device, pool.ErrNotFound)
		case dev.Label != s.Label:
			return fmt.Errorf("look at %s/%s: %w", s.Pool, s.Device, pool.ErrLabel)
		case dev.Path != s.Path || dev.Path == "":
			return fmt.Errorf("look at %s/%s: its path is %q now, not %q", s.Pool, s.Device, dev.Path, s.Path)
		}
	}
	return nil
}

// foresee notes what the pool's picture is with that device, without a look; false: only a look tells.
func (x *execution) foresee(d pool.Driver, name string, dev pool.Device) bool {
	f, ok := d.(pool.Foreseer)
	before, is := x.foreseen[name]
	if !is {
		before, is = x.job.before[name]
	}
	if !ok || !is {
		return false
	}
	after, ok := f.Made(before, dev)
	if ok {
		x.foreseen[name] = after
	}
	return ok
}

// writeConfig puts the new file beside the old one, lets drbdadm parse it, and only then replaces the old one. A file
// that isn't this incarnation's is left alone.
func (x *execution) writeConfig(ctx context.Context, s steps.Step) error {
	draft, err := x.draft(s)
	if err != nil {
		return err
	}
	if err := x.parses(ctx, s, draft); err != nil {
		return err
	}
	return x.replaceConfig(s, draft)
}

// draft puts the new file beside the old one.
func (x *execution) draft(s steps.Step) (file string, err error) {
	old, err := loadConfig(x.host, x.cfg, s.Resource)
	if err != nil {
		return "", err
	}
	if old != nil && old.Owner != s.ID {
		return "", fmt.Errorf("write config of %s: %s isn't this incarnation's", s.Resource, x.cfg.configFile(s.Resource))
	}
	if err := x.host.MkdirAll(x.cfg.ConfigDir, 0o755); err != nil {
		return "", fmt.Errorf("write config of %s: %w", s.Resource, err)
	}
	file = x.cfg.draftFile(s.Resource)
	if err := x.host.WriteFile(file, s.Config, 0o600); err != nil {
		return "", fmt.Errorf("write config of %s: %w", s.Resource, err)
	}
	return file, nil
}

// parses lets drbdadm read the draft; one that it doesn't understand is removed.
func (x *execution) parses(ctx context.Context, s steps.Step, draft string) error {
	err := x.drbd.CheckFile(ctx, drbd.Target{File: draft, Resource: s.Resource})
	if err == nil {
		return nil
	}
	x.host.Remove(draft) // if that fails too, the next start does it
	return notParsed(s, err)
}

func notParsed(s steps.Step, err error) error {
	if errors.Is(err, drbd.ErrParse) {
		return fmt.Errorf("the new config doesn't parse, the old one stays: %w", err)
	}
	return fmt.Errorf("write config of %s, the old one stays: %w", s.Resource, err)
}

func (x *execution) replaceConfig(s steps.Step, draft string) error {
	if err := x.host.Rename(draft, x.cfg.configFile(s.Resource)); err != nil {
		return fmt.Errorf("write config of %s: %w", s.Resource, err)
	}
	x.result.config, x.result.noConf = &configFile{Text: s.Config, Owner: stack.Owner(s.Config)}, false
	return nil
}

// adjustNew adjusts to a draft, and lets it replace the old file unless it doesn't parse: drbdadm reads all of it before it
// touches the kernel.
func (x *execution) adjustNew(ctx context.Context, s steps.Step) error {
	draft, err := x.draft(s)
	if err != nil {
		return err
	}
	err = x.drbd.Adjust(ctx, drbd.Target{File: draft, Resource: s.Resource})
	switch {
	case errors.Is(err, run.ErrCrashed):
		return err
	case errors.Is(err, drbd.ErrParse):
		x.host.Remove(draft)
		return notParsed(s, err)
	case err != nil && !errors.Is(err, drbd.ErrNoMetadata) && !errors.Is(err, drbd.ErrNoDevice):
		// Whether it was read is to be asked.
		if e := x.parses(ctx, s, draft); e != nil {
			return errors.Join(err, e)
		}
	}
	return errors.Join(err, x.replaceConfig(s, draft))
}

func (x *execution) removeConfig(s steps.Step) error {
	old, err := loadConfig(x.host, x.cfg, s.Resource)
	if err != nil {
		return err
	}
	if old != nil && old.Owner != s.ID {
		return nil // another's by now
	}
	if err := x.host.Remove(x.cfg.configFile(s.Resource)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove config of %s: %w", s.Resource, err)
	}
	x.result.config, x.result.noConf = nil, true
	return nil
}

// kernelStep asks or changes DRBD.
func (x *execution) kernelStep(ctx context.Context, s steps.Step) error {
	x.kernel = true
	at := drbd.Target{File: x.cfg.configFile(s.Resource), Resource: s.Resource}
	switch s.Kind {
	case steps.Adjust:
		if s.New {
			return lostMetadata(s, soon(x.adjustNew(ctx, s)))
		}
		now, err := loadConfig(x.host, x.cfg, s.Resource)
		if err != nil {
			return err
		}
		if now == nil || string(now.Text) != string(s.Config) {
			x.result.config, x.result.noConf = now, now == nil
			return fmt.Errorf("adjust %s: its config file was changed by somebody else", s.Resource)
		}
		return lostMetadata(s, soon(x.drbd.Adjust(ctx, at)))
	case steps.GuardSeed:
		k, err := x.now(ctx, s)
		if err != nil {
			return err
		}
		why := steps.SyncAlone(k, s.Number, s.DRBD)
		if why == "" && s.DRBD == model.DRBD8 && s.InUse != (k.Role == "Primary") {
			why = "somebody promoted or demoted it this moment"
		}
		if why != "" {
			return &WaitError{Reason: "the first sync doesn't start here: " + why}
		}
		return nil
	case steps.SeedSync:
		if s.DRBD == model.DRBD8 {
			return x.drbd.PrimaryVolume(ctx, at, s.Number, true)
		}
		return x.drbd.ForceSync(ctx, s.Minor)
	case steps.Demote:
		// Who holds it open by now wanted it Primary.
		if err := x.demote(ctx, at, s); err != nil && !errors.Is(err, drbd.ErrInUse) && !errors.Is(err, drbd.ErrUnknownResource) {
			return err
		}
		return nil
	case steps.GuardSkip:
		k, err := x.now(ctx, s)
		if err != nil {
			return err
		}
		if why, _ := steps.SkipAll(k, s.Number, s.Peers); why != "" {
			return &WaitError{Reason: "the first sync isn't skipped: " + why}
		}
		return nil
	case steps.SeedSkip:
		return x.drbd.SkipInitialSync(ctx, at, s.Number)
	case steps.GuardGrow:
		_, err := x.mayGrow(ctx, s)
		return err
	case steps.Promote:
		if s.DRBD == model.DRBD8 {
			return x.drbd.PrimaryVolume(ctx, at, s.Number, false)
		}
		return x.drbd.Primary(ctx, at, false)
	case steps.TakeSize:
		return x.takeSize(ctx, s)
	case steps.ForgetPeer:
		return x.forgetPeer(ctx, s)
	case steps.GuardGone:
		return x.guardGone(ctx, s)
	case steps.HoldIO:
		return x.holdIO(ctx, s)
	case steps.LookOnly:
		k, err := x.drbd.Snapshot(ctx)
		x.result.Kernel = k
		return err
	case steps.ResumeIO:
		return x.resumeIO(ctx, s)
	case steps.Down:
		if err := x.drbd.DownByName(ctx, s.Resource); err != nil {
			return err
		}
		x.result.passed = true // the planner puts the guard before it
		return nil
	case steps.GuardDrop:
		k, err := x.now(ctx, s)
		if err != nil {
			return err
		}
		if why := steps.OtherGood(k, s.Volumes); why != "" {
			return &WaitError{Reason: "the disk isn't removed yet: " + why}
		}
		return nil
	case steps.StartVerify:
		return x.startVerify(ctx, at, s)
	case steps.LeavePeer:
		return x.leavePeer(ctx, s)
	case steps.GuardIdle:
		k, err := x.now(ctx, s)
		if err != nil {
			return err
		}
		if k != nil && k.Role == "Primary" {
			return &WaitError{Reason: s.Resource + " is in use on this node (Primary): unmount it, or stop what uses it"}
		}
		if k != nil {
			if why := steps.PeerNeeds(k); why != "" {
				return &WaitError{Reason: "it isn't taken down yet: " + why}
			}
		}
		return nil
	case steps.DropPeers:
		return x.dropPeers(ctx, at, s)
	case steps.TakeDown:
		return x.drbd.DownByName(ctx, s.Resource)
	}
	return fmt.Errorf("run step: kind %d", s.Kind)
}

// lostMetadata says what it means that adjust finds none.
func lostMetadata(s steps.Step, err error) error {
	if !errors.Is(err, drbd.ErrNoMetadata) {
		return err
	}
	return fmt.Errorf("DRBD's metadata of %s is missing or unreadable though it was made once; it isn't made anew: if the disk was replaced, remove this replica and create it again (%w)", s.Resource, err)
}

// forgetPeer leaves it to the kernel to refuse while there is a connection.
func (x *execution) forgetPeer(ctx context.Context, s steps.Step) error {
	err := x.drbd.ForgetPeer(ctx, s.Resource, s.NodeID)
	switch {
	case errors.Is(err, drbd.ErrUnknownResource):
		return &WaitError{Reason: s.Resource + " isn't up"}
	case errors.Is(err, drbd.ErrConnectionThere):
		return &WaitError{Reason: fmt.Sprintf("the connection to the removed peer %d is still there", s.NodeID)}
	}
	var e *run.ExitError
	if errors.As(err, &e) && strings.Contains(string(e.Stderr), "Invalid peer-node-id") {
		err = nil // drbd-utils 9.22's word for ERR_INVALID_PEER_NODE_ID: the metadata has no slot of it (any more)
	}
	if err == nil {
		x.result.forgot = append(x.result.forgot, s.NodeID)
	}
	return err
}

func (x *execution) guardGone(ctx context.Context, s steps.Step) error {
	k, err := x.now(ctx, s)
	if err != nil {
		return err
	}
	if k != nil && k.Role == "Primary" {
		return &WaitError{Reason: s.Resource + " is in use on this node (Primary): unmount it, or stop what uses it"}
	}
	if why := steps.OtherGood(k, s.Volumes); why != "" && !(s.Held && steps.Unwritten(k, s.Volumes)) {
		return &WaitError{Reason: why + "; the removal waits, or type the override that names what is lost"}
	}
	return nil
}

// now is the kernel's state of the step's resource, asked this moment; nil if there is none.
func (x *execution) now(ctx context.Context, s steps.Step) (*steps.Kernel, error) {
	st, err := x.drbd.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return kernel(st.Resources[s.Resource]), nil
}

// kernel is DRBD's state in the planner's words.
func kernel(r *drbd.ResourceState) *steps.Kernel {
	if r == nil {
		return nil
	}
	k := &steps.Kernel{Role: r.Role, Suspended: r.Suspended != "" && r.Suspended != "no", Frozen: frozen(r), MayPromote: r.MayPromote == "yes",
		Score: r.Score, Volumes: map[int]steps.KernelVolume{}}
	for n, d := range r.Devices {
		k.Volumes[n] = steps.KernelVolume{Minor: d.Minor, Disk: d.Disk, Client: d.Client == "yes", Open: d.Open == "yes",
			SizeKiB: d.SizeKiB, HasQuorum: d.Quorum != "no", WrittenKiB: d.Written}
	}
	for _, c := range r.Peers() {
		kp := steps.KernelPeer{Name: c.Name, NodeID: c.NodeID, State: c.Connection, Role: c.Role, Volumes: map[int]steps.KernelPeerVolume{}}
		for n, p := range c.PeerDevices {
			pv := steps.KernelPeerVolume{Replication: p.Replication, Disk: p.PeerDisk, OutOfSyncKiB: p.OutOfSyncKiB, DonePercent: p.DonePercent}
			if !p.HasDonePercent && pv.Syncing() && !strings.HasPrefix(p.Replication, "Verify") {
				// 8.4 gives no percentage: what is left of the whole volume.
				if d := r.Devices[n]; d != nil && d.SizeKiB > 0 {
					pv.DonePercent = 100 * (1 - float64(min(p.OutOfSyncKiB, d.SizeKiB))/float64(d.SizeKiB))
				}
			}
			kp.Volumes[n] = pv
		}
		k.Peers = append(k.Peers, kp)
	}
	return k
}
