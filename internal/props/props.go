// Package props knows the property keys: on which objects each may be set, its type, its default. It refuses what isn't
// known, and what would run a program on a node. Pure.
package props

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"holdfast/internal/fault"
	"holdfast/internal/model"
)

// Scope is a set of object kinds that carry properties.
type Scope uint16

const (
	Controller Scope = 1 << iota
	Node
	PoolDefinition
	Pool
	Group
	Definition
	Resource
	VolumeDefinition
	Volume
	Connection
)

// LINSTOR checks a resource group against the definition's list and a volume group against the volume definition's.
const (
	drbdDisk     = Controller | Group | Definition | VolumeDefinition | Volume | Resource
	drbdNet      = Controller | Group | Definition | Connection
	drbdResource = Controller | Group | Definition
)

// VerifyEvery is Holdfast's own: how often a resource's replicas are compared, in minutes; 0 or unset: never.
const VerifyEvery = "Verify/RunEvery"

// Type of a value.
type Type uint8

const (
	String Type = iota
	Bool        // true, false; any case
	YesNo       // yes, no: DRBD's
	Long
	Float
	Range  // Allowed: from..to
	Symbol // Allowed: comma-separated words
	RangeOrSymbol
	Pattern // Allowed: a regular expression
)

// Key describes one property.
type Key struct {
	Name    string
	Type    Type
	Allowed string
	Default string
	Unit    string
	Scopes  Scope
}

var table = sync.OnceValue(func() map[string]Key {
	m := map[string]Key{}
	for _, k := range slices.Concat(linstorKeys, drbdKeys) {
		if k.Scopes&Definition != 0 {
			k.Scopes |= Group
		}
		m[k.Name] = k
	}
	return m
})

// Keys that may be set on that kind of object, by name. Those that Check always refuses aren't among them.
func Keys(s Scope) []Key {
	var out []Key
	for _, name := range slices.Sorted(maps.Keys(table())) {
		if k := table()[name]; k.Scopes&s != 0 && never(fault.NoObject, name) == nil {
			out = append(out, k)
		}
	}
	return out
}

// Lookup finds a key.
func Lookup(name string) (Key, bool) {
	k, ok := table()[name]
	return k, ok
}

// These reach a shell or a program's command line on a node; they wait for the access rules that the security work brings.
var runsPrograms = []string{"StorDriver/LvcreateOptions", "StorDriver/LvcreateSnapshotOptions", "StorDriver/LvcreatePvSelection",
	"StorDriver/ZfscreateOptions", "StorDriver/ZfsSnapshotOptions", "StorDriver/LuksFormatOptions", "StorDriver/LuksOpenOptions",
	"Autoplacer/PreSelectScript", "Writecache/Options/Additional", "DrbdOptions/Resource/cpu-mask"}

func refused(obj fault.Object, key, why, do string) error {
	return fault.New(fault.Refused, obj, "The property '%s' can't be set.", key).In(key).Because("%s", why).Do("%s", do)
}

// never says why the key can't be set on any kind of object; nil if it may.
func never(obj fault.Object, key string) error {
	switch {
	case strings.HasPrefix(key, "DrbdOptions/Handlers/"):
		return refused(obj, key, "A DRBD handler is a program that runs on the nodes as root, and this REST API is open to everybody who reaches it.",
			"Put handlers into /etc/drbd.d/global_common.conf on the nodes.")
	case slices.Contains(runsPrograms, key):
		return refused(obj, key, "Its value would become part of a command that runs on the nodes as root, and this REST API is open to everybody who reaches it.",
			"Do without it; it comes with access control.")
	case key == "Encryption/Passphrase":
		return refused(obj, key, "Everybody who lists properties could read it.",
			"Give --passphrase when the volume definition is created; change it with `volume-definition modify-passphrase`.")
	case key == "DrbdOptions/Net/shared-secret" || key == "DrbdOptions/Net/cram-hmac-alg":
		return refused(obj, key, "Every definition has a secret of its own.", "Leave it to Holdfast.")
	}
	return nil
}

// Check tells whether the key may have that value on that kind of object.
func Check(s Scope, obj fault.Object, key, value string) error {
	if strings.HasPrefix(key, "Aux/") && len(key) > 4 {
		return nil
	}
	if err := never(obj, key); err != nil {
		return err
	}
	if s&Connection != 0 && strings.HasPrefix(key, "Paths/") {
		return nil
	}
	k, ok := table()[key]
	if !ok || k.Scopes&s == 0 {
		why := "No such property is known."
		if ok {
			why = "It has no meaning on this kind of object."
		}
		return fault.New(fault.Invalid, obj, "The property '%s' is not valid here.", key).In("property").Because("%s", why).
			Do("Free properties start with 'Aux/'. The list-properties commands and .../properties/info name the others.")
	}
	if want := k.check(value); want != "" {
		return fault.New(fault.Invalid, obj, "The value '%s' of the property '%s' is not valid.", value, key).In("property").
			Because("It must be %s.", want).Do("Give such a value.")
	}
	return checkFileSystem(obj, key, value)
}

func (k Key) check(v string) (want string) {
	switch k.Type {
	case Bool:
		if _, err := strconv.ParseBool(strings.ToLower(v)); err != nil {
			return "true or false"
		}
	case YesNo:
		if v != "yes" && v != "no" {
			return "yes or no"
		}
	case Long:
		if _, err := strconv.ParseInt(v, 10, 64); err != nil {
			return "a whole number"
		}
	case Float:
		if f, err := strconv.ParseFloat(v, 64); err != nil || f < 0 {
			return "a number"
		}
	case Range:
		if !inRange(k.Allowed, v) {
			return "a number in " + k.Allowed
		}
	case Symbol:
		if !slices.Contains(strings.Split(k.Allowed, ","), v) {
			return "one of " + k.Allowed
		}
	case RangeOrSymbol:
		words, span, _ := strings.Cut(k.Allowed, " ")
		if !slices.Contains(strings.Split(words, ","), v) && !inRange(span, v) {
			return "one of " + words + " or a number in " + span
		}
	case Pattern:
		if re, err := regexp.Compile("^(?:" + k.Allowed + ")$"); err == nil && !re.MatchString(v) {
			return "of the form " + k.Allowed
		}
	}
	// A value may end up in a file that a program parses: no line may be added to it.
	if strings.ContainsAny(v, "\n\r\"\x00{};") {
		return "free of line breaks, quotes, braces and ';'"
	}
	return ""
}

func inRange(span, v string) bool {
	lo, hi, ok := strings.Cut(strings.TrimSpace(span), "..")
	n, err := strconv.ParseInt(v, 10, 64)
	if !ok || err != nil {
		return err == nil
	}
	a, _ := strconv.ParseInt(lo, 10, 64)
	b, _ := strconv.ParseInt(hi, 10, 64)
	return a <= n && n <= b
}

// Apply returns the properties after a modification, checked; old is left alone. Namespaces are removed with all below them.
// None left are nil: most objects have none, and there are many.
func Apply(s Scope, obj fault.Object, old, override map[string]string, del, namespaces []string) (map[string]string, error) {
	p := maps.Clone(old)
	if p == nil {
		p = map[string]string{}
	}
	for _, k := range del {
		delete(p, k)
	}
	for _, ns := range namespaces {
		pre := strings.TrimSuffix(ns, "/") + "/"
		maps.DeleteFunc(p, func(k, _ string) bool { return strings.HasPrefix(k, pre) })
	}
	for _, k := range slices.Sorted(maps.Keys(override)) {
		if len(k) > 1024 || len(override[k]) > 64<<10 {
			return nil, fault.New(fault.Invalid, obj, "The property '%.64s' is too long.", k).In("property").
				Because("A key has at most 1024 bytes, a value 65536.").Do("Shorten it.")
		}
		if err := Check(s, obj, k, override[k]); err != nil {
			return nil, err
		}
		p[k] = override[k]
	}
	if len(p) == 0 {
		return nil, nil
	}
	return p, nil
}

// DRBDOptions picks DrbdOptions/<section>/<option> from property maps, the first map that has one wins, into
// section -> option -> value.
func DRBDOptions(sections []string, levels ...map[string]string) map[string]map[string]string {
	out := map[string]map[string]string{}
	for _, m := range levels {
		for k, v := range m {
			rest, ok := strings.CutPrefix(k, "DrbdOptions/")
			if !ok {
				continue
			}
			sec, opt, ok := strings.Cut(rest, "/")
			if !ok || !slices.Contains(sections, sec) {
				continue
			}
			if out[sec] == nil {
				out[sec] = map[string]string{}
			}
			if _, set := out[sec][opt]; !set {
				out[sec][opt] = v
			}
		}
	}
	return out
}

// First returns the value of key in the first map that has it.
func First(key string, levels ...map[string]string) (string, bool) {
	for _, m := range levels {
		if v, ok := m[key]; ok {
			return v, true
		}
	}
	return "", false
}

// On tells whether the first map that has key says true; dflt if none has it.
func On(key string, dflt bool, levels ...map[string]string) bool {
	if v, ok := First(key, levels...); ok {
		b, err := strconv.ParseBool(strings.ToLower(v))
		return err == nil && b
	}
	return dflt
}

// PortRange and MinorRange are the ranges numbers are taken from: the property, or LINSTOR's default.
func span(v, dflt string) (from, to int) {
	a, b, _ := strings.Cut(v, "-")
	from, e1 := strconv.Atoi(a)
	to, e2 := strconv.Atoi(b)
	if e1 != nil || e2 != nil || from < 1 || to < from {
		return span(dflt, "1-1")
	}
	return from, to
}

// PortRange of DRBD's TCP ports on a node (TcpPortAutoRange on node, then controller; else 7000-7999).
func PortRange(node, controller map[string]string) (from, to int) {
	v, _ := First("TcpPortAutoRange", node, controller)
	return span(v, "7000-7999")
}

// MinorRange of DRBD's minors (MinorNrAutoRange on the controller; else 1000-49999).
func MinorRange(controller map[string]string) (from, to int) {
	from, to = span(controller["MinorNrAutoRange"], "1000-49999")
	return from, min(to, model.MaxMinor)
}
