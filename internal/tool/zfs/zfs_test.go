package zfs

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/tool/run"
	"holdfast/internal/tool/tooltest"
)

var ctx = context.Background()

func TestList(t *testing.T) {
	out := "tank\tfilesystem\t-\t1000\t2000\t-\t-\t-\n" +
		"tank/a\tvolume\t65536\t800\t2000\t-\t-\tv1\n" +
		"tank/a@one\tsnapshot\t65536\t10\t-\t-\t71\tv1\n" +
		"tank/b\tvolume\t65536\t0\t2000\ttank/a@one\t-\t-\n"
	p := &tooltest.Player{Results: []run.Result{{Stdout: []byte(out)}}}
	got, err := Tool{Run: p}.List(ctx, "tank", "holdfast:label")
	want := []Dataset{{Name: "tank", Type: "filesystem", UsedBytes: 1000, FreeBytes: 2000},
		{Name: "tank/a", Type: "volume", SizeBytes: 65536, UsedBytes: 800, FreeBytes: 2000, Props: map[string]string{"holdfast:label": "v1"}},
		{Name: "tank/a@one", Type: "snapshot", SizeBytes: 65536, UsedBytes: 10, CreateTXG: 71, Props: map[string]string{"holdfast:label": "v1"}},
		{Name: "tank/b", Type: "volume", SizeBytes: 65536, FreeBytes: 2000, Origin: "tank/a@one"}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
	argv := []string{"zfs", "list", "-Hp", "-r", "-t", "filesystem,volume,snapshot", "-o", "name,type,volsize,used,available,origin,createtxg,holdfast:label", "tank"}
	if d := cmp.Diff(argv, p.Argv[0]); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{"tank\n", "tank\tvolume\tx\t0\t0\t-\t-\n"} {
		if _, err := ParseList(bad); err == nil {
			t.Errorf("%q taken", bad)
		}
	}
}

// The texts are libzfs'; see errors.go.
func TestErrors(t *testing.T) {
	for text, want := range map[string]error{
		"cannot open 'tank': dataset does not exist\n":                                                                      ErrNotFound,
		"could not find any snapshots to destroy; check snapshot names.\n":                                                  ErrNotFound,
		"cannot create 'tank/a': dataset already exists\n":                                                                  ErrExists,
		"cannot create 'tank/a': no such pool 'tank'\n":                                                                     ErrNoPool,
		"cannot create 'tank/b/a': parent does not exist\n":                                                                 ErrNoPool,
		"cannot create 'tank/a': out of space\n":                                                                            ErrNoSpace,
		"cannot set property for 'tank/a': size is greater than available space\n":                                          ErrNoSpace,
		"cannot destroy 'tank/a': dataset is busy\n":                                                                        ErrInUse,
		"cannot destroy 'tank/a': volume has children\nuse '-r' to destroy the following datasets:\ntank/a@one\n":           ErrDependent,
		"cannot destroy 'tank/a@one': snapshot has dependent clones\nuse '-R' to destroy the following datasets:\ntank/b\n": ErrDependent,
		"cannot rollback to 'tank/a@one': more recent snapshots or bookmarks exist\nuse '-r' to force deletion\n":           ErrNewer,
	} {
		p := &tooltest.Player{Results: []run.Result{{Exit: 1, Stderr: []byte(text)}}}
		if err := (Tool{Run: p}).Destroy(ctx, "tank/a"); !errors.Is(err, want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestBadNamesRunNothing(t *testing.T) {
	x := Tool{Run: &tooltest.Player{}}
	_, listed := x.List(ctx, "-r")
	for _, err := range []error{listed, x.Destroy(ctx, "-r"), x.Destroy(ctx, "tank/a@-r"), x.Destroy(ctx, "tank/a@b@c"), x.Destroy(ctx, "tank/a@"), x.Destroy(ctx, "tank/a%b"),
		x.Snapshot(ctx, "tank/a@b", "holdfast:snapshot", "x y"), x.Create(ctx, "tank/..//a", 1, true, "k", "v"), x.Clone(ctx, "tank/a@b", "/tank/a", "k", "v")} {
		if !errors.Is(err, ErrBadName) {
			t.Error(err)
		}
	}
}
