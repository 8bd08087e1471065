package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// ErrInvalid is what every error about a file's content wraps; its text names file, line and key.
var ErrInvalid = errors.New("the configuration isn't valid")

// Duration is a time that a file spells "30s" or "1h30m". It is a struct so that a plain number isn't taken for one.
type Duration struct{ time.Duration }

// timeError is a text or number that is no time.
type timeError struct{ text string }

func (e *timeError) Error() string {
	return fmt.Sprintf("'%s' is not a time, write it like \"30s\" or \"5m\"", e.text)
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return &timeError{string(b)}
	}
	d.Duration = v
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String prints it without needless zero parts.
func (d Duration) String() string {
	s := d.Duration.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// load fills c, which has the defaults, from the file. No file: the defaults.
func load(path string, c interface{ Validate() error }) error {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	if err := decode(b, c); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrInvalid, path, err)
	}
	return nil
}

func decode(b []byte, c interface{ Validate() error }) error {
	d := toml.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(c)
	var unknown *toml.StrictMissingError
	var bad *toml.DecodeError
	var noTime *timeError
	switch {
	case errors.As(err, &unknown):
		lines := make([]string, len(unknown.Errors))
		for i, e := range unknown.Errors {
			row, _ := e.Position()
			lines[i] = fmt.Sprintf("line %d: there is no setting '%s'", row, strings.Join(e.Key(), "."))
		}
		return errors.New(strings.Join(lines, "; "))
	case errors.As(err, &bad):
		row, _ := bad.Position()
		key := ""
		if len(bad.Key()) > 0 {
			key = strings.Join(bad.Key(), ".") + ": "
		}
		return fmt.Errorf("line %d: %s%s", row, key, plain(bad.Error()))
	case errors.As(err, &noTime): // go-toml doesn't say where, if it was a number
		if row, key := keyOf(b, noTime.text); row > 0 {
			return fmt.Errorf("line %d: %s: %w", row, key, err)
		}
		return err
	case err != nil:
		return err
	}
	if err := c.Validate(); err != nil {
		var k *keyError
		if errors.As(err, &k) {
			if row := lineOf(b, k.key); row > 0 {
				return fmt.Errorf("line %d: %w", row, err)
			}
		}
		return err
	}
	return nil
}

var wrongType = regexp.MustCompile(`cannot decode TOML (.+) into struct field \S+ of type (\S+)`) // go-toml v2.4, decode.go

// plain says it in the file's terms rather than Go's.
func plain(msg string) string {
	m := wrongType.FindStringSubmatch(msg)
	if m == nil {
		return strings.TrimPrefix(msg, "toml: ")
	}
	want := map[string]string{"string": "a text in quotes", "config.Duration": "a time like \"30s\""}[m[2]]
	switch {
	case strings.HasPrefix(m[2], "int"):
		want = "a whole number"
	case want == "":
		want = "a table"
	}
	return fmt.Sprintf("it has to be %s, not of TOML's type %s", want, m[1])
}

// keyError is a value that can't be used.
type keyError struct{ key, what string }

func (e *keyError) Error() string { return e.key + ": " + e.what }

func invalid(key, format string, args ...any) error {
	return &keyError{key, fmt.Sprintf(format, args...)}
}

// lineOf finds the line that sets a key like "rest.listen"; 0 if the file doesn't say it in the plain way.
func lineOf(b []byte, key string) int {
	row := 0
	eachKey(b, func(r int, k, _ string) {
		if k == key && row == 0 {
			row = r
		}
	})
	return row
}

// keyOf finds the line and key that a value is given for.
func keyOf(b []byte, value string) (row int, key string) {
	eachKey(b, func(r int, k, v string) {
		if v == value && row == 0 {
			row, key = r, k
		}
	})
	return row, key
}

// eachKey goes over a file's plain lines of key and value.
func eachKey(b []byte, each func(row int, key, value string)) {
	table := ""
	for i, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			table = strings.Trim(strings.SplitN(line, "#", 2)[0], "[] \t") + "."
			continue
		}
		if k, v, ok := strings.Cut(line, "="); ok {
			v, _, _ = strings.Cut(v, "#")
			each(i+1, table+strings.Trim(strings.TrimSpace(k), `"'`), strings.Trim(strings.TrimSpace(v), `"'`))
		}
	}
}

func checkListen(key, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return invalid(key, "'%s' is not an address to listen on, write it like \":3370\", \"10.0.0.1:3370\" or \"[::1]:3370\"", addr)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return invalid(key, "the port '%s' is not a number from 1 to 65535", port)
	}
	if host != "" && net.ParseIP(strings.SplitN(host, "%", 2)[0]) == nil {
		return invalid(key, "'%s' is not an IP address of this machine; leave it out to listen on all", host)
	}
	return nil
}

func checkPath(key, path string) error {
	if !filepath.IsAbs(path) {
		return invalid(key, "'%s' is not an absolute path", path)
	}
	return nil
}

func checkInt(key string, v, low, high int64) error {
	if v < low || v > high {
		return invalid(key, "%d is not from %d to %d", v, low, high)
	}
	return nil
}

func checkTime(key string, v Duration, low, high time.Duration) error {
	if v.Duration < low || v.Duration > high {
		return invalid(key, "%s is not from %s to %s", v, Duration{low}, Duration{high})
	}
	return nil
}

func oneOf(key, v string, of ...string) error {
	for _, o := range of {
		if v == o {
			return nil
		}
	}
	return invalid(key, "'%s' is not one of %s", v, strings.Join(of, ", "))
}

// first is the first error.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
