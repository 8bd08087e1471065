package rest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"holdfast/internal/state"
)

// Each route is in the document, and what it refers to is there.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	w := newWeb(t)
	text := w.must(200, "GET", openAPIPath, "")
	var doc struct {
		Paths      map[string]map[string]map[string]any
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	n := 0
	for _, r := range implemented() {
		op := doc.Paths[strings.ReplaceAll(r.pattern, "...}", "}")][strings.ToLower(r.method)]
		if op == nil {
			t.Errorf("%s %s isn't in the document", r.method, r.pattern)
			continue
		}
		id, _ := op["operationId"].(string)
		if ids[id] || id == "" {
			t.Errorf("%s %s: operationId %q is there twice, or empty", r.method, r.pattern, id)
		}
		ids[id] = true
		n++
	}
	for _, ops := range doc.Paths {
		n -= len(ops)
	}
	if n != 0 {
		t.Errorf("the document has %d routes more than the table", -n)
	}
	for _, ref := range strings.Split(text, `"#/components/schemas/`)[1:] {
		if name, _, _ := strings.Cut(ref, `"`); doc.Components.Schemas[name] == nil {
			t.Errorf("nothing explains %s", name)
		}
	}
}

// A change that takes a body says which: its handler decodes before it looks at anything that a probe hasn't.
func TestOpenAPIHasEveryBody(t *testing.T) {
	empty, _ := state.Build(state.Loaded{})
	without := []string{"reconnect", "activate", "deactivate", "unmake-available", "snapshot-rollback", "safe-to-stop", "diskless", "adjustall", "adjust", "query-max-volume-size",
		"diskful", "migrate-disk", "evict", "/verify"}
	for _, r := range implemented() {
		if r.method != "POST" && r.method != "PUT" {
			continue
		}
		if body, _ := r.body(empty); body == nil && !slices.ContainsFunc(without, func(s string) bool { return strings.Contains(r.pattern, s) }) {
			t.Errorf("%s %s: no body is known", r.method, r.pattern)
		}
	}
}

// Each type of an answer is the one that is really answered: nothing is in the answer that the type doesn't have.
func TestOpenAPIAnswersAreTrue(t *testing.T) {
	w := newWeb(t)
	w.tutorial()
	w.must(201, "POST", "/v1/resource-groups", `{"name":"fast","select_filter":{"place_count":2}}`)
	w.must(201, "POST", "/v1/resource-groups/fast/volume-groups", `{}`)
	w.must(200, "PUT", "/v1/key-value-store/csi", `{"override_props":{"a":"b"}}`)
	fill := strings.NewReplacer("{node}", "alpha", "{netif}", "default", "{pool}", "swpool", "{group}", "fast", "{vlmnr}", "0", "{rsc}", "backups",
		"{snap}", "s1", "{instance}", "csi", "{nodeA}", "alpha", "{nodeB}", "bravo", "{report}", "x", "{clone}", "backups")
	known := 0
	for _, r := range implemented() {
		if r.read == nil || r.method == "DELETE" || r.method == "PATCH" {
			continue
		}
		if strings.HasPrefix(r.pattern, "/v1/events/") || strings.HasPrefix(r.pattern, "/v1/sos-report") {
			continue // they don't end, or aren't JSON
		}
		path := fill.Replace(r.pattern)
		rec := w.send(r.method, path, "")
		v := r.answer()
		switch isJSON := strings.HasPrefix(rec.Header().Get("Content-Type"), "application/json"); {
		case strings.Contains(r.pattern, "{remote}"), strings.Contains(r.pattern, "{file}"): // there is none
			continue
		case strings.Contains(r.pattern, "{snap}"), strings.HasSuffix(r.pattern, "/clone"): // pools without snapshots; TestClone has it
			continue
		case rec.Code >= 400:
			t.Errorf("%s %s: %d %s", r.method, path, rec.Code, rec.Body)
			continue
		case isJSON != (v != nil) && rec.Body.Len() > 0:
			t.Errorf("%s %s answers with JSON: %t; the document says %T", r.method, path, isJSON, v)
			continue
		case !isJSON:
			continue
		}
		into := reflect.New(reflect.TypeOf(v))
		d := json.NewDecoder(bytes.NewReader(rec.Body.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(into.Interface()); err != nil {
			t.Errorf("%s %s isn't %T: %v: %.300s", r.method, path, v, err, rec.Body)
		}
		known++
	}
	for path := range answers {
		if !slices.ContainsFunc(implemented(), func(r route) bool { return r.pattern == path }) {
			t.Errorf("there is no route %s", path)
		}
	}
	if known < 50 {
		t.Errorf("only %d answers were looked at", known)
	}
}
