package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

func newWaitSync(a *App) *cobra.Command {
	timeout := 0
	cmd := takes(&cobra.Command{
		Use:     "wait-sync RESOURCE",
		Aliases: []string{"ws"},
		Short:   "Wait until all replicas of a resource are in sync",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, time.Duration(timeout)*time.Second)
				defer cancel()
			}
			return a.followSync(ctx, args[0], true)
		},
	}, 1, 1)
	cmd.Flags().IntVar(&timeout, "wait-timeout", 0, "give up after so many seconds")
	return cmd
}

// idleLimit is how long a command that doesn't have to wait for a sync follows one that makes no progress.
const idleLimit = 10 * time.Second

// followSync waits until a resource is in sync and shows a progress bar on a terminal. With must it waits as long as it
// takes, and an end of ctx is an error. Without, it is a courtesy: only on a terminal, it ends without an error, and it
// gives up when nothing moves.
func (a *App) followSync(ctx context.Context, name string, must bool) error {
	tty := a.cfg.Streams.ErrTTY && !a.opt.machine
	if !must && (!tty || a.opt.curl) {
		return nil
	}
	c, err := a.api()
	if err != nil {
		return err
	}
	line := statusLine{w: a.cfg.Streams.Err, width: a.cfg.Streams.Width}
	defer line.clear()
	style := ui.Style{UTF8: !a.opt.noUTF8 && utf8Locale(a.env)}
	track := newSyncTracker(name)
	moved := a.cfg.Now()
	shown := false
	for {
		status, err := c.SyncStatus(ctx, name)
		if err != nil {
			return a.syncEnd(ctx, name, must, err)
		}
		if status.SyncedOnAll {
			line.clear()
			if tty && (must || shown) {
				fmt.Fprintf(a.cfg.Streams.Err, "%s: in sync on all nodes\n", name)
			}
			return nil
		}
		now := a.cfg.Now()
		if tty {
			rscs, err := c.ResourceView(ctx, client.Filter{Resources: []string{name}})
			if err != nil {
				return a.syncEnd(ctx, name, must, err)
			}
			p, syncing := track.look(rscs, now)
			switch {
			case syncing:
				moved, shown = now, true
				line.raw(p.Line(style, a.cfg.Streams.Width-1))
			case must || shown:
				text := resourcesText(rscs)
				switch {
				case text == "" && shown:
					text = "waiting for all replicas to be in sync"
				case text == "":
					text = "waiting for the sync to begin"
				}
				line.set(name + ": " + text)
			}
		}
		if !must && now.Sub(moved) > idleLimit {
			return nil
		}
		if err := a.cfg.Sleep(ctx, pollInterval); err != nil {
			return a.syncEnd(ctx, name, must, err)
		}
	}
}

// syncEnd is what following a sync returns when it is cut short.
func (a *App) syncEnd(ctx context.Context, name string, must bool, err error) error {
	switch {
	case !must:
		return nil
	case ctx.Err() != nil:
		return &exitError{code: ExitTimeout, err: fmt.Errorf("%s is not in sync yet; the sync goes on by itself", name)}
	}
	return a.failed(err)
}

// syncTracker sums up the running syncs of one resource over several looks.
type syncTracker struct {
	name  string
	seen  map[string]int64 // size in KiB of each replica that wasn't in sync at some time
	meter *ui.Meter
}

func newSyncTracker(name string) *syncTracker {
	return &syncTracker{name: name, seen: map[string]int64{}, meter: ui.NewMeter(10 * time.Second)}
}

// look takes what is seen now. The result covers all replicas that have been out of sync since the first look; it is false
// when none of them is being synchronised.
func (t *syncTracker) look(rscs []api.ResourceWithVolumes, now time.Time) (ui.Progress, bool) {
	p := ui.Progress{Label: t.name}
	syncing, reported, rate := false, true, int64(0)
	left := map[string]int64{}
	for _, r := range rscs {
		if api.HasFlag(r.Flags, api.FlagDiskless) || api.HasFlag(r.Flags, api.FlagDrbdDiskless) || api.HasFlag(r.Flags, api.FlagDelete) {
			continue
		}
		for _, v := range r.Volumes {
			if v.State == nil || v.UsableSizeKib == nil || v.State.DiskState == api.DiskUpToDate || v.State.DiskState == api.DiskCreated {
				continue
			}
			key := fmt.Sprintf("%s/%d", r.NodeName, v.VolumeNumber)
			t.seen[key] = *v.UsableSizeKib
			left[key] = *v.UsableSizeKib
			if s, ok := volumeSync(rscs, r, v); ok {
				syncing = true
				left[key] = s.left
				if s.rate > 0 {
					rate += s.rate
				} else {
					reported = false
				}
			}
		}
	}
	for key, size := range t.seen {
		p.TotalKib += size
		p.LeftKib += left[key]
	}
	measured := t.meter.Add(now, p.LeftKib)
	if p.RateKib = measured; reported && rate > 0 {
		p.RateKib = rate
	}
	return p, syncing
}

// syncState is what is known of one running sync, in KiB and KiB per second.
type syncState struct{ left, rate int64 }

// volumeSync finds how far the sync of a replica is: in its own states, or in those of the peer that sends the data.
func volumeSync(rscs []api.ResourceWithVolumes, r api.ResourceWithVolumes, v api.Volume) (syncState, bool) {
	best, found := syncState{left: *v.UsableSizeKib}, false
	consider := func(s api.ReplicationState) {
		left := int64(0)
		switch {
		case s.Holdfast != nil && s.Holdfast.OutOfSyncKib != nil:
			left = *s.Holdfast.OutOfSyncKib
		case s.DonePercentage != nil:
			left = int64(float64(*v.UsableSizeKib) * (100 - *s.DonePercentage) / 100)
		default:
			return
		}
		found = true
		if left <= best.left {
			best.left = left
			if s.Holdfast != nil && s.Holdfast.RateKibPerS != nil {
				best.rate = *s.Holdfast.RateKibPerS
			}
		}
	}
	for _, s := range v.State.ReplicationStates {
		if s.ReplicationState != "Established" {
			consider(s)
		}
	}
	for _, other := range rscs {
		if found || other.Name != r.Name || other.NodeName == r.NodeName {
			continue
		}
		for _, ov := range other.Volumes {
			if ov.VolumeNumber != v.VolumeNumber || ov.State == nil {
				continue
			}
			if s, ok := ov.State.ReplicationStates[r.NodeName]; ok && s.ReplicationState != "Established" {
				consider(s)
			}
		}
	}
	return best, found
}
