package main

import "testing"

func TestNames(t *testing.T) {
	for _, c := range []struct {
		argv    []string
		prog    string
		version string
	}{
		{[]string{"/usr/share/linstor-server/bin/Satellite", "--version"}, "holdfast", "Version: dev\n"},
		{[]string{"Satellite"}, "holdfast", ""},
		{[]string{"/usr/bin/linstor", "--version"}, "linstor", ""},
		{[]string{"holdfast", "--version"}, "holdfast", ""},
	} {
		if v, ok := linstorVersion(c.argv); v != c.version || ok != (v != "") || prog(c.argv[0]) != c.prog {
			t.Errorf("%q: %q, %q", c.argv, v, prog(c.argv[0]))
		}
	}
}
