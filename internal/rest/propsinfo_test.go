package rest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"holdfast/api"
)

// samples are values that fit the patterns of the whitelist.
var samples = []string{"7000-7999", "100%", "10%", "swpool", "/dev/disk", "0123456789abcdef", "text", "65536", "1", "Delete", "1.0"}

// sample is a value that the description promises to be good; "" if none is known.
func sample(in api.PropsInfo, set func(string) bool) string {
	try := []string{in.Dflt}
	switch in.PropType {
	case "boolean":
		try = []string{"yes", "true"}
	case "long":
		try = []string{"1"}
	case "float":
		try = []string{"1.5"}
	case "range":
		lo, _, _ := strings.Cut(in.Value, "..")
		try = []string{lo}
	case "symbol":
		word, _, _ := strings.Cut(in.Value, ",")
		try = []string{word}
	case "range_or_symbol":
		words, span, _ := strings.Cut(in.Value, " ")
		word, _, _ := strings.Cut(words, ",")
		lo, _, _ := strings.Cut(span, "..")
		if !set(lo) {
			return ""
		}
		try = []string{word}
	case "string":
		try = []string{"text", "-q"} // options of mkfs
	case "regex":
		try = append(try, samples...)
	}
	for _, v := range try {
		if v != "" && set(v) {
			return v
		}
	}
	return ""
}

// What a properties/info lists can be set on such an object, and what it doesn't list can't.
func TestPropertiesInfoIsTheWhitelist(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	w.must(201, "POST", "/v1/resource-groups", `{"name":"fast"}`)
	w.must(201, "POST", "/v1/resource-groups/fast/volume-groups", `{}`)
	kinds := []struct{ info, method, path string }{
		{"/v1/controller/properties/info", "POST", "/v1/controller/properties"},
		{"/v1/nodes/properties/info", "PUT", "/v1/nodes/alpha"},
		{"/v1/nodes/alpha/storage-pools/properties/info", "PUT", "/v1/nodes/alpha/storage-pools/swpool"},
		{"/v1/storage-pool-definitions/properties/info", "PUT", "/v1/storage-pool-definitions/swpool"},
		{"/v1/resource-groups/properties/info", "PUT", "/v1/resource-groups/fast"},
		{"/v1/resource-groups/fast/volume-groups/properties/info", "PUT", "/v1/resource-groups/fast/volume-groups/0"},
		{"/v1/resource-definitions/properties/info", "PUT", "/v1/resource-definitions/backups"},
		{"/v1/resource-definitions/backups/volume-definitions/properties/info", "PUT", "/v1/resource-definitions/backups/volume-definitions/0"},
		{"/v1/resource-definitions/backups/resources/properties/info", "PUT", "/v1/resource-definitions/backups/resources/alpha"},
		{"/v1/resource-definitions/backups/resources/alpha/volumes/properties/info", "PUT", "/v1/resource-definitions/backups/resources/alpha/volumes/0"},
		{"/v1/resource-definitions/backups/resource-connections/properties/info", "PUT", "/v1/resource-definitions/backups/resource-connections/alpha/bravo"},
	}
	all := map[string]map[string]api.PropsInfo{}
	for _, k := range kinds {
		listed := map[string]api.PropsInfo{}
		if err := json.Unmarshal([]byte(w.must(200, "GET", k.info, "")), &listed); err != nil || len(listed) == 0 {
			t.Fatalf("%s: %d keys, %v", k.info, len(listed), err)
		}
		all[k.info] = listed
	}
	for _, k := range kinds {
		set := func(key, v string) (int, string) {
			rec := w.send(k.method, k.path, fmt.Sprintf(`{"override_props":{%q:%q}}`, key, v))
			return rec.Code, rec.Body.String()
		}
		for key, in := range all[k.info] {
			// A pool's own storage can't be changed later; that is another rule than the whitelist's.
			said := ""
			if sample(in, func(v string) bool {
				code, body := set(key, v)
				said = body
				return code == 200 || code == 201 || !strings.Contains(body, "is not valid")
			}) == "" {
				t.Errorf("%s lists %s (%+v), but it can't be set: %s", k.info, key, in, said)
			}
			if in.PropType == "long" {
				if code, _ := set(key, "many"); code < 400 {
					t.Errorf("%s: %s is a whole number and took 'many'", k.path, key)
				}
			}
		}
		for _, other := range all {
			for key := range other {
				if _, ok := all[k.info][key]; !ok && !strings.HasPrefix(key, "Paths/") {
					if code, _ := set(key, "1"); code < 400 {
						t.Errorf("%s doesn't list %s, but it can be set", k.info, key)
					}
				}
			}
		}
	}
	// Refused wherever it is set, so it is listed nowhere.
	for _, key := range []string{"StorDriver/LvcreateOptions", "DrbdOptions/Net/shared-secret"} {
		for path, listed := range all {
			if _, ok := listed[key]; ok {
				t.Errorf("%s lists %s", path, key)
			}
		}
	}
}

// All kinds of objects at once say the same as each by itself.
func TestPropertiesInfoAll(t *testing.T) {
	w := newWeb(t)
	var all map[string]map[string]api.PropsInfo
	if err := json.Unmarshal([]byte(w.must(200, "GET", "/v1/controller/properties/info/all", "")), &all); err != nil {
		t.Fatal(err)
	}
	var one map[string]api.PropsInfo
	if err := json.Unmarshal([]byte(w.must(200, "GET", "/v1/nodes/properties/info", "")), &one); err != nil {
		t.Fatal(err)
	}
	if len(one) == 0 || len(all["node"]) != len(one) {
		t.Errorf("node: %d keys in all, %d by itself", len(all["node"]), len(one))
	}
	if in := all["resource-definition"]["DrbdOptions/Resource/quorum"]; in.PropType != "range_or_symbol" || in.Value == "" {
		t.Errorf("quorum: %+v", in)
	}
}
