package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Int is an integer that may also arrive as a string ("2"), as the Python client sends place counts, or with a fraction
// that is none (4096.0), as languages do that know one kind of number. It is always written as an integer.
type Int int64

// UnmarshalJSON takes a number, a string that holds one, or null (no change).
func (i *Int) UnmarshalJSON(b []byte) error {
	s := string(bytes.TrimSpace(b))
	if s == "null" {
		return nil
	}
	if len(s) > 0 && s[0] == '"' {
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		s = strings.TrimSpace(s)
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		f, ferr := strconv.ParseFloat(s, 64)
		if ferr != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			return fmt.Errorf("%q is not an integer", s)
		}
		n = int64(f)
	}
	*i = Int(n)
	return nil
}

// NewInt returns a pointer to an Int, for optional fields.
func NewInt(n int64) *Int { i := Int(n); return &i }

// Value returns the number, or def when there is none.
func (i *Int) Value(def int64) int64 {
	if i == nil {
		return def
	}
	return int64(*i)
}

// Bool is a boolean that may also arrive as a string in any case ("True"). It is always written as a boolean.
type Bool bool

// UnmarshalJSON takes a boolean, a string that holds one, or null (no change).
func (v *Bool) UnmarshalJSON(b []byte) error {
	s := string(bytes.TrimSpace(b))
	if s == "null" {
		return nil
	}
	if len(s) > 0 && s[0] == '"' {
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	}
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true":
		*v = true
	case "false":
		*v = false
	default:
		return fmt.Errorf("%q is not a boolean", s)
	}
	return nil
}

// NewBool returns a pointer to a Bool, for optional fields.
func NewBool(v bool) *Bool { b := Bool(v); return &b }

// Value returns the boolean, or def when there is none.
func (v *Bool) Value(def bool) bool {
	if v == nil {
		return def
	}
	return bool(*v)
}

// Props maps property keys to values. Values may arrive as strings, numbers or booleans; a null value is left out.
type Props map[string]string

// UnmarshalJSON reads an object with scalar values.
func (p *Props) UnmarshalJSON(b []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	if raw == nil {
		*p = nil
		return nil
	}
	m := make(Props, len(raw))
	for k, v := range raw {
		s := string(v)
		switch {
		case s == "null":
			continue
		case s[0] == '"':
			if err := json.Unmarshal(v, &s); err != nil {
				return err
			}
		case s[0] == '{' || s[0] == '[':
			return fmt.Errorf("property %q: value must be a string, a number or a boolean", k)
		}
		m[k] = s
	}
	*p = m
	return nil
}

// upper reads a JSON string in any case; null leaves "".
func upper(b []byte) (string, error) {
	var s *string
	if err := json.Unmarshal(b, &s); err != nil || s == nil {
		return "", err
	}
	return strings.ToUpper(strings.TrimSpace(*s)), nil
}

// upperWord upper-cases a word and trims blanks around it.
func upperWord(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }
