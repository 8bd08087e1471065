package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestSamplesShowTheDefaults: the samples in packaging/ set every key, each to its default.
func TestSamplesShowTheDefaults(t *testing.T) {
	sample := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("..", "..", "packaging", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var c Controller
	if err := decode(sample("controller.toml"), &c); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(DefaultController(), c); d != "" {
		t.Errorf("controller.toml (-default +sample):\n%s", d)
	}
	var s Satellite
	if err := decode(sample("satellite.toml"), &s); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(DefaultSatellite(), s); d != "" {
		t.Errorf("satellite.toml (-default +sample):\n%s", d)
	}
	for name, c := range map[string]any{"controller.toml": Controller{}, "satellite.toml": Satellite{}} {
		var keys map[string]any
		if err := toml.Unmarshal(sample(name), &keys); err != nil {
			t.Fatal(err)
		}
		everyKey(t, name, reflect.TypeOf(c), keys)
	}
}

func everyKey(t *testing.T, where string, typ reflect.Type, keys map[string]any) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		name := f.Tag.Get("toml")
		v, ok := keys[name]
		if !ok {
			t.Errorf("%s: %s is missing", where, name)
		} else if sub, ok := v.(map[string]any); ok {
			everyKey(t, where+" "+name, f.Type, sub)
		}
	}
}

func TestDefaultsAreValid(t *testing.T) {
	c, s := DefaultController(), DefaultSatellite()
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
}

func TestNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.toml")
	c, err := LoadController(path)
	if err != nil || c != DefaultController() {
		t.Errorf("%+v, %v", c, err)
	}
	s, err := LoadSatellite(path)
	if err != nil || s != DefaultSatellite() {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestFile(t *testing.T) {
	c, err := LoadController(write(t, "[rest]\nlisten = \"[::1]:80\"\nrequest_timeout = \"90s\"\n[log]\nlevel = \"debug\"\n"))
	want := DefaultController()
	want.REST.Listen, want.REST.RequestTimeout, want.Log.Level = "[::1]:80", Duration{90 * time.Second}, "debug"
	if err != nil || c != want {
		t.Errorf("%s, %v", cmp.Diff(want, c), err)
	}
	s, err := LoadSatellite(write(t, "node_name = \"alpha.example.com\"\n"))
	if err != nil || s.NodeName != "alpha.example.com" || s.Listen != ":3366" {
		t.Errorf("%+v, %v", s, err)
	}
	if n, err := s.Name(); err != nil || n != "alpha.example.com" {
		t.Error(n, err)
	}
	s.NodeName = ""
	if n, err := s.Name(); err != nil || n == "" {
		t.Error(n, err)
	}
}

func TestUnreadable(t *testing.T) {
	if _, err := LoadController(t.TempDir()); err == nil || errors.Is(err, ErrInvalid) {
		t.Errorf("a folder: %v", err)
	}
}

func TestBadFiles(t *testing.T) {
	controller := func(path string) error { _, err := LoadController(path); return err }
	satellite := func(path string) error { _, err := LoadSatellite(path); return err }
	for _, c := range []struct {
		load func(string) error
		text string
		says string // regular expression
	}{
		{controller, "[rest]\nlissten = \":1\"\n", `line 2: .*'rest\.lissten'`},
		{controller, "a = 1\n[b]\nc = 1\n", `line 1: .*'a'; line [23]: .*'b`},
		{controller, "[rest]\n\nmax_connections = \"many\"\n", `line 3: rest\.max_connections: it has to be a whole number, not of TOML's type string`},
		{controller, "[rest]\nmax_connections = 1.5\n", `line 2: rest\.max_connections: `},
		{controller, "[rest]\nrequest_timeout = \"soon\"\n", `line 2: .*'soon' is not a time`},
		{controller, "[rest]\nrequest_timeout = 60000000000 # x\n", `line 2: rest\.request_timeout: '60000000000' is not a time`},
		{controller, "[store]\nkind = 3\n", `line 2: store\.kind: it has to be a text in quotes`},
		{controller, "rest = 3\n", `line 1: rest: it has to be a table`},
		{controller, "[rest\n", `line 1: `},
		{controller, "state_dir = \"a\"\nstate_dir = \"b\"\n", `line 2: `},
		{controller, "state_dir = \"lib\"\n", `line 1: state_dir: 'lib' is not an absolute path`},
		{controller, "# x\n[rest] # y\nlisten = \"3370\"\n", `line 3: rest\.listen: `},
		{controller, "[rest]\nlisten = \":0\"\n", `line 2: rest\.listen: `},
		{controller, "[rest]\nlisten = \":99999\"\n", `line 2: rest\.listen: `},
		{controller, "[rest]\nlisten = \"alpha:3370\"\n", `line 2: rest\.listen: 'alpha'`},
		{controller, "[rest]\nmax_body_bytes = 3\n", `line 2: rest\.max_body_bytes: 3 is not from 1024 to 1073741824`},
		{controller, "[rest]\nmax_connections = 0\n", `line 2: rest\.max_connections: `},
		{controller, "[rest]\nrequest_timeout = \"10ms\"\n", `line 2: rest\.request_timeout: 10ms is not from 1s to 1h`},
		{controller, "rest.listen = \"x\"\n", `rest\.listen: `},
		{controller, "[store]\nkind = \"etcd\"\n", `line 2: store\.kind: 'etcd' is not one of sqlite, memory`},
		{controller, "[store]\npath = \"\"\n", `line 2: store\.path: `},
		{controller, "[log]\nlevel = \"loud\"\n", `line 2: log\.level: `},
		{satellite, "[log]\nformat = \"xml\"\n", `line 2: log\.format: `},
		{satellite, "listen = \"\"\n", `line 1: listen: `},
		{satellite, "node_name = \"a b\"\n", `line 1: node_name: `},
		{satellite, "drbd_config_dir = \"x\"\n", `line 1: drbd_config_dir: `},
		{satellite, "[rest]\nlisten = \":3370\"\n", `line 1: .*'rest|line 2: .*'rest`},
	} {
		path := write(t, c.text)
		err := c.load(path)
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if !strings.Contains(err.Error(), path) || !regexp.MustCompile(c.says).MatchString(err.Error()) {
			t.Errorf("%q: %q doesn't say %q", c.text, err, c.says)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: the message has several lines: %q", c.text, err)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		2 * time.Minute: "2m", time.Hour: "1h", 90 * time.Minute: "1h30m", 10 * time.Second: "10s", 0: "0s", 70 * time.Second: "1m10s",
	} {
		if got := (Duration{d}).String(); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
