package satellite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/satellite/steps"
	"holdfast/internal/tool/luks"
	"holdfast/internal/tool/run"
)

// cryptEvery is how often the node's encrypted devices are looked at.
const cryptEvery = 30 * time.Second

// crypts is what the agent knows of encrypted devices. Keys are in memory alone: after a restart of the process they are the
// controller's to send.
type crypts struct {
	known bool // open was looked at, and what this process did since is in it
	open  map[string]luks.Mapping
	at    time.Time
	job   bool
	stamp int // counts jobs that change what is open, at their start and end
	keys  map[model.UUID]volumeKeys
}

// volumeKeys are those of a volume, by its label.
type volumeKeys struct {
	gen   int
	typed bool
	keys  []model.Secret
}

// takeKeys takes keys out of a word of the controller, which is kept on disk without them. They count if the word is taken.
func takeKeys(all []model.ResourceSpec) (plain []model.ResourceSpec, keys map[model.UUID]map[model.UUID]volumeKeys) {
	plain = slices.Clone(all)
	for i, r := range all {
		if !r.Encrypted() {
			continue
		}
		if keys == nil {
			keys = map[model.UUID]map[model.UUID]volumeKeys{}
		}
		keys[r.ID] = map[model.UUID]volumeKeys{}
		for _, v := range r.Volumes {
			if v.LUKS != nil && len(v.LUKS.Keys) > 0 {
				k := volumeKeys{gen: v.LUKS.Gen, typed: v.LUKS.Typed}
				for _, key := range v.LUKS.Keys { // copies: they are cleared one day
					k.keys = append(k.keys, slices.Clone(key))
				}
				keys[r.ID][v.ID] = k
			}
		}
		plain[i] = r.WithoutKeys()
	}
	return plain, keys
}

// keep the keys of what was taken, and forget those of volumes that aren't spoken of any more.
func (c *crypts) keep(taken []model.UUID, keys map[model.UUID]map[model.UUID]volumeKeys, labels map[model.UUID]bool) {
	for _, id := range taken {
		for label, k := range keys[id] {
			if c.keys == nil {
				c.keys = map[model.UUID]volumeKeys{}
			}
			c.keys[label] = k
		}
	}
	for label, k := range c.keys {
		if !labels[label] {
			for _, s := range k.keys {
				clear(s)
			}
			delete(c.keys, label)
		}
	}
}

// labels of all volumes that are spoken of, or were.
func (k *kept) labels() map[model.UUID]bool {
	out := map[model.UUID]bool{}
	for _, r := range k.State.Resources {
		for _, v := range r.Volumes {
			out[v.ID] = true
		}
		for _, v := range k.Unmentioned[r.ID] {
			out[v.ID] = true
		}
	}
	return out
}

// stayEncrypted: an incarnation that was encrypted once stays so, whatever a controller says that doesn't know of encryption.
func stayEncrypted(r *model.ResourceSpec, old []model.VolumeSpec) {
	for _, o := range old {
		if o.LUKS == nil {
			continue
		}
		for i := range r.Volumes {
			if v := &r.Volumes[i]; v.ID == o.ID && v.LUKS == nil && v.Pool != "" {
				r.Volumes = slices.Clone(r.Volumes)
				r.Volumes[i].LUKS = o.LUKS
			}
		}
	}
}

// encrypted tells whether any volume here is.
func (a *Agent) encrypted() bool {
	for id, r := range a.replicas {
		if r.spec.Encrypted() || slices.ContainsFunc(a.kept.Unmentioned[id], func(v model.VolumeSpec) bool { return v.LUKS != nil }) {
			return true
		}
	}
	return false
}

// dueCrypt tells whether the encrypted devices are to be looked at: not while a job may be changing them.
func (a *Agent) dueCrypt(now time.Time) bool {
	if a.crypt.job || a.crypt.known && now.Sub(a.crypt.at) < cryptEvery || !a.encrypted() || a.hangs(queue{}) {
		return false
	}
	for _, r := range a.running {
		if r.job.Kind == ReplicaJob && touchesCrypt(r.job.Steps) {
			return false
		}
	}
	return true
}

func touchesCrypt(s []steps.Step) bool {
	return slices.ContainsFunc(s, func(s steps.Step) bool {
		return s.Kind == steps.FormatCrypt || s.Kind == steps.OpenCrypt || s.Kind == steps.CloseCrypt || s.Kind == steps.GrowDevice && s.LUKS
	})
}

// lend gives a job the keys that its steps need.
func (a *Agent) lend(j *Job) {
	if !touchesCrypt(j.Steps) {
		return
	}
	a.crypt.stamp++
	j.keys = map[model.UUID]volumeKeys{}
	for _, s := range j.Steps {
		if k, ok := a.crypt.keys[s.Label]; ok && s.LUKS {
			// A copy: what the agent forgets is cleared.
			c := k
			c.keys = nil
			for _, key := range k.keys {
				c.keys = append(c.keys, slices.Clone(key))
			}
			j.keys[s.Label] = c
		}
	}
}

// finishCrypt takes in a look at the encrypted devices.
func (a *Agent) finishCrypt(j Job, res Result, now time.Time) {
	a.crypt.job = false
	if res.Err != nil {
		a.crypt.at = now.Add(retry(1) - cryptEvery)
		if !a.crypt.known {
			a.crypt.at = now
		}
		return
	}
	if j.stamp != a.crypt.stamp {
		return // it may be older than what a job did meanwhile
	}
	a.crypt.known, a.crypt.open, a.crypt.at = true, res.mappings, now
	for _, r := range a.replicas {
		r.dirty = r.dirty || r.spec.Encrypted()
	}
}

// tookCrypt takes in what a replica's job did to encrypted devices.
func (a *Agent) tookCrypt(j Job, r *replica, res Result) {
	if !touchesCrypt(j.Steps) {
		return
	}
	a.crypt.stamp++
	if res.mappings == nil {
		a.crypt.known = false
	}
	for _, s := range j.Steps {
		if !s.LUKS {
			continue
		}
		name := model.MappingName(s.Label)
		if m, there := res.mappings[name]; there {
			if a.crypt.open == nil {
				a.crypt.open = map[string]luks.Mapping{}
			}
			a.crypt.open[name] = m
		} else {
			delete(a.crypt.open, name)
		}
	}
	if r == nil {
		return
	}
	for _, id := range res.formatted {
		r.formatted[id] = true
	}
	for id, gen := range res.keyGen {
		r.keyGen[id] = gen
	}
	for _, id := range res.removed {
		delete(r.formatted, id)
		delete(r.keyGen, id)
	}
}

// seenCrypt adds what is known of the volume's encryption.
func (a *Agent) seenCrypt(r *replica, v model.VolumeSpec, sv *steps.Volume) {
	if v.LUKS == nil {
		return
	}
	m, open := a.crypt.open[model.MappingName(v.ID)]
	k, have := a.crypt.keys[v.ID]
	sv.MappingsKnown, sv.Mapped, sv.InnerKiB = a.crypt.known, open, m.SizeKiB
	sv.KeyKnown = have && k.gen == v.LUKS.Gen
	gen := r.keyGen[v.ID]
	sv.KeyGen, sv.WrongKey = max(gen, 0), gen < 0
	sv.Formatted = r.formatted[v.ID]
}

// crypt formats, opens and closes.
func (x *execution) crypt(ctx context.Context, s steps.Step) error {
	x.looksCrypt = true
	t := luks.Tool{Run: x.host}
	name := model.MappingName(s.Label)
	if s.Kind == steps.CloseCrypt {
		switch err := t.Close(ctx, name); {
		case errors.Is(err, luks.ErrNotFound):
			return nil
		case errors.Is(err, luks.ErrInUse):
			return &WaitError{Reason: fmt.Sprintf("the encrypted device of %s is in use on this node: unmount it, or stop what uses it", s.Resource)}
		default:
			return err
		}
	}
	k := x.job.keys[s.Label]
	if len(k.keys) == 0 {
		return &WaitError{Reason: "it waits for its key: enter the passphrase on the controller, `encryption enter-passphrase`"}
	}
	open, err := t.List(ctx)
	if err != nil {
		return err
	}
	_, mapped := open[name]
	if s.Kind == steps.FormatCrypt {
		if mapped {
			return fmt.Errorf("format encrypted device of %s: it is open", s.Resource)
		}
		if err := t.Format(ctx, s.Path, model.LUKSHeaderKiB, k.keys[0], k.typed); err != nil {
			return err
		}
		x.result.formatted = append(x.result.formatted, s.Label)
		return nil
	}
	return x.unlock(ctx, t, s, name, mapped, k)
}

// unlock opens the device with the first of its keys that fits, and makes that the first.
func (x *execution) unlock(ctx context.Context, t luks.Tool, s steps.Step, name string, mapped bool, k volumeKeys) error {
	if x.result.keyGen == nil {
		x.result.keyGen = map[model.UUID]int{}
	}
	fits := -1
	var err error
	for i, key := range k.keys {
		if mapped {
			err = t.Try(ctx, s.Path, key)
		} else {
			err = t.Open(ctx, s.Path, name, key, s.Discards)
		}
		if err == nil {
			fits = i
			break
		}
		if !errors.Is(err, luks.ErrWrongKey) {
			return err
		}
	}
	if fits < 0 {
		x.result.keyGen[s.Label] = -1
		return fmt.Errorf("none of the keys that the controller has opens the encrypted device of volume %d: its header was damaged, or it isn't the one that was made here: %w", s.Number, err)
	}
	if fits > 0 {
		if err := t.ChangeKey(ctx, s.Path, k.keys[fits], k.keys[0], k.typed); err != nil {
			return err
		}
	}
	x.result.keyGen[s.Label] = k.gen
	return nil
}

// inner is what of the encrypted device of a step is open, as a device.
func (x *execution) inner(ctx context.Context, s steps.Step) (luks.Mapping, error) {
	open, err := (luks.Tool{Run: x.host}).List(ctx)
	if err != nil {
		return luks.Mapping{}, err
	}
	m, there := open[model.MappingName(s.Label)]
	if !there {
		return luks.Mapping{}, &WaitError{Reason: fmt.Sprintf("volume %d grows: its encrypted device isn't open", s.Number)}
	}
	return m, nil
}

// noLUKS says why the node can't encrypt; nil if it can.
func noLUKS(ctx context.Context, h run.Host) (why []string) {
	for _, argv := range [][]string{{"cryptsetup", "--version"}, {"dmsetup", "--version"}} {
		if reason := missing(ctx, h, argv); reason != "" {
			why = append(why, reason)
		}
	}
	if st, err := h.Stat("/sys/module/dm_crypt"); err == nil && st.Exists {
		return why
	}
	if missing(ctx, h, []string{"modinfo", "-n", "dm_crypt"}) != "" {
		why = append(why, "the kernel has no module dm_crypt")
	}
	return why
}

// luksAlone is the status of an encrypted volume without DRBD. What is in it is for the user once it can't be formatted again.
func luksAlone(vs *model.VolumeStatus, v model.VolumeSpec, sv steps.Volume) {
	done := v.Initialised || sv.Initialised
	vs.MDReady = done || sv.Mapped && sv.KeyGen == v.LUKS.Gen && (sv.Formatted || v.From != nil)
	vs.UsableKiB = 0
	if done && sv.Mapped {
		vs.Device, vs.Disk, vs.UsableKiB = model.MappingPath(v.ID), model.DiskCreated, sv.InnerKiB
	}
}
