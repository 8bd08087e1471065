package pki

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"time"
)

// ClaimWindow is how long a satellite can be claimed by anyone after its first start, its release, or open-claim.
const ClaimWindow = time.Hour

// Claim says whom a satellite belongs to. The zero value: nobody, and it isn't open.
type Claim struct {
	ClusterID    string    // empty: nobody
	ControllerCA string    // the cluster's authority, PEM
	ClaimedAt    time.Time // zero if it belongs to nobody
	OpenUntil    time.Time // anyone may claim it until then; counts only while it belongs to nobody
}

// ClaimRequest is what a controller asks a satellite.
type ClaimRequest struct {
	ClusterID    string
	ControllerCA []byte            // the cluster's authority, PEM
	Fingerprint  string            // what a person gave to the controller, see ParsePin; empty: nothing
	Peer         *x509.Certificate // what the controller showed on this connection
}

// Owned reports whether the satellite belongs to a cluster.
func (c Claim) Owned() bool { return c.ClusterID != "" }

// Open reports whether anyone may claim the satellite now. A window that ends more than ClaimWindow ahead was set by a
// clock that was wrong; it doesn't count.
func (c Claim) Open(now time.Time) bool {
	return !c.Owned() && now.Before(c.OpenUntil) && !now.Before(c.OpenUntil.Add(-ClaimWindow))
}

// Access is what a connection may do.
type Access int

const (
	AccessClaim Access = iota // ask for the claim, and nothing else
	AccessOwner               // everything
)

// Access tells what a controller may do that showed this certificate.
func (c Claim) Access(peer *x509.Certificate) (Access, error) {
	if !c.Owned() {
		return AccessClaim, nil
	}
	ca, err := parseCert([]byte(c.ControllerCA))
	if err != nil {
		return AccessClaim, fmt.Errorf("read the owner's authority: %w: %w", ErrBadFile, err)
	}
	if peer == nil || signedBy(peer, ca) != nil {
		return AccessClaim, nil
	}
	return AccessOwner, nil
}

// DecideClaim answers a claim: the new state to be saved before the controller hears of it, or why not. The owner's own
// repeated claim changes nothing.
func DecideClaim(state Claim, self *Identity, req ClaimRequest, now time.Time) (Claim, error) {
	ca, err := req.check()
	if err != nil {
		return state, err
	}
	if state.Owned() {
		return state, state.compare(req.ClusterID, ca)
	}
	pin, err := ParsePin(req.Fingerprint)
	if err != nil {
		return state, err
	}
	own := self.Fingerprint()
	switch {
	case !pin.IsZero() && !pin.Match(own):
		return state, fmt.Errorf("%w: this satellite's is %s, not %s; look whether the address is the right node's",
			ErrWrongFingerprint, own.Short(), pin)
	case pin.hasSecret() && !pin.secretIs(self.secret):
		return state, fmt.Errorf("%w: the part after the '/' isn't this satellite's; run `holdfast satellite fingerprint` on the node",
			ErrWrongFingerprint)
	case pin.hasSecret(), state.Open(now):
		return Claim{ClusterID: req.ClusterID, ControllerCA: string(certPEM(ca)), ClaimedAt: now.UTC().Truncate(time.Second)}, nil
	}
	return state, fmt.Errorf("%w: it belongs to nobody, but its first hour is over; run `holdfast satellite open-claim` on the node (%s), or give the claim code that `holdfast satellite fingerprint` prints there with --fingerprint",
		ErrClosed, own.Short())
}

// check looks at the request alone, and gives the authority in it.
func (r ClaimRequest) check() (*x509.Certificate, error) {
	ca, err := parseCert(r.ControllerCA)
	if err != nil {
		return nil, fmt.Errorf("%w: the cluster's authority: %w", ErrBadRequest, err)
	}
	if r.ClusterID == "" || ca.Subject.CommonName != r.ClusterID || !ca.IsCA {
		return nil, fmt.Errorf("%w: the authority isn't that of cluster '%s'", ErrBadRequest, r.ClusterID)
	}
	if r.Peer == nil {
		return nil, fmt.Errorf("%w: no certificate was shown", ErrBadRequest)
	}
	if err := signedBy(r.Peer, ca); err != nil {
		return nil, fmt.Errorf("%w: the controller's certificate isn't from its cluster's authority: %w", ErrBadRequest, err)
	}
	return ca, nil
}

// compare answers a claim on a satellite that has an owner.
func (c Claim) compare(clusterID string, ca *x509.Certificate) error {
	if clusterID != c.ClusterID {
		return fmt.Errorf("%w: cluster %s claimed it on %s, this is cluster %s; to move it, run `holdfast satellite release` on the node",
			ErrOwned, c.ClusterID, c.ClaimedAt.UTC().Format(time.DateTime), clusterID)
	}
	mine, err := parseCert([]byte(c.ControllerCA))
	if err != nil {
		return fmt.Errorf("read the owner's authority: %w: %w", ErrBadFile, err)
	}
	if !bytes.Equal(mine.Raw, ca.Raw) {
		return fmt.Errorf("%w: it is of the same name, %s, but has other keys (%s, not %s); restore the controller's keys, or run `holdfast satellite release` on the node",
			ErrOwned, clusterID, FingerprintOf(ca).Short(), FingerprintOf(mine).Short())
	}
	return nil
}

// Reopen lets anyone claim the satellite for ClaimWindow from now. It must belong to nobody.
func (c Claim) Reopen(now time.Time) (Claim, error) {
	if c.Owned() {
		return c, fmt.Errorf("%w: it is cluster %s's since %s; `holdfast satellite release` ends that",
			ErrOwned, c.ClusterID, c.ClaimedAt.UTC().Format(time.DateTime))
	}
	return c.open(now), nil
}

// Release makes the satellite nobody's, and opens it for a claim.
func (c Claim) Release(now time.Time) Claim { return Claim{}.open(now) }

func (c Claim) open(now time.Time) Claim {
	c.OpenUntil = now.Add(ClaimWindow).UTC().Truncate(time.Second)
	return c
}
