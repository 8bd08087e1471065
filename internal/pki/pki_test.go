package pki

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// seeded is a source of "randomness" that gives the same keys each time.
func seeded(n byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{n}) }

func newTestCluster(t *testing.T, n byte) *Cluster {
	t.Helper()
	c, err := NewCluster(t0, seeded(n))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newTestIdentity(t *testing.T, n byte) *Identity {
	t.Helper()
	i, err := NewIdentity(t0, seeded(n))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestKeysDependOnRandOnly(t *testing.T) {
	a, b, c := newTestCluster(t, 1), newTestCluster(t, 1), newTestCluster(t, 2)
	if a.ID != b.ID || !bytes.Equal(a.CA(), b.CA()) || a.Fingerprint() != b.Fingerprint() {
		t.Error("the same source gave another cluster")
	}
	if a.ID == c.ID || a.Fingerprint() == c.Fingerprint() {
		t.Error("another source gave the same cluster")
	}
	if i, j := newTestIdentity(t, 1), newTestIdentity(t, 2); i.Fingerprint() == j.Fingerprint() || i.ClaimCode() == j.ClaimCode() {
		t.Error("another source gave the same satellite")
	}
	if _, err := NewCluster(t0, bytes.NewReader(make([]byte, 20))); err == nil {
		t.Error("a source that ran dry gave a cluster")
	}
}

func TestOpenCluster(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "holdfast")
	made, created, err := OpenCluster(dir, t0, seeded(1))
	if err != nil || !created {
		t.Fatal(created, err)
	}
	mustBePrivate(t, filepath.Join(dir, "cluster"), "ca.crt", "ca.key", "controller.crt", "controller.key")
	read, created, err := OpenCluster(dir, t0.AddDate(1, 0, 0), seeded(2))
	if err != nil || created {
		t.Fatal(created, err)
	}
	if read.ID != made.ID || read.Fingerprint() != made.Fingerprint() ||
		!read.Certificate().Leaf.Equal(made.Certificate().Leaf) ||
		!read.Certificate().PrivateKey.(ed25519.PrivateKey).Equal(made.Certificate().PrivateKey) {
		t.Error("what was read isn't what was made")
	}
}

func TestOpenSatellite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "holdfast")
	if _, err := ReadSatellite(dir); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("before its first start: %v", err)
	}
	made, created, err := OpenSatellite(dir, t0, seeded(1))
	if err != nil || !created {
		t.Fatal(created, err)
	}
	mustBePrivate(t, filepath.Join(dir, "satellite"), "claim.json", "satellite.crt", "satellite.key")
	read, created, err := OpenSatellite(dir, t0, seeded(2))
	if err != nil || created || read.Fingerprint() != made.Fingerprint() || read.ClaimCode() != made.ClaimCode() {
		t.Fatal(created, err)
	}
	c, err := LoadClaim(dir)
	if err != nil || c.Owned() || !c.Open(t0.Add(59*time.Minute)) {
		t.Fatalf("%+v, %v", c, err)
	}
}

func mustBePrivate(t *testing.T, dir string, want ...string) {
	t.Helper()
	st, err := os.Stat(dir)
	if err != nil || st.Mode().Perm() != 0o700 {
		t.Fatal(st.Mode(), err)
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range list {
		names = append(names, f.Name())
		if i, err := f.Info(); err != nil || i.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), i.Mode(), err)
		}
	}
	if !slices.Equal(names, want) {
		t.Errorf("files %v, want %v", names, want)
	}
}

// TestDamagedKeysAreNotReplaced: new keys would lock the cluster out of its own satellites.
func TestDamagedKeysAreNotReplaced(t *testing.T) {
	for _, name := range []string{"cluster/ca.crt", "cluster/ca.key", "cluster/controller.crt", "cluster/controller.key",
		"satellite/satellite.crt", "satellite/satellite.key"} {
		for how, damage := range map[string]func(path string) error{
			"removed": os.Remove,
			"emptied": func(p string) error { return os.WriteFile(p, nil, 0o600) },
			"of another": func(p string) error {
				other := t.TempDir()
				if _, _, err := OpenCluster(other, t0, seeded(9)); err != nil {
					return err
				}
				if _, _, err := OpenSatellite(other, t0, seeded(9)); err != nil {
					return err
				}
				return os.Rename(filepath.Join(other, name), p)
			},
		} {
			t.Run(name+" "+how, func(t *testing.T) {
				dir := t.TempDir()
				open := func() error {
					if strings.HasPrefix(name, "cluster") {
						_, _, err := OpenCluster(dir, t0, seeded(1))
						return err
					}
					_, _, err := OpenSatellite(dir, t0, seeded(1))
					return err
				}
				if err := open(); err != nil {
					t.Fatal(err)
				}
				if err := damage(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
				err := open()
				if !errors.Is(err, ErrBadFile) && !errors.Is(err, os.ErrNotExist) {
					t.Fatalf("got %v", err)
				}
				if !strings.Contains(err.Error(), filepath.Dir(name)) {
					t.Errorf("the file isn't named: %v", err)
				}
			})
		}
	}
}

func TestUnfinishedFirstStart(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "cluster.new", "ca.key"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, created, err := OpenCluster(dir, t0, seeded(1)); err != nil || !created {
		t.Fatal(created, err)
	}
	mustBePrivate(t, filepath.Join(dir, "cluster"), "ca.crt", "ca.key", "controller.crt", "controller.key")
}

func TestCertificates(t *testing.T) {
	c := newTestCluster(t, 1)
	leaf := c.Certificate().Leaf
	pool := x509.NewCertPool()
	pool.AddCert(c.ca.cert)
	// Ours aren't checked this way, but people's tools will.
	_, err := leaf.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: t0.AddDate(50, 0, 0),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		t.Error(err)
	}
	if c.ca.cert.Subject.CommonName != c.ID || len(c.ID) != 36 {
		t.Errorf("cluster %q, authority %q", c.ID, c.ca.cert.Subject)
	}
	if signedBy(leaf, newTestCluster(t, 2).ca.cert) == nil {
		t.Error("another authority's signature passed")
	}
	if signedBy(c.ca.cert, c.ca.cert) == nil {
		t.Error("the authority passed for a controller")
	}
}

func TestFingerprint(t *testing.T) {
	i := newTestIdentity(t, 1)
	f := i.Fingerprint()
	if len(f.String()) != 95 || len(f.Short()) != 47 || !strings.HasPrefix(f.String(), f.Short()) {
		t.Fatalf("%s, %s", f, f.Short())
	}
	for _, s := range []string{
		f.String(), f.Short(), strings.ToLower(f.String()), strings.ReplaceAll(f.String(), ":", ""),
		" " + f.Short() + "\n", "sha256 Fingerprint=" + f.String(), i.ClaimCode(), hex.EncodeToString(f[:20]),
	} {
		p, err := ParsePin(s)
		if err != nil || !p.Match(f) || p.IsZero() {
			t.Errorf("%q: %v", s, err)
		}
		if p.Match(newTestIdentity(t, 2).Fingerprint()) {
			t.Errorf("%q matches another", s)
		}
		if strings.Contains(p.String(), "/") {
			t.Errorf("%q prints its secret", s)
		}
	}
	for _, s := range []string{"x", "AA", f.Short()[:44], f.String() + ":00", f.Short() + "/", f.Short() + "/00", "/" + f.Short(), "="} {
		if _, err := ParsePin(s); !errors.Is(err, ErrWrongFingerprint) {
			t.Errorf("%q: %v", s, err)
		}
	}
	if p, err := ParsePin(""); err != nil || !p.IsZero() || p.Match(f) || p.Match(Fingerprint{}) {
		t.Error("no pin matches something")
	}
}

// TestFingerprintAsOpenSSLPrintsIt compares with the tool that people have.
func TestFingerprintAsOpenSSLPrintsIt(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl isn't installed")
	}
	i := newTestIdentity(t, 1)
	cmd := exec.Command(openssl, "x509", "-noout", "-fingerprint", "-sha256")
	cmd.Stdin = bytes.NewReader(certPEM(i.pair.cert))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("Fingerprint=%s\n", i.Fingerprint()); !strings.HasSuffix(string(out), want) {
		t.Errorf("%q, want %q", out, want)
	}
}
