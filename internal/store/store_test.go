package store

import (
	"context"
	"errors"
	"math"
	"testing"
)

func TestKindsAreStored(t *testing.T) {
	// These numbers are in people's databases.
	want := map[Kind]string{1: "cluster", 2: "node", 3: "storage-pool-definition", 4: "resource-group",
		5: "resource-definition", 6: "key-value-store", 7: "secret"}
	for k, name := range want {
		if k.String() != name || !k.Known() {
			t.Errorf("kind %d is %q, want %q", uint8(k), k, name)
		}
	}
	if Kind(0).Known() || Kind(8).Known() || Kind(8).String() != "kind-8" {
		t.Errorf("kind 8 is new: add it above, and to docs/store-format.md")
	}
}

func TestCheckCommit(t *testing.T) {
	ok := Change{ID: 1, Kind: KindNode, Data: []byte{}}
	for name, c := range map[string]struct {
		epoch, base uint64
		change      Change
		bad         bool
	}{
		"fine":         {1, 1, ok, false},
		"id 0":         {1, 1, Change{Kind: KindNode}, true},
		"id < 0":       {1, 1, Change{ID: -1, Kind: KindNode}, true},
		"id too large": {1, 1, Change{ID: math.MaxInt64, Kind: KindNode}, true},
		"no kind":      {1, 1, Change{ID: 1}, true},
		"epoch":        {math.MaxUint64, 1, ok, true},
		"base":         {1, math.MaxInt64, ok, true},
	} {
		if err := CheckCommit(c.epoch, c.base, []Change{c.change}); errors.Is(err, ErrBadChange) != c.bad {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

type plain struct{ Backend }

func (plain) Load(context.Context) (State, error) {
	return State{Base: 7, Records: []Record{{ID: 1}, {ID: 2}}}, nil
}

func TestLoadEachWithoutStreamer(t *testing.T) {
	var n int
	st, err := LoadEach(context.Background(), plain{}, func(r []Record) error { n += len(r); return nil })
	if err != nil || n != 2 || st.Base != 7 || st.Records != nil {
		t.Errorf("got %d records, %+v, %v", n, st, err)
	}
}
