package pki

import (
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

// Cluster is what a controller holds: the cluster's identity, its authority, and the certificate it dials with.
type Cluster struct {
	ID         string // a UUID, the authority's common name
	ca         *issuer
	controller *issuer
}

// NewCluster makes a cluster's identity and keys from rand, which must be a source fit for keys.
func NewCluster(now time.Time, rand io.Reader) (*Cluster, error) {
	id, err := newUUID(rand)
	if err != nil {
		return nil, fmt.Errorf("make cluster id: %w", err)
	}
	ca, err := newCert(id, nil, nil, now, rand)
	if err != nil {
		return nil, fmt.Errorf("make the cluster's authority: %w", err)
	}
	controller, err := newCert("controller", []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, ca, now, rand)
	if err != nil {
		return nil, fmt.Errorf("make the controller's certificate: %w", err)
	}
	return &Cluster{ID: id, ca: ca, controller: controller}, nil
}

// CA is the authority's certificate in PEM form, which satellites keep.
func (c *Cluster) CA() []byte { return certPEM(c.ca.cert) }

// Fingerprint is that of the cluster's authority.
func (c *Cluster) Fingerprint() Fingerprint { return FingerprintOf(c.ca.cert) }

// Certificate is what the controller shows to satellites.
func (c *Cluster) Certificate() tls.Certificate { return c.controller.tls() }

// OpenCluster reads the keys below stateDir, in the folder "cluster". If there is no such folder it makes it: that is the
// controller's first start. What is damaged or missing in it is never replaced.
func OpenCluster(stateDir string, now time.Time, rand io.Reader) (c *Cluster, created bool, err error) {
	dir := filepath.Join(stateDir, "cluster")
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		c, err := createCluster(dir, now, rand)
		return c, true, err
	} else if err != nil {
		return nil, false, fmt.Errorf("read the cluster's keys: %w", err)
	}
	c, err = readCluster(dir)
	if err != nil {
		return nil, false, fmt.Errorf("read the cluster's keys: %w", err)
	}
	return c, false, nil
}

func readCluster(dir string) (*Cluster, error) {
	ca, err := readPair(dir, "ca")
	if err != nil {
		return nil, err
	}
	controller, err := readPair(dir, "controller")
	if err != nil {
		return nil, err
	}
	if err := signedBy(controller.cert, ca.cert); err != nil {
		return nil, badFile(filepath.Join(dir, "controller.crt"), err)
	}
	return &Cluster{ID: ca.cert.Subject.CommonName, ca: ca, controller: controller}, nil
}

func createCluster(dir string, now time.Time, rand io.Reader) (*Cluster, error) {
	c, err := NewCluster(now, rand)
	if err != nil {
		return nil, err
	}
	files, err := c.ca.pairFiles("ca")
	if err != nil {
		return nil, err
	}
	more, err := c.controller.pairFiles("controller")
	if err != nil {
		return nil, err
	}
	if err := writeDir(dir, append(files, more...)); err != nil {
		return nil, fmt.Errorf("save the cluster's keys: %w", err)
	}
	return c, nil
}

// signedBy checks that cert is a controller's certificate from this authority. The dates don't count.
func signedBy(cert, ca *x509.Certificate) error {
	if err := cert.CheckSignatureFrom(ca); err != nil {
		return err
	}
	return isController(cert)
}

func newUUID(rand io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", err
	}
	b[6] = b[6]&0x0f | 0x40 // version 4, RFC 9562
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}
