package pki

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// file is one file of a folder of keys.
type file struct {
	name string
	data []byte
}

// writeDir makes dir with the files, whole or not at all.
func writeDir(dir string, files []file) error {
	tmp := dir + ".new"
	if err := os.RemoveAll(tmp); err != nil {
		return fmt.Errorf("make %s: %w", dir, err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return fmt.Errorf("make %s: %w", dir, err)
	}
	if err := os.Mkdir(tmp, 0o700); err != nil {
		return fmt.Errorf("make %s: %w", dir, err)
	}
	for _, f := range files {
		if err := writeFile(filepath.Join(tmp, f.name), f.data); err != nil {
			return err
		}
	}
	if err := os.Rename(tmp, dir); err != nil {
		return fmt.Errorf("make %s: %w", dir, err)
	}
	return syncDir(filepath.Dir(dir))
}

// writeFile replaces a file, for its owner's eyes only, whole or not at all.
func writeFile(path string, data []byte) error {
	tmp := path + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write %s: %w", path, err)
	}
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync folder %s: %w", dir, err)
	}
	return nil
}

// readPair reads a certificate and its key, which must belong together.
func readPair(dir, name string) (*issuer, error) {
	certFile, keyFile := filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	text, err := os.ReadFile(certFile)
	if err != nil {
		return nil, err
	}
	cert, err := parseCert(text)
	if err != nil {
		return nil, badFile(certFile, err)
	}
	if text, err = os.ReadFile(keyFile); err != nil {
		return nil, err
	}
	key, err := parseKey(text)
	if err != nil {
		return nil, badFile(keyFile, err)
	}
	if pub, ok := key.Public().(ed25519.PublicKey); ok && pub.Equal(cert.PublicKey) {
		return &issuer{cert: cert, key: key}, nil
	}
	return nil, badFile(keyFile, fmt.Errorf("it isn't the key of %s", certFile))
}

func badFile(path string, err error) error {
	return fmt.Errorf("%w: %s: %w; restore it from a backup", ErrBadFile, path, err)
}

// pairFiles are the files that readPair reads.
func (i *issuer) pairFiles(name string) ([]file, error) {
	key, err := keyPEM(i.key)
	if err != nil {
		return nil, err
	}
	return []file{{name + ".crt", certPEM(i.cert)}, {name + ".key", key}}, nil
}
