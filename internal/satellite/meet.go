package satellite

import (
	"context"
	"errors"

	"holdfast/internal/satellite/steps"
	"holdfast/internal/tool/drbd"
)

// dropPeers is steps.DropPeers. DRBD refuses it by itself where a user of the peer would lose quorum. After a crash connections
// are StandAlone, which the next plan mends.
func (x *execution) dropPeers(ctx context.Context, at drbd.Target, s steps.Step) error {
	k, err := x.now(ctx, s)
	if err != nil {
		return err
	}
	peers, _, _ := steps.ToMeet(k)
	for _, kp := range peers {
		if err := x.drbd.Disconnect(ctx, at, kp.Name); err != nil && !errors.Is(err, drbd.ErrNotConnected) {
			return soon(err)
		}
	}
	return nil
}
