package pki

import (
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// secretLen is the length of a claim code's secret, in bytes.
const secretLen = 16

// Identity is a satellite's key pair and self-signed certificate.
type Identity struct {
	pair   *issuer
	secret []byte
}

// NewIdentity makes a satellite's keys from rand, which must be a source fit for keys.
func NewIdentity(now time.Time, rand io.Reader) (*Identity, error) {
	pair, err := newCert("satellite", []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, nil, now, rand)
	if err != nil {
		return nil, fmt.Errorf("make the satellite's certificate: %w", err)
	}
	return newIdentity(pair)
}

func newIdentity(pair *issuer) (*Identity, error) {
	secret, err := hkdf.Key(sha256.New, pair.key.Seed(), nil, "holdfast satellite claim code", secretLen)
	if err != nil {
		return nil, fmt.Errorf("derive the claim code: %w", err)
	}
	return &Identity{pair: pair, secret: secret}, nil
}

// Fingerprint identifies the satellite. Everybody who connects can see it.
func (i *Identity) Fingerprint() Fingerprint { return FingerprintOf(i.pair.cert) }

// ClaimCode is the fingerprint with a secret that only the node's root can read: who presents it may claim the satellite
// at any time while it belongs to nobody. The fingerprint alone can't serve for that, since a connection shows it.
func (i *Identity) ClaimCode() string { return i.Fingerprint().Short() + "/" + colonHex(i.secret) }

// Certificate is what the satellite shows to controllers.
func (i *Identity) Certificate() tls.Certificate { return i.pair.tls() }

// satelliteDir is the folder below the state folder that holds the identity and the claim.
func satelliteDir(stateDir string) string { return filepath.Join(stateDir, "satellite") }

// OpenSatellite reads a satellite's identity below stateDir, in the folder "satellite". If there is no such folder it makes
// it, open for a claim: that is the satellite's first start. What is damaged or missing in it is never replaced.
func OpenSatellite(stateDir string, now time.Time, rand io.Reader) (id *Identity, created bool, err error) {
	dir := satelliteDir(stateDir)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		id, err := createSatellite(dir, now, rand)
		return id, true, err
	} else if err != nil {
		return nil, false, fmt.Errorf("read the satellite's keys: %w", err)
	}
	id, err = ReadSatellite(stateDir)
	return id, false, err
}

// ReadSatellite reads an existing identity; fs.ErrNotExist if the satellite was never started here.
func ReadSatellite(stateDir string) (*Identity, error) {
	pair, err := readPair(satelliteDir(stateDir), "satellite")
	if err != nil {
		return nil, fmt.Errorf("read the satellite's keys: %w", err)
	}
	return newIdentity(pair)
}

func createSatellite(dir string, now time.Time, rand io.Reader) (*Identity, error) {
	id, err := NewIdentity(now, rand)
	if err != nil {
		return nil, err
	}
	files, err := id.pair.pairFiles("satellite")
	if err != nil {
		return nil, err
	}
	claim, err := encodeClaim(Claim{}.open(now))
	if err != nil {
		return nil, err
	}
	if err := writeDir(dir, append(files, file{claimFile, claim})); err != nil {
		return nil, fmt.Errorf("save the satellite's keys: %w", err)
	}
	return id, nil
}
