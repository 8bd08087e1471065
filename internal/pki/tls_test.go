package pki

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"testing"
)

// shake does a handshake and lets each side send a byte, so that each hears of the other's refusal.
func shake(t *testing.T, dial, serve *tls.Config) (controller, satellite *tls.Conn, dialErr, serveErr error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // not net.Pipe: alerts would block in it
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	controller, satellite = tls.Client(a, dial), tls.Server(b, serve)
	done := make(chan error, 1)
	go func() {
		err := satellite.Handshake()
		if err == nil {
			_, err = satellite.Write([]byte{1})
		}
		done <- err
	}()
	dialErr = controller.Handshake()
	if dialErr == nil {
		_, dialErr = io.ReadFull(controller, make([]byte, 1))
	}
	if dialErr != nil {
		a.Close()
	}
	return controller, satellite, dialErr, <-done
}

func TestTLS(t *testing.T) {
	us, self, other := newTestCluster(t, 1), newTestIdentity(t, 3), newTestIdentity(t, 4)
	pin := func(s string) Pin {
		p, err := ParsePin(s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for name, p := range map[string]Pin{
		"no pin": {}, "whole": pin(self.Fingerprint().String()), "short": pin(self.Fingerprint().Short()), "code": pin(self.ClaimCode()),
	} {
		c, s, dialErr, serveErr := shake(t, DialConfig(us, p), ServeConfig(self))
		if dialErr != nil || serveErr != nil {
			t.Fatalf("%s: %v, %v", name, dialErr, serveErr)
		}
		if f, err := PeerFingerprint(c.ConnectionState()); err != nil || f != self.Fingerprint() {
			t.Errorf("%s: %v, %v", name, f, err)
		}
		if !s.ConnectionState().PeerCertificates[0].Equal(us.Certificate().Leaf) {
			t.Errorf("%s: the satellite saw another certificate", name)
		}
	}
	if _, _, err, _ := shake(t, DialConfig(us, pin(other.Fingerprint().String())), ServeConfig(self)); !errors.Is(err, ErrWrongFingerprint) {
		t.Errorf("another satellite: %v", err)
	}
}

func TestTLSRefusesOthers(t *testing.T) {
	us, self := newTestCluster(t, 1), newTestIdentity(t, 3)

	anonymous := DialConfig(us, Pin{})
	anonymous.Certificates = nil
	if _, _, _, err := shake(t, anonymous, ServeConfig(self)); err == nil {
		t.Error("a controller without a certificate got in")
	}

	asSatellite := DialConfig(us, Pin{})
	asSatellite.Certificates = []tls.Certificate{newTestIdentity(t, 4).Certificate()}
	if _, _, _, err := shake(t, asSatellite, ServeConfig(self)); !errors.Is(err, ErrBadPeer) {
		t.Errorf("a satellite as controller: %v", err)
	}

	asController := ServeConfig(self)
	asController.Certificates = []tls.Certificate{newTestCluster(t, 2).Certificate()}
	if _, _, err, _ := shake(t, DialConfig(us, Pin{}), asController); !errors.Is(err, ErrBadPeer) {
		t.Errorf("a controller as satellite: %v", err)
	}

	old := DialConfig(us, Pin{})
	old.MinVersion, old.MaxVersion = 0, tls.VersionTLS12
	if _, _, _, err := shake(t, old, ServeConfig(self)); err == nil {
		t.Error("TLS 1.2 got in")
	}

	// Another's certificate without its key: the pin alone must not be enough.
	thief := ServeConfig(newTestIdentity(t, 4))
	thief.Certificates[0].Certificate = self.Certificate().Certificate
	thief.Certificates[0].Leaf = nil
	p, _ := ParsePin(self.Fingerprint().String())
	if _, _, err, _ := shake(t, DialConfig(us, p), thief); err == nil {
		t.Error("a stolen certificate was believed")
	}
}

func TestTLSIgnoresDates(t *testing.T) {
	ahead := t0.AddDate(40, 0, 0) // both sides' keys were made by clocks far ahead of this machine's
	us, err := NewCluster(ahead, seeded(1))
	if err != nil {
		t.Fatal(err)
	}
	self, err := NewIdentity(ahead, seeded(3))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, dialErr, serveErr := shake(t, DialConfig(us, Pin{}), ServeConfig(self)); dialErr != nil || serveErr != nil {
		t.Fatal(dialErr, serveErr)
	}
	ours := Claim{ClusterID: us.ID, ControllerCA: string(us.CA())}
	if a, err := ours.Access(us.Certificate().Leaf); err != nil || a != AccessOwner {
		t.Fatal(a, err)
	}
	if _, err := us.Certificate().Leaf.Verify(x509.VerifyOptions{Roots: x509.NewCertPool(), CurrentTime: t0}); err == nil {
		t.Fatal("the test's dates aren't ahead")
	}
}
