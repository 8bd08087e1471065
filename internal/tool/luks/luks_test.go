package luks

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/tool/run"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]map[string]Mapping{
		"":                   {},
		"No devices found\n": {},
		"holdfast-1b: 0 32768 crypt aes-xts-plain64 :64:logon:cryptsetup:3bd0cb1d-d0 0 253:3 32768\n" +
			"other: 0 8192 crypt aes-cbc-essiv:sha256 0000 0 7:0 4096 1 allow_discards\n": {
			"holdfast-1b": {"holdfast-1b", 16384, 16384}, "other": {"other", 4096, 2048}},
	} {
		got, err := Parse([]byte(text))
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%q: %v\n%s", text, err, d)
		}
	}
	for _, text := range []string{"x: 0 8 linear 1:2 0\n", "x: 0 y crypt a b 0 1:2 0\n", "x: 0 8 crypt a b 0 1:2 z\n"} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// fake answers every command alike, and keeps what it was given.
type fake struct {
	res run.Result
	got []run.Cmd
}

func (f *fake) Run(_ context.Context, c run.Cmd) (run.Result, error) {
	f.got = append(f.got, c)
	return f.res, nil
}

func TestKeysGoInThroughStandardInput(t *testing.T) {
	f := &fake{}
	l, ctx := Tool{Run: f}, context.Background()
	key := []byte("k3y")
	for _, err := range []error{l.Format(ctx, "/dev/vg/a", 16384, key, true), l.Format(ctx, "/dev/vg/a", 16384, key, false), l.Open(ctx, "/dev/vg/a", "m", key, true),
		l.Try(ctx, "/dev/vg/a", key), l.Resize(ctx, "m", key), l.ChangeKey(ctx, "/dev/vg/a", []byte("0ld"), key, false)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range f.got {
		if slices.Contains(c.Argv, "k3y") || slices.Contains(c.Argv, "0ld") {
			t.Errorf("%q", c.Argv)
		}
		if want := "k3y"; i < 5 && string(c.Stdin) != want {
			t.Errorf("%q: %q", c.Argv, c.Stdin)
		}
	}
	for _, c := range [][2]string{{"vg/a", "m"}, {"/dev/../etc/x", "m"}, {"/dev/vg/a", "-m"}, {"/dev/vg/a", ""}} {
		if err := l.Open(ctx, c[0], c[1], key, false); c[1] != "" && !errors.Is(err, ErrBadName) {
			t.Errorf("%q: %v", c, err)
		}
	}
	if err := l.Open(ctx, "/dev/vg/a", "m", []byte("two\nlines"), false); !errors.Is(err, ErrBadName) {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		exit int
		text string
		want error
	}{
		{2, "No key available with this passphrase.", ErrWrongKey},
		{1, "Device /dev/vg/a is not a valid LUKS device.", ErrNotLUKS},
		{5, "Device m already exists.", ErrExists},
		{5, "Device m is still in use.", ErrInUse},
		{4, "Device m is not active.", ErrNotFound},
	} {
		l := Tool{Run: &fake{res: run.Result{Exit: c.exit, Stderr: []byte(c.text + "\n")}}}
		if err := l.Open(context.Background(), "/dev/vg/a", "m", []byte("k"), false); !errors.Is(err, c.want) {
			t.Errorf("%q: %v", c.text, err)
		}
	}
}
