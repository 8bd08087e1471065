package pki

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
)

// DialConfig is the controller's side of the channel. It accepts the satellite that the pin names, and no other; with no
// pin, any: the caller then keeps PeerFingerprint's answer and pins it from then on.
func DialConfig(c *Cluster, pin Pin) *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{c.Certificate()},
		// Names and dates don't count here, see the package comment. VerifyConnection compares the key.
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			cert, err := peer(s)
			if err != nil {
				return err
			}
			if !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageServerAuth) {
				return fmt.Errorf("%w: it isn't a satellite's", ErrBadPeer)
			}
			if f := FingerprintOf(cert); !pin.IsZero() && !pin.Match(f) {
				return fmt.Errorf("%w: the satellite shows %s, expected is %s; another machine answers, or its keys were made anew",
					ErrWrongFingerprint, f.Short(), pin)
			}
			return nil
		},
	}
}

// ServeConfig is the satellite's side. It lets every controller connect, so that one that isn't the owner can be told
// whose the satellite is: what a connection may do, Claim.Access tells, and the session must ask it.
func ServeConfig(i *Identity) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{i.Certificate()},
		ClientAuth:             tls.RequireAnyClientCert,
		SessionTicketsDisabled: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			cert, err := peer(s)
			if err != nil {
				return err
			}
			return isController(cert)
		},
	}
}

// PeerFingerprint is the fingerprint of what the other side showed.
func PeerFingerprint(s tls.ConnectionState) (Fingerprint, error) {
	cert, err := peer(s)
	if err != nil {
		return Fingerprint{}, err
	}
	return FingerprintOf(cert), nil
}

func peer(s tls.ConnectionState) (*x509.Certificate, error) {
	if len(s.PeerCertificates) == 0 {
		return nil, fmt.Errorf("%w: there is none", ErrBadPeer)
	}
	return s.PeerCertificates[0], nil
}

func isController(cert *x509.Certificate) error {
	if cert.IsCA || !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth) {
		return fmt.Errorf("%w: it isn't a controller's", ErrBadPeer)
	}
	return nil
}
