package drbd

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/tool/run"
	"holdfast/internal/tool/tooltest"
)

var (
	ctx = context.Background()
	tgt = Target{File: "/etc/drbd.d/r0.res", Resource: "r0"}
	md  = Meta{Minor: 1000, Format: V08, Device: "/dev/sw_ssd/a_00000"}
)

func TestErrors(t *testing.T) {
	read := func(t Tool) error { _, err := t.ReadMetadata(ctx, md); return err }
	adjust := func(t Tool) error { return t.Adjust(ctx, tgt) }
	for _, c := range []struct {
		trace string
		call  func(Tool) error
		want  error
	}{
		{"alpha-adjust-nothing", adjust, nil},
		{"adjust-one-node", adjust, nil},
		{"adjust-no-metadata", adjust, ErrNoMetadata},
		{"adjust-no-device", adjust, ErrNoDevice},
		{"adjust-no-file", adjust, ErrNoFile},
		{"adjust-unknown", adjust, ErrUnknownResource},
		{"adjust-one-host", adjust, ErrNoPeer},
		{"alpha-up", func(t Tool) error { return t.Up(ctx, tgt) }, nil},
		{"alpha-up-again", func(t Tool) error { return t.Up(ctx, tgt) }, ErrAlreadyExists},
		{"alpha-up-no-metadata", func(t Tool) error { return t.Up(ctx, tgt) }, ErrNoMetadata},
		{"sh-nop", func(t Tool) error { return t.CheckFile(ctx, tgt) }, nil},
		{"sh-nop-broken", func(t Tool) error { return t.CheckFile(ctx, tgt) }, ErrParse},
		{"alpha-dump-broken", func(t Tool) error { return t.CheckFile(ctx, tgt) }, ErrParse},
		{"alpha-down-open", func(t Tool) error { return t.Down(ctx, tgt) }, ErrInUse},
		{"alpha-down-after-failed-up", func(t Tool) error { return t.Down(ctx, tgt) }, nil},
		{"down-unknown", func(t Tool) error { return t.DownByName(ctx, "r0") }, nil},
		{"alpha-primary-not-uptodate", func(t Tool) error { return t.Primary(ctx, tgt, false) }, ErrNeedUpToDate},
		{"bravo-primary-two", func(t Tool) error { return t.Primary(ctx, tgt, false) }, ErrOtherPrimary},
		{"primary-not-up", func(t Tool) error { return t.Primary(ctx, tgt, false) }, ErrUnknownResource},
		{"alpha-primary-force", func(t Tool) error { return t.Primary(ctx, tgt, true) }, nil},
		{"alpha-secondary-open", func(t Tool) error { return t.Secondary(ctx, tgt) }, ErrInUse},
		{"skip-sync", func(t Tool) error { return t.SkipInitialSync(ctx, tgt, 0) }, nil},
		{"skip-sync-too-late", func(t Tool) error { return t.SkipInitialSync(ctx, tgt, 0) }, ErrWrongState},
		{"detach-last-primary", func(t Tool) error { return t.Detach(ctx, tgt, 0) }, ErrNeedUpToDate},
		{"detach-last-secondary", func(t Tool) error { return t.Detach(ctx, tgt, 0) }, nil}, // why there's a guard
		{"attach-again", func(t Tool) error { return t.Attach(ctx, tgt, 0) }, ErrAlreadyExists},
		{"connect-again", func(t Tool) error { return t.Connect(ctx, tgt, "") }, ErrPortInUse},
		{"disconnect-again", func(t Tool) error { return t.Disconnect(ctx, tgt, "") }, ErrNotConnected},
		{"resume-unknown-minor", func(t Tool) error { return t.ResumeIO(ctx, 999) }, ErrUnknownResource},
		{"meta-none", read, ErrNoMetadata},
		{"meta-other-format", read, ErrNoMetadata},
		{"meta-no-device", read, ErrNoDevice},
		{"meta-busy", read, ErrAttached},
		{"alpha-dump-md-attached", read, ErrAttached},
		{"meta-unclean", read, nil},
	} {
		err := c.call(Tool{Run: tooltest.Play(t, "drbd84/"+c.trace)})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.trace, err, c.want)
		}
	}
	noModule := &tooltest.Player{Results: []run.Result{{Exit: 20, Stderr: []byte("modprobe: FATAL: Module drbd not found in directory /lib/modules/6.1.0\nFailed to modprobe drbd (No such file or directory)\n")}}}
	if _, err := (Tool{Run: noModule}).Snapshot(ctx); !errors.Is(err, ErrNoModule) {
		t.Error(err)
	}
}

func TestMetadata(t *testing.T) {
	for trace, want := range map[string]MetaInfo{
		"meta-fresh":    {Fresh: true, Current: 4},
		"alpha-dump-md": {Fresh: true, Current: 4},
		"meta-unclean":  {Unclean: true},
	} {
		in, err := Tool{Run: tooltest.Play(t, "drbd84/"+trace)}.ReadMetadata(ctx, md)
		if err != nil || in != want {
			t.Errorf("%s: %+v %v", trace, in, err)
		}
	}
	in, err := parseDump([]byte("version \"v09\";\n\nmax-peers 7;\nnode-id 1;\ncurrent-uuid 0x6A4FABEBE0EBC6BF;\nflags 0x00000080;\n"), Meta{Format: V09})
	if want := (MetaInfo{Current: 0x6A4FABEBE0EBC6BF, MaxPeers: 7}); err != nil || in != want {
		t.Errorf("%+v %v", in, err)
	}
}

func TestCreateMetadata(t *testing.T) {
	commands := func(p *tooltest.Player) string {
		var s []string
		for _, a := range p.Argv {
			s = append(s, strings.TrimPrefix(strings.Join(a, " "), "drbdmeta "))
		}
		return strings.Join(s, "\n")
	}
	// On an empty device.
	p := tooltest.Play(t, "drbd84/meta-create-unforced")
	if err := (Tool{Run: p}).CreateMetadata(ctx, md, 0, true); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff("1000 v08 /dev/sw_ssd/a_00000 internal create-md", commands(p)); d != "" {
		t.Error(d)
	}
	// Over old metadata: wiped first.
	p = tooltest.Play(t, "drbd84/meta-create-again-unforced", "drbd84/meta-unclean", "drbd84/meta-wipe", "drbd84/meta-none", "drbd84/meta-none", "drbd84/meta-create", "drbd84/meta-fresh")
	if err := (Tool{Run: p}).CreateMetadata(ctx, md, 0, true); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff(`1000 v08 /dev/sw_ssd/a_00000 internal create-md
1000 v08 /dev/sw_ssd/a_00000 internal dump-md
--force 1000 v08 /dev/sw_ssd/a_00000 internal wipe-md
1000 v08 /dev/sw_ssd/a_00000 internal dump-md
1000 v09 /dev/sw_ssd/a_00000 internal dump-md
1000 v08 /dev/sw_ssd/a_00000 internal create-md --force
1000 v08 /dev/sw_ssd/a_00000 internal dump-md`, commands(p)); d != "" {
		t.Error(d)
	}
	// Over data: it is known that there are no metadata. If there are some in the end, they are wiped.
	for _, traces := range [][]string{
		{"drbd84/meta-create-over-data-unforced", "drbd84/meta-create", "drbd84/meta-fresh"},
		{"drbd84/meta-create-over-data-unforced", "drbd84/meta-create", "drbd84/meta-unclean", "drbd84/meta-unclean", "drbd84/meta-wipe", "drbd84/meta-none", "drbd84/meta-none", "drbd84/meta-create", "drbd84/meta-fresh"},
	} {
		p = tooltest.Play(t, traces...)
		if err := (Tool{Run: p}).CreateMetadata(ctx, md, 0, true); err != nil || len(p.Argv) != len(traces) {
			t.Errorf("%v\n%s", err, commands(p))
		}
	}
	// Without force they're kept.
	for _, trace := range []string{"meta-create-again-unforced", "meta-create-other-unforced", "meta-create-over-data-unforced"} {
		p = tooltest.Play(t, "drbd84/"+trace)
		if err := (Tool{Run: p}).CreateMetadata(ctx, md, 0, false); !errors.Is(err, ErrHasMetadata) {
			t.Errorf("%s: %v", trace, err)
		}
	}
	p = tooltest.Play(t, "drbd84/alpha-create-md-attached")
	if err := (Tool{Run: p}).CreateMetadata(ctx, md, 0, true); !errors.Is(err, ErrAttached) {
		t.Error(err)
	}
	p = tooltest.Play(t, "drbd84/meta-create-over-filesystem")
	if err := (Tool{Run: p}).CreateMetadata(ctx, md, 0, true); !errors.Is(err, ErrHasData) {
		t.Error(err)
	}
	// What isn't fresh afterwards is an error, where drbdmeta met something and where it says more than was asked.
	for _, traces := range [][]string{
		{"drbd84/meta-create-again-unforced", "drbd84/meta-none", "drbd84/meta-none", "drbd84/meta-create", "drbd84/meta-unclean"},
		{"drbd84/meta-create-converts", "drbd84/meta-unclean"},
	} {
		p = tooltest.Play(t, traces...)
		if err := (Tool{Run: p}).CreateMetadata(ctx, md, 0, true); err == nil || len(p.Argv) != len(traces) {
			t.Errorf("stale metadata taken for fresh: %v", err)
		}
	}
	for _, n := range []int{0, 32} {
		if err := (Tool{Run: &tooltest.Player{}}).CreateMetadata(ctx, Meta{Format: V09, Device: "/dev/a"}, n, true); !errors.Is(err, ErrBadName) {
			t.Error(err)
		}
	}
}

type probe struct {
	*tooltest.Player
	proc string
	err  error
}

func (p probe) ReadFile(string) ([]byte, error) {
	if p.proc == "" {
		return nil, fs.ErrNotExist
	}
	return []byte(p.proc), nil
}

func (p probe) Run(ctx context.Context, c run.Cmd) (run.Result, error) {
	if p.err != nil {
		return run.Result{}, p.err
	}
	return p.Player.Run(ctx, c)
}

func TestDetect(t *testing.T) {
	none := run.Result{Exit: 1, Stderr: []byte("modinfo: ERROR: Module drbd not found.\n")}
	version := tooltest.Load(t, "drbd84/alpha-version").Result
	for _, c := range []struct {
		p    probe
		want Info
	}{
		{probe{Player: &tooltest.Player{Results: []run.Result{version}}, proc: string(tooltest.Load(t, "drbd84/alpha-proc-drbd").Stdout)}, Info{Gen8, "8.4.11", true, "9.22.0"}},
		{probe{Player: tooltest.Play(t, "drbd84/modinfo-version", "drbd84/version-not-loaded")}, Info{Gen8, "8.4.11", false, "9.22.0"}},
		{probe{Player: &tooltest.Player{Results: []run.Result{version}}, proc: "version: 9.2.18 (api:2/proto:118-124)\nGIT-hash: x\n"}, Info{Gen9, "9.2.18", true, "9.22.0"}},
		{probe{Player: &tooltest.Player{Results: []run.Result{none, version}}}, Info{Utils: "9.22.0"}},
		{probe{err: run.ErrNotFound}, Info{}},
	} {
		got, err := Detect(ctx, c.p)
		if err != nil || got != c.want {
			t.Errorf("%+v %v, want %+v", got, err, c.want)
		}
	}
}

func TestBadNamesRunNothing(t *testing.T) {
	x := Tool{Run: &tooltest.Player{}}
	for _, err := range []error{
		x.Up(ctx, Target{File: "/a", Resource: "-all"}), x.Up(ctx, Target{File: "a", Resource: "r"}), x.Down(ctx, Target{File: "/a", Resource: "r/0"}),
		x.DownByName(ctx, "all it"), x.Disconnect(ctx, tgt, "a:b"),
	} {
		if !errors.Is(err, ErrBadName) {
			t.Error(err)
		}
	}
}
