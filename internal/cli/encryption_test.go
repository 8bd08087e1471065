package cli

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// Passphrases are options or asked for, new ones twice.
func TestEncryption(t *testing.T) {
	c := newCluster(t)
	cfg := conf(c.URL)
	var typed, prompts []string
	cfg.Password = func(prompt string) (string, error) {
		prompts = append(prompts, prompt)
		if len(typed) == 0 {
			return "", errors.New("end of input")
		}
		p := typed[0]
		typed = typed[1:]
		return p, nil
	}
	for _, x := range []struct{ line, typed, want string }{
		{"encryption create-passphrase -p one", "", `POST /v1/encryption/passphrase {"new_passphrase":"one"}`},
		{"e cp", "one one", `POST /v1/encryption/passphrase {"new_passphrase":"one"}`},
		{"e ep", "one", `PATCH /v1/encryption/passphrase "one"`},
		{"e enter-passphrase --passphrase one", "", `PATCH /v1/encryption/passphrase "one"`},
		{"e mp", "one two two", `PUT /v1/encryption/passphrase {"new_passphrase":"two","old_passphrase":"one"}`},
		{"e mp --old-passphrase one --new-passphrase two", "", `PUT /v1/encryption/passphrase {"new_passphrase":"two","old_passphrase":"one"}`},
		{"vd modify-passphrase web 1 two", "", `PUT /v1/resource-definitions/web/volume-definitions/1/encryption-passphrase {"new_passphrase":"two"}`},
		{"vd mp web 1", "two two", `PUT /v1/resource-definitions/web/volume-definitions/1/encryption-passphrase {"new_passphrase":"two"}`},
		{"vd c web 1G --passphrase two", "", `"passphrase":"two"`},
	} {
		typed, prompts = strings.Fields(x.typed), nil
		o := run(cfg, strings.Fields(x.line)...)
		got := c.taken()
		if !slices.ContainsFunc(got, func(r string) bool { return strings.Contains(r, x.want) }) || len(typed) > 0 {
			t.Errorf("%s: %q, %+v", x.line, got, o)
		}
		if strings.Contains(o.out+o.err, "two") {
			t.Errorf("%s prints a passphrase: %+v", x.line, o)
		}
	}
	typed = []string{"one", "other"}
	if o := run(cfg, "e", "cp"); o.code == 0 || len(c.taken()) > 0 {
		t.Errorf("two that differ: %+v", o)
	}
	cfg.Password = nil
	if o := run(cfg, "e", "ep"); o.code == 0 || len(c.taken()) > 0 {
		t.Errorf("without a terminal: %+v", o)
	}
}
