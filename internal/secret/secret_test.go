package secret

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand"
	"os/exec"
	"strings"
	"testing"
)

func stream() *rand.Rand { return rand.New(rand.NewSource(1)) }

func TestMasterKeyOpensWithItsPassphraseOnly(t *testing.T) {
	r := stream()
	master, err := NewMaster(r)
	if err != nil || len(master) != 16 {
		t.Fatal(master, err)
	}
	for _, pass := range []string{"", "secret", "pässwörd", strings.Repeat("x", 500)} {
		s, err := Seal(r, pass, master)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(s.Key, master) || len(s.Key) != 16+32 {
			t.Fatalf("%x", s.Key)
		}
		got, err := Open(s, pass)
		if err != nil || !bytes.Equal(got, master) {
			t.Fatalf("%q: %x, %v", pass, got, err)
		}
		for _, wrong := range []string{pass + "x", "other"} {
			if _, err := Open(s, wrong); !errors.Is(err, ErrPassphrase) {
				t.Fatalf("%q opens with %q: %v", pass, wrong, err)
			}
		}
		s.Key[20] ^= 1
		if _, err := Open(s, pass); err == nil {
			t.Fatal("a damaged key opens")
		}
	}
}

func TestVolumeKeys(t *testing.T) {
	r := stream()
	master, _ := NewMaster(r)
	for _, n := range []int{0, 1, 29, 30, 31, 62, 63, 1000} {
		plain := bytes.Repeat([]byte{'k'}, n)
		text, err := Encrypt(r, master, plain)
		if err != nil || (len(text)-16)%32 != 0 {
			t.Fatal(len(text), err)
		}
		got, err := Decrypt(master, text)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%d: %q, %v", n, got, err)
		}
	}
	if _, err := Decrypt(master, []byte("short")); !errors.Is(err, ErrBroken) {
		t.Fatal(err)
	}
	if _, err := Encrypt(r, master, make([]byte, most+1)); err == nil {
		t.Fatal("too long a key is taken")
	}
	a, _ := NewKey(r)
	b, _ := NewKey(r)
	if len(a) != 44 || bytes.Equal(a, b) || bytes.ContainsAny(a, "\n\x00") {
		t.Fatalf("%q %q", a, b)
	}
}

// TestFormat compares with openssl, where it is there: the derivation and the cipher are those that LINSTOR's Java has.
func TestFormat(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl")
	}
	salt, _ := hex.DecodeString("000102030405060708090a0b0c0d0e0f")
	key, err := derive("correct horse", salt)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("openssl", "kdf", "-keylen", "16", "-kdfopt", "digest:SHA1", "-kdfopt", "pass:correct horse", "-kdfopt", "hexsalt:000102030405060708090a0b0c0d0e0f",
		"-kdfopt", "iter:5000", "-binary", "PBKDF2").Output()
	if err != nil {
		t.Skip("openssl without kdf:", err)
	}
	if !bytes.Equal(out, key) {
		t.Fatalf("%x, openssl says %x", key, out)
	}
	text, _ := seal(stream(), key, []byte("0123456789abcdef0123456789abcdef"))
	cmd := exec.Command("openssl", "enc", "-d", "-aes-128-cfb", "-K", hex.EncodeToString(key), "-iv", hex.EncodeToString(text[:16]))
	cmd.Stdin = bytes.NewReader(text[16:])
	if out, err = cmd.Output(); err != nil || string(out) != "0123456789abcdef0123456789abcdef" {
		t.Fatalf("%q, %v", out, err)
	}
}
