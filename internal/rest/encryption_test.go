package rest

import (
	"encoding/json"
	"strings"
	"testing"

	"holdfast/api"
	"holdfast/internal/state"
)

// TestPassphrases: LINSTOR's statuses and codes, and no passphrase in an answer.
func TestPassphrases(t *testing.T) {
	w := newWeb(t)
	const path = "/v1/encryption/passphrase"
	status := func(want string) {
		t.Helper()
		if got := w.must(200, "GET", path, ""); !strings.Contains(got, `"`+want+`"`) {
			t.Fatalf("%s, want %s", got, want)
		}
	}
	number := func(code int, method, path, body string, want api.Code) {
		t.Helper()
		var list api.ApiCallRcList
		if err := json.Unmarshal([]byte(w.must(code, method, path, body)), &list); err != nil || len(list) == 0 {
			t.Fatal(err)
		}
		if got := list[0].RetCode.Number(); got != want.Number() {
			t.Fatalf("%s %s %s: %d, want %d: %+v", method, path, body, got, want.Number(), list)
		}
		for _, rc := range list {
			for _, secret := range []string{"sesame", "mellon"} {
				if strings.Contains(rc.Message+rc.Cause+rc.Details+rc.Correction, secret) {
					t.Errorf("the answer tells a passphrase: %+v", rc)
				}
			}
		}
	}
	status("unset")
	w.must(201, "POST", "/v1/resource-definitions", `{"resource_definition":{"name":"vault","layer_data":[{"type":"drbd"},{"type":"luks"},{"type":"storage"}]}}`)
	const vd = "/v1/resource-definitions/vault/volume-definitions"
	number(404, "POST", vd, `{"volume_definition":{"size_kib":8192}}`, api.FailNotFoundCryptKey)
	number(404, "PATCH", path, `"sesame"`, api.FailNotFoundCryptKey)
	number(500, "POST", path, `{"new_passphrase":""}`, api.FailInvldCryptPassphrase)
	number(201, "POST", path, `{"new_passphrase":"sesame"}`, api.Created)
	status("unlocked")
	number(500, "POST", path, `{"new_passphrase":"sesame"}`, api.FailExistsCryptPassphrase)
	w.must(201, "POST", vd, `{"volume_definition":{"size_kib":8192},"passphrase":"mine"}`)
	number(200, "PUT", vd+"/0/encryption-passphrase", `{"new_passphrase":"ours"}`, api.Modified)
	w.b.see(t, func(tx *state.Tx) { tx.Unlock(nil) })
	status("locked")
	number(500, "PATCH", path, `"mellon"`, api.FailInvldCryptPassphrase)
	number(500, "PUT", path, `{"old_passphrase":"mellon","new_passphrase":"x"}`, api.FailInvldCryptPassphrase)
	number(200, "PATCH", path, `"sesame"`, api.PassphraseAccepted)
	number(200, "PUT", path, `{"old_passphrase":"sesame","new_passphrase":"mellon"}`, api.Modified)
	status("unlocked")
	for _, p := range []string{"/v1/resource-definitions/vault?with_volume_definitions=true", vd, "/v1/controller/properties"} {
		if got := w.must(200, "GET", p, ""); strings.Contains(got, "mine") || strings.Contains(got, "ours") || strings.Contains(got, "mellon") {
			t.Errorf("%s tells a passphrase: %s", p, got)
		}
	}
}
