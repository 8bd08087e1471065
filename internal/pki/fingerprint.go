package pki

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
)

// Fingerprint identifies a certificate, and with it the key: its SHA-256, as `openssl x509 -fingerprint -sha256` prints it.
// The zero value is none.
type Fingerprint [sha256.Size]byte

// shortLen is how many bytes of a fingerprint must be compared at least. With 16, finding another key that matches takes
// 2^128 tries.
const shortLen = 16

// FingerprintOf is the certificate's fingerprint.
func FingerprintOf(cert *x509.Certificate) Fingerprint { return sha256.Sum256(cert.Raw) }

// String is the whole fingerprint: 32 bytes in upper-case hex, with colons.
func (f Fingerprint) String() string { return colonHex(f[:]) }

// Short is its first 16 bytes, for people to compare; it is accepted wherever a fingerprint is.
func (f Fingerprint) Short() string { return colonHex(f[:shortLen]) }

// Pin is what a person gave with --fingerprint: a fingerprint, whole or its first 16 bytes or more, alone or with the
// secret that makes it a claim code ("FINGERPRINT/SECRET"). The zero value is none.
type Pin struct {
	prefix []byte
	secret []byte
}

// ParsePin reads a fingerprint or claim code in hex, in either case, with or without colons, with or without openssl's
// "sha256 Fingerprint=" before it. The empty string is no pin.
func ParsePin(s string) (Pin, error) {
	text := strings.TrimSpace(s)
	if text == "" {
		return Pin{}, nil
	}
	if i := strings.LastIndex(text, "="); i >= 0 {
		text = text[i+1:]
	}
	front, back, coded := strings.Cut(text, "/")
	var p Pin
	var err error
	if p.prefix, err = unhex(front); err != nil || len(p.prefix) < shortLen || len(p.prefix) > sha256.Size {
		return Pin{}, fmt.Errorf("%w: '%s' isn't a fingerprint: it has 16 to 32 bytes in hex, such as `holdfast satellite fingerprint` prints on the node",
			ErrWrongFingerprint, s)
	}
	if coded {
		if p.secret, err = unhex(back); err != nil || len(p.secret) != secretLen {
			return Pin{}, fmt.Errorf("%w: what follows the '/' isn't %d bytes in hex; copy the whole claim code", ErrWrongFingerprint, secretLen)
		}
	}
	return p, nil
}

// IsZero reports whether there is no pin.
func (p Pin) IsZero() bool { return len(p.prefix) == 0 }

// Match reports whether the pin names this fingerprint. No pin names none.
func (p Pin) Match(f Fingerprint) bool {
	return !p.IsZero() && bytes.Equal(p.prefix, f[:len(p.prefix)])
}

// String is the pin without its secret.
func (p Pin) String() string { return colonHex(p.prefix) }

func (p Pin) hasSecret() bool { return p.secret != nil }

func (p Pin) secretIs(secret []byte) bool {
	return p.hasSecret() && subtle.ConstantTimeCompare(p.secret, secret) == 1
}

func colonHex(b []byte) string {
	parts := make([]string, len(b))
	for i, x := range b {
		parts[i] = fmt.Sprintf("%02X", x)
	}
	return strings.Join(parts, ":")
}

func unhex(s string) ([]byte, error) {
	return hex.DecodeString(strings.ReplaceAll(s, ":", ""))
}
