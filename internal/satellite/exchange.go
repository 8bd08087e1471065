package satellite

import (
	"context"
	"errors"
	"fmt"

	"holdfast/internal/model"
	"holdfast/internal/satellite/steps"
	"holdfast/internal/tool/drbd"
)

// leavePeer is steps.LeavePeer. A crash in it is no harm: what was noted first stays, so that at worst a peer gets all data that
// lacks none. Each new name is noted, so that a crash gives the data one more at most.
func (x *execution) leavePeer(ctx context.Context, s steps.Step) error {
	e := s.Record.Exchange.RenamedFor(s.Label)
	e.Synced = nil
	k, err := x.now(ctx, s)
	if err != nil {
		return err
	}
	note := func() error {
		s.Record.There, s.Record.Exchange = true, e
		rec := newRecord(x.boot, s)
		if err := rec.save(x.host, x.cfg); err != nil {
			return err
		}
		x.result.record = &rec
		return nil
	}
	for _, id := range []model.UUID{e.Peer, e.For} { // connected to either, or to none
		if _, noted := e.Left[id]; id != "" && id != s.Label && !noted {
			e = e.With(id, steps.Written(k))
		}
	}
	if !s.Returns {
		e.For = s.Label
		return note()
	}
	if err := note(); err != nil {
		return err
	}
	at := drbd.Target{File: x.cfg.configFile(s.Resource), Resource: s.Resource}
	if err := x.drbd.Disconnect(ctx, at, ""); err != nil && !errors.Is(err, drbd.ErrNotConnected) {
		return soon(err)
	}
	if k, err = x.now(ctx, s); err != nil {
		return err
	}
	if k == nil {
		return &WaitError{Reason: s.Resource + " isn't up"}
	}
	for _, kp := range k.Peers {
		if kp.State != model.StandAlone {
			return &WaitError{Reason: fmt.Sprintf("the peer is to be exchanged, and its connection is %s still", kp.State)}
		}
	}
	for n, times := range steps.Rename(k, e.Left[s.Label]) {
		for e.Renamed[s.Label][n] < times {
			if err := x.drbd.NewGeneration(ctx, k.Volumes[n].Minor); err != nil {
				return err
			}
			e = e.WithRenamed(s.Label, n)
			if err := note(); err != nil {
				return err
			}
		}
	}
	// From here on what is written is marked for the next peer.
	e = e.RenamedFor("").With(s.Label, steps.Written(k))
	e.For = s.Label
	return note()
}

// soon turns what DRBD refuses while it is in the midst of a change of state into a wait.
func soon(err error) error {
	if errors.Is(err, drbd.ErrTransient) {
		return &WaitError{Reason: "DRBD is in the midst of a change of state", Soon: true}
	}
	return err
}
