package ui

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// sizeUnits are the units a size may have, in bytes. Letters count in any case; a lone letter is binary.
var sizeUnits = []struct {
	name  string
	bytes uint64
}{
	{"B", 1}, {"S", 512},
	{"K", 1 << 10}, {"kB", 1e3}, {"KiB", 1 << 10},
	{"M", 1 << 20}, {"MB", 1e6}, {"MiB", 1 << 20},
	{"G", 1 << 30}, {"GB", 1e9}, {"GiB", 1 << 30},
	{"T", 1 << 40}, {"TB", 1e12}, {"TiB", 1 << 40},
	{"P", 1 << 50}, {"PB", 1e15}, {"PiB", 1 << 50},
}

// SizeUnits lists the units for help texts.
func SizeUnits() string {
	var names []string
	for _, u := range sizeUnits {
		names = append(names, u.name)
	}
	return strings.Join(names, ", ")
}

// ParseSize reads a whole number with a unit and returns KiB, rounded up. Without a unit it is GiB.
func ParseSize(s string) (int64, error) {
	n, unit, err := splitSize(s)
	if err != nil {
		return 0, err
	}
	if unit == "" {
		unit = "GiB"
	}
	b, err := inBytes(n, unit, s)
	if err != nil {
		return 0, err
	}
	return int64((b + 1023) / 1024), nil
}

// ParseBytes reads a whole number with a unit and returns how many times the unit out goes into it, rounded down. Without
// a unit it is bytes.
func ParseBytes(s, out string) (int64, error) {
	n, unit, err := splitSize(s)
	if err != nil {
		return 0, err
	}
	if unit == "" {
		unit = "B"
	}
	b, err := inBytes(n, unit, s)
	if err != nil {
		return 0, err
	}
	per, _ := unitBytes(out)
	return int64(b / per), nil
}

func splitSize(s string) (uint64, string, error) {
	s = strings.TrimSpace(s)
	d := digits(s)
	if d == 0 {
		return 0, "", fmt.Errorf("size %q is not a whole number with a unit, such as 512M", s)
	}
	n, err := strconv.ParseUint(s[:d], 10, 64)
	if err != nil {
		return 0, "", fmt.Errorf("size %q is too large", s)
	}
	return n, strings.TrimSpace(s[d:]), nil
}

func unitBytes(name string) (uint64, bool) {
	for _, u := range sizeUnits {
		if strings.EqualFold(u.name, name) {
			return u.bytes, true
		}
	}
	return 1, false
}

func inBytes(n uint64, unit, s string) (uint64, error) {
	per, ok := unitBytes(unit)
	if !ok {
		return 0, fmt.Errorf("size %q: %q is not a unit; use one of %s", s, unit, SizeUnits())
	}
	hi, lo := bits.Mul64(n, per)
	if hi != 0 || lo > 1<<63-1 {
		return 0, fmt.Errorf("size %q is too large", s)
	}
	return lo, nil
}

// FormatSize writes KiB in the largest unit that gives at least 1, with two decimals unless it is a whole number.
func FormatSize(kib int64) string {
	names := []string{"KiB", "MiB", "GiB", "TiB", "PiB"}
	unit, i := int64(1), 0
	for i < len(names)-1 && kib >= unit*1024 {
		unit *= 1024
		i++
	}
	if kib%unit == 0 {
		return fmt.Sprintf("%d %s", kib/unit, names[i])
	}
	return fmt.Sprintf("%3.2f %s", float64(kib)/float64(unit), names[i])
}
