package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestExpand(t *testing.T) {
	for line, want := range map[string]string{
		"n l":                             "node list",
		"-m n l":                          "node list --machine-readable=true",
		"n l -m -n a b -p":                "node list --machine-readable=true --pastable=true --nodes=a --nodes=b",
		"-t5 n l":                         "node list --timeout=5",
		"-mt 5 n l":                       "node list --machine-readable=true --timeout=5",
		"node create -p99 a b":            "node create --port=99 -- a b",
		"vd c -m 5 r 1G":                  "volume-definition create --minor=5 -- r 1G",
		"vd c r 1G --vlm=3":               "volume-definition create --vlmnr=3 -- r 1G",
		"r c --storage-pool p a r":        "resource create --storage-pool=p -- a r",
		"r c -s p -- a r":                 "resource create --storage-pool=p -- a r",
		"r c --auto-place 2 r -s p q":     "resource create --auto-place=2 --storage-pool=p --storage-pool=q -- r",
		"r c --auto-place r":              "resource create --auto-place=group -- r",
		"r c r --auto-place +1 -s":        "resource create --auto-place=+1 --storage-pool= -- r",
		"rg m g --diskless-on-remaining":  "resource-group modify --diskless-on-remaining=true -- g",
		"sp c lvm a b c":                  "storage-pool create lvm -- a b c",
		"sp c a b lvm c":                  "storage-pool create -- a b lvm c",
		"n sp a k -5":                     "node set-property -- a k -5",
		"help n c":                        "help -- n c",
		"__complete n ":                   "__complete n",
		"rd opt r --unset-ping-int --net": "",
	} {
		got, err := expand(newRoot(New(conf(""))), strings.Fields(line), nil)
		if want == "" {
			if err == nil {
				t.Errorf("%s: %q", line, got)
			}
			continue
		}
		if d := cmp.Diff(want, strings.Join(got, " ")); d != "" || err != nil {
			t.Errorf("%s: %v %s", line, err, d)
		}
	}
}

// Whatever is typed, there is an answer or a usage error, and no word is lost.
func TestExpandOfAnything(t *testing.T) {
	root := newRoot(New(conf("")))
	word := rapid.OneOf(
		rapid.SampledFrom(strings.Fields("n node l c create sp r rd lvm alpha -- - -s -m -p -n --nodes --storage-pool --auto-place 2 -1 --a=b --diskless-on-remaining=x")),
		rapid.StringMatching(`-{0,3}[a-z=]{0,5}`),
	)
	rapid.Check(t, func(t *rapid.T) {
		args := rapid.SliceOfN(word, 0, 8).Draw(t, "args")
		got, err := expand(root, args, nil)
		if err != nil {
			var e *exitError
			if !errors.As(err, &e) || e.code != ExitUsage {
				t.Fatal(err)
			}
			return
		}
		all := " " + strings.Join(got, " ")
		for _, a := range args {
			if a != "" && a[0] != '-' && len(a) > 2 && child(root, a) == nil && !strings.Contains(all, a) && a != "create" && a != "lvm" {
				t.Fatalf("%q is lost in %q", a, got)
			}
		}
	})
}
