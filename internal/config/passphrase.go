package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// PassphraseCredential is the name of systemd's credential (systemd.exec(5), LoadCredential=) with the master passphrase, as
// LINSTOR has it.
const PassphraseCredential = "linstor-masterpassphrase"

// MasterPassphrase is the passphrase with which the controller unlocks encrypted volumes at its start: the file's, else that
// in systemd's credentials, else MASTER_PASSPHRASE of the environment; "" if it is to be entered. A line break at its end
// doesn't count. from tells where it was, for messages.
func (c *Controller) MasterPassphrase(env func(string) string) (passphrase, from string, err error) {
	if p := c.Encrypt.Passphrase; p != "" {
		return p, "the configuration file", nil
	}
	if dir := env("CREDENTIALS_DIRECTORY"); dir != "" {
		b, err := os.ReadFile(filepath.Join(dir, PassphraseCredential))
		if err == nil {
			return strings.TrimRight(string(b), "\r\n"), "the credential " + PassphraseCredential, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", "", fmt.Errorf("read the master passphrase: %w", err)
		}
	}
	if p := env("MASTER_PASSPHRASE"); p != "" {
		return p, "the environment", nil
	}
	return "", "", nil
}
