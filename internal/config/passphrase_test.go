package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMasterPassphraseComesFromTheFirstPlaceThatHasOne(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{}
	get := func(k string) string { return env[k] }
	c := DefaultController()
	is := func(want string) {
		t.Helper()
		got, from, err := c.MasterPassphrase(get)
		if err != nil || got != want || (from == "") != (want == "") {
			t.Fatalf("%q from %q, %v; want %q", got, from, err, want)
		}
	}
	is("")
	env["MASTER_PASSPHRASE"] = "environment"
	is("environment")
	env["CREDENTIALS_DIRECTORY"] = dir
	is("environment")
	file := filepath.Join(dir, PassphraseCredential)
	if err := os.WriteFile(file, []byte("credential \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	is("credential ")
	c.Encrypt.Passphrase = "file"
	is("file")
	c.Encrypt.Passphrase = ""
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(file, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.MasterPassphrase(get); err == nil {
		t.Fatal("a credential that can't be read is taken for none")
	}
}
