package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // LINSTOR's key derivation
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

// LINSTOR's parameters: AES-128 in CFB mode without padding, the random IV before the text; PBKDF2 with HMAC-SHA1.
const (
	keyLen     = 16 // bytes, of the master key and of what is derived from a passphrase
	saltLen    = 16
	iterations = 5000
	block      = 32     // what is encrypted is filled up with random bytes to a multiple, so that its length doesn't show
	most       = 0xffff // bytes that one text can have
)

var (
	// ErrPassphrase: it isn't the one with which the master key was sealed.
	ErrPassphrase = errors.New("the passphrase is wrong")
	// ErrBroken: what was stored can't be decrypted.
	ErrBroken = errors.New("the encrypted text is damaged, or was encrypted with another key")
)

// Sealed is a master key as it is stored: LINSTOR's properties encrypted/masterkey, masterhash and passphrasesalt.
type Sealed struct {
	Key  []byte // encrypted
	Hash []byte // SHA-512 of the filled-up master key, by which a passphrase is known to be right
	Salt []byte
}

// NewMaster draws a master key.
func NewMaster(rand io.Reader) ([]byte, error) { return draw(rand, keyLen) }

// NewKey draws a volume's key: 32 random bytes as text in base64, for it is a passphrase to cryptsetup.
func NewKey(rand io.Reader) ([]byte, error) {
	b, err := draw(rand, 32)
	if err != nil {
		return nil, err
	}
	defer clear(b)
	return base64.StdEncoding.AppendEncode(nil, b), nil
}

// Seal encrypts the master key with a passphrase.
func Seal(rand io.Reader, passphrase string, master []byte) (Sealed, error) {
	salt, err := draw(rand, saltLen)
	if err != nil {
		return Sealed{}, err
	}
	filled, err := fill(rand, master)
	if err != nil {
		return Sealed{}, err
	}
	defer clear(filled)
	key, err := derive(passphrase, salt)
	if err != nil {
		return Sealed{}, err
	}
	defer clear(key)
	hash := sha512.Sum512(filled)
	s := Sealed{Hash: hash[:], Salt: salt}
	s.Key, err = seal(rand, key, filled)
	return s, err
}

// Open gives the master key. ErrPassphrase, ErrBroken.
func Open(s Sealed, passphrase string) ([]byte, error) {
	key, err := derive(passphrase, s.Salt)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	filled, err := unseal(key, s.Key)
	if err != nil {
		return nil, err
	}
	defer clear(filled)
	hash := sha512.Sum512(filled)
	if subtle.ConstantTimeCompare(hash[:], s.Hash) != 1 {
		return nil, ErrPassphrase
	}
	return unfill(filled)
}

// Encrypt a volume's key with the master key.
func Encrypt(rand io.Reader, master, plain []byte) ([]byte, error) {
	filled, err := fill(rand, plain)
	if err != nil {
		return nil, err
	}
	defer clear(filled)
	return seal(rand, master, filled)
}

// Decrypt is the opposite. ErrBroken.
func Decrypt(master, text []byte) ([]byte, error) {
	filled, err := unseal(master, text)
	if err != nil {
		return nil, err
	}
	defer clear(filled)
	return unfill(filled)
}

func draw(rand io.Reader, n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(rand, b); err != nil {
		return nil, fmt.Errorf("draw a key: %w", err)
	}
	return b, nil
}

// derive: LINSTOR takes the passphrase's UTF-8 bytes, each as one character, which Java then encodes as UTF-8 once more. Of
// ASCII that changes nothing.
func derive(passphrase string, salt []byte) ([]byte, error) {
	chars := make([]rune, 0, len(passphrase))
	for _, b := range []byte(passphrase) {
		r := rune(b)
		if b >= 0x80 { // Java's bytes have a sign, and it grows with them to 16 bits
			r = 0xff00 | rune(b)
		}
		chars = append(chars, r)
	}
	key, err := pbkdf2.Key(sha1.New, string(chars), salt, iterations, keyLen)
	if err != nil {
		return nil, fmt.Errorf("derive a key from the passphrase: %w", err)
	}
	return key, nil
}

// fill puts the length in two bytes before the text, and random bytes behind it.
func fill(rand io.Reader, text []byte) ([]byte, error) {
	if len(text) > most {
		return nil, fmt.Errorf("encrypt: %d bytes are more than %d", len(text), most)
	}
	n := (2 + len(text) + block - 1) / block * block
	out := make([]byte, n)
	out[0], out[1] = byte(len(text)>>8), byte(len(text))
	copy(out[2:], text)
	if _, err := io.ReadFull(rand, out[2+len(text):]); err != nil {
		return nil, fmt.Errorf("draw what fills up: %w", err)
	}
	return out, nil
}

func unfill(b []byte) ([]byte, error) {
	if len(b) < 2 {
		return nil, ErrBroken
	}
	n := int(b[0])<<8 | int(b[1])
	if n > len(b)-2 {
		return nil, ErrBroken
	}
	return append([]byte{}, b[2:2+n]...), nil
}

func seal(rand io.Reader, key, plain []byte) ([]byte, error) {
	c, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	out := make([]byte, aes.BlockSize+len(plain))
	if _, err := io.ReadFull(rand, out[:aes.BlockSize]); err != nil {
		return nil, fmt.Errorf("draw an IV: %w", err)
	}
	//lint:ignore SA1019 it is LINSTOR's format
	cipher.NewCFBEncrypter(c, out[:aes.BlockSize]).XORKeyStream(out[aes.BlockSize:], plain)
	return out, nil
}

func unseal(key, text []byte) ([]byte, error) {
	if len(text) < aes.BlockSize {
		return nil, ErrBroken
	}
	c, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("decrypt: %w", err)
	}
	out := make([]byte, len(text)-aes.BlockSize)
	//lint:ignore SA1019 it is LINSTOR's format
	cipher.NewCFBDecrypter(c, text[:aes.BlockSize]).XORKeyStream(out, text[aes.BlockSize:])
	return out, nil
}
