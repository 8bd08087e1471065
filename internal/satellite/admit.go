package satellite

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/obs"
	"holdfast/internal/pki"
	"holdfast/internal/wire"
)

// admit asks whether the controller is of the cluster that owns this satellite, and lets it claim one that belongs to
// nobody. Nil if it may go on.
func (s *Server) admit(h wire.Hello, tls tls.ConnectionState, now time.Time) *wire.Refused {
	if len(tls.PeerCertificates) == 0 {
		return &wire.Refused{Why: wire.RefusedClaim, Text: "the controller showed no certificate"}
	}
	peer := tls.PeerCertificates[0]
	claimed := false
	claim, err := pki.UpdateClaim(s.stateDir, func(old pki.Claim) (pki.Claim, error) {
		access, err := old.Access(peer)
		if err != nil || access == pki.AccessOwner {
			return old, err
		}
		if !h.Claim {
			if old.Owned() {
				return old, fmt.Errorf("%w (%s), and this controller isn't its; to move it, run `holdfast satellite release` on the node", pki.ErrOwned, old.ClusterID)
			}
			return old, fmt.Errorf("%w: it belongs to nobody (any more); delete the node and create it again to claim it", pki.ErrClosed)
		}
		claimed = !old.Owned()
		return pki.DecideClaim(old, s.id, pki.ClaimRequest{ClusterID: string(h.ClusterID), ControllerCA: h.ClusterCA,
			Fingerprint: h.ClaimFingerprint, Peer: peer}, now)
	})
	why := wire.RefusedClaim
	switch {
	case err == nil && model.UUID(claim.ClusterID) != h.ClusterID:
		err, why = fmt.Errorf("%w: it is cluster %s's, the controller says it is of cluster %s", pki.ErrOwned, claim.ClusterID, h.ClusterID), wire.RefusedCluster
	case err == nil:
		if claimed {
			s.log.Info("claimed", obs.KeyCluster, claim.ClusterID, obs.KeyFingerprint, s.id.Fingerprint().Short())
		}
		return nil
	case errors.Is(err, pki.ErrOwned):
		why = wire.RefusedCluster
	case errors.Is(err, pki.ErrBadFile):
		why = wire.RefusedBusy
	}
	return &wire.Refused{Why: why, Text: err.Error()}
}
