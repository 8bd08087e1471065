package satellite

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/satellite/steps"
	"holdfast/internal/tool/drbd"
	"holdfast/internal/tool/lsblk"
	"holdfast/internal/tool/mkfs"
	"holdfast/internal/tool/run"
)

// seenFileSystem adds what this process did about the volume's file system.
func seenFileSystem(r *replica, v model.VolumeSpec, sv *steps.Volume) {
	if r.spec.DRBD == nil && sv.Data {
		sv.FileSystem = true // in use since, whatever an older copy of the controller's store says
		return
	}
	if why, known := r.fs[v.ID]; known {
		sv.FileSystem, sv.FileSystemNo = why == "", why
	}
}

// tookFileSystem takes in what a job did. Without DRBD it isn't forgotten: nothing else tells that the volume may be in use.
func (a *Agent) tookFileSystem(r *replica, res Result) {
	maps.Copy(r.fs, res.fs)
	if r.spec.DRBD != nil {
		return
	}
	for _, label := range slices.Sorted(maps.Keys(res.fs)) {
		if res.fs[label] == "" && add(&a.kept.Data, label) {
			a.save()
		}
	}
}

// hideUnmade: without DRBD nobody is told of a device before its file system is made.
func hideUnmade(vs *model.VolumeStatus, v model.VolumeSpec, sv steps.Volume) {
	if v.FileSystem != nil && !sv.FileSystem {
		vs.Device, vs.Disk = "", ""
	}
}

// guardFileSystem says why it can't be made now, while the volume isn't Primary yet.
func (x *execution) guardFileSystem(ctx context.Context, s steps.Step) error {
	x.kernel = true
	k, err := x.now(ctx, s)
	if err != nil {
		return err
	}
	if why := steps.MayMake(k, s.Number, s.Peers, false); why != "" {
		return &WaitError{Reason: fmt.Sprintf("volume %d gets a file system: %s", s.Number, why)}
	}
	if s.InUse != (k.Role == "Primary") {
		return &WaitError{Reason: fmt.Sprintf("volume %d gets a file system: somebody promoted or demoted it this moment", s.Number)}
	}
	if _, err := x.fileSystem(ctx, s); err != nil {
		return err
	}
	return nil
}

// fileSystem is what the step asks for, in mkfs's words. It can't be had: the error says why.
func (x *execution) fileSystem(ctx context.Context, s steps.Step) (mkfs.FileSystem, error) {
	f := s.FileSystem
	out := mkfs.FileSystem{Type: f.Type, UID: -1, GID: -1}
	var err error
	if out.Options, err = model.MkfsParams(f.Type, f.Params); err != nil {
		return out, fmt.Errorf("the property FileSystem/MkfsParams: %w", err)
	}
	if f.Type == "xfs" && f.User+f.Group != "" {
		return out, errors.New("the properties FileSystem/User and FileSystem/Group can't be had with xfs, whose mkfs sets no owner: take them away, and change the owner once it is mounted")
	}
	if out.UID, err = x.number("/etc/passwd", "FileSystem/User", f.User); err != nil {
		return out, err
	}
	if out.GID, err = x.number("/etc/group", "FileSystem/Group", f.Group); err != nil {
		return out, err
	}
	if err := (mkfs.Tool{Run: x.host}).There(ctx, f.Type); err != nil {
		if errors.Is(err, run.ErrNotFound) {
			return out, fmt.Errorf("the program mkfs.%s isn't installed on this node: install %s", f.Type, map[string]string{"ext4": "e2fsprogs", "xfs": "xfsprogs"}[f.Type])
		}
		return out, err
	}
	return out, nil
}

// number of a user or group, as passwd(5) and group(5) have it; -1 for "".
func (x *execution) number(file, property, name string) (int, error) {
	if name == "" {
		return -1, nil
	}
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), nil
	}
	b, err := x.host.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("the property %s: %w", property, err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Split(strings.TrimSpace(line), ":"); len(f) > 2 && f[0] == name {
			if n, err := strconv.ParseUint(f[2], 10, 31); err == nil {
				return int(n), nil
			}
		}
	}
	return 0, fmt.Errorf("the property %s: %s has no '%s' on this node: give a number", property, file, name)
}

// makeFileSystem makes it where nothing is, or finds that it was made before a crash.
func (x *execution) makeFileSystem(ctx context.Context, s steps.Step) error {
	never := func(why string) error {
		v := model.VolumeSpec{Number: s.Number, FileSystem: s.FileSystem}
		reason := steps.NotProven(v, s.Path, why)
		x.fs(s, reason)
		return errors.New(reason)
	}
	f, err := x.fileSystem(ctx, s)
	if err != nil {
		return err
	}
	fresh := s.Fresh
	if s.DRBD != model.Unpinned {
		x.kernel = true
		k, err := x.now(ctx, s)
		if err != nil {
			return err
		}
		if why := steps.MayMake(k, s.Number, s.Peers, true); why != "" {
			return &WaitError{Reason: fmt.Sprintf("volume %d gets a file system: %s", s.Number, why)}
		}
		fresh = fresh && k.Volumes[s.Number].WrittenKiB == 0
	}
	signs, err := lsblk.Tool{Run: x.host}.Signatures(ctx, s.Path)
	if err != nil {
		return err
	}
	t := mkfs.Tool{Run: x.host}
	switch {
	case len(signs) == 1 && signs[0] == f.Type:
		switch err := t.Whole(ctx, f.Type, s.Path); {
		case errors.Is(err, mkfs.ErrDamaged):
			return never(fmt.Sprintf("there is one of type %s that isn't whole", f.Type))
		case err != nil:
			return err
		}
		x.fs(s, "")
		return nil
	case len(signs) > 0:
		return never("something is there: " + strings.Join(slices.Compact(signs), ", "))
	case !fresh:
		return never("it was written to, or its making was broken off")
	}
	if err := t.Make(ctx, f, s.Path); err != nil {
		return err
	}
	x.fs(s, "")
	return nil
}

func (x *execution) fs(s steps.Step, why string) {
	if x.result.fs == nil {
		x.result.fs = map[model.UUID]string{}
	}
	x.result.fs[s.Label] = why
}

// demoteTries is how often a device is let go that udev looks at.
const demoteTries = 5

// demote makes the volume (8.4), or the resource, Secondary.
func (x *execution) demote(ctx context.Context, at drbd.Target, s steps.Step) (err error) {
	for range demoteTries {
		if s.Settle {
			// After a change udev looks at the device by itself, and holds it open meanwhile.
			_, _ = x.host.Run(ctx, run.Cmd{Argv: []string{"udevadm", "settle", "--timeout=10"}})
		}
		if s.DRBD == model.DRBD9 {
			err = x.drbd.Secondary(ctx, at)
		} else {
			err = x.drbd.SecondaryVolume(ctx, at, s.Number)
		}
		if !s.Settle || !errors.Is(err, drbd.ErrInUse) {
			break
		}
	}
	return err
}
