package ui_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"holdfast/api"
	"holdfast/internal/cli/ui"
)

var (
	plain = ui.Style{}
	full  = ui.Style{Color: true, UTF8: true}
)

func table(rows ...[]ui.Cell) *ui.Table {
	return &ui.Table{Columns: []ui.Column{{Name: "Name"}, {Name: "Free_Space", Right: true}, {Name: "State", Color: ui.DarkGreen}}, Rows: rows}
}

func draw(t *testing.T, tb *ui.Table, s ui.Style) string {
	t.Helper()
	var b strings.Builder
	if err := tb.Write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAnEmptyTableIsItsHeading(t *testing.T) {
	want := strings.TrimLeft(`
+---------------------------+
| Name | Free Space | State |
|===========================|
+---------------------------+
`, "\n")
	if d := cmp.Diff(want, draw(t, table(), plain)); d != "" {
		t.Error(d)
	}
}

func TestCellsOfSeveralLinesSeparateRows(t *testing.T) {
	rows := [][]ui.Cell{ui.Texts("alpha", "1 GiB", "a: x\nb: y"), ui.Texts("bé", "", "ok")}
	want := strings.TrimLeft(`
+----------------------------+
| Name  | Free Space | State |
|============================|
| alpha |      1 GiB | a: x  |
|       |            | b: y  |
|----------------------------|
| bé    |            | ok    |
+----------------------------+
`, "\n")
	if d := cmp.Diff(want, draw(t, table(rows...), plain)); d != "" {
		t.Error(d)
	}
}

func TestBoxesAndColours(t *testing.T) {
	rows := [][]ui.Cell{{ui.Text("a"), ui.Text("1"), {Text: "bad", Color: ui.Red}}, ui.Texts("b", "2", "ok")}
	want := strings.TrimLeft(strings.ReplaceAll(`
╭───────────────────────────╮
┊ Name ┊ Free Space ┊ State ┊
╞═══════════════════════════╡
┊ a    ┊          1 ┊ ESC[1;31mbad  ESC[0m ┊
┊ b    ┊          2 ┊ ESC[0;32mok   ESC[0m ┊
╰───────────────────────────╯
`, "ESC", "\x1b"), "\n")
	if d := cmp.Diff(want, draw(t, table(rows...), full)); d != "" {
		t.Error(d)
	}
}

// Text that users stored must not steer the terminal.
func TestControlCharactersAreNotPrinted(t *testing.T) {
	got := draw(t, table(ui.Texts("a\x1b[2J\r\x07", "\u009b1m", "x")), full)
	for _, bad := range []string{"\x1b[2J", "\r", "\x07", "\u009b"} {
		if strings.Contains(got, bad) {
			t.Errorf("%q is in %q", bad, got)
		}
	}
	var b strings.Builder
	if err := ui.Message(&b, plain, api.Rc(api.FailInUse, "x\x1b]0;y\x07z")); err != nil || strings.ContainsAny(b.String(), "\x1b\x07") {
		t.Errorf("%q %v", b.String(), err)
	}
}

func TestSortBy(t *testing.T) {
	tb := table(ui.Texts("node10", "1", "b"), ui.Texts("node2", "1", "a"), ui.Texts("node1", "2", "a"))
	names := func() (s string) {
		for _, r := range tb.Rows {
			s += r[0].Text + " "
		}
		return s
	}
	for _, c := range []struct {
		by   []string
		want string
	}{
		{nil, "node1 node2 node10 "},
		{[]string{"state", "NAME"}, "node1 node2 node10 "},
		{[]string{"free_space"}, "node2 node10 node1 "},
		{[]string{"nothing"}, "node2 node10 node1 "},
	} {
		if tb.SortBy(c.by...); names() != c.want {
			t.Errorf("%v: %s, want %s", c.by, names(), c.want)
		}
	}
}

func TestNatural(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "b", -1}, {"a2", "a10", -1}, {"a10b", "a10a", 1}, {"a", "a1", -1}, {"1", "a", -1},
		{"99999999999999999999999", "99999999999999999999998", 1},
	} {
		if got := ui.Natural(c.a, c.b); got != c.want {
			t.Errorf("Natural(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestMessage(t *testing.T) {
	for _, c := range []struct {
		rc    api.ApiCallRc
		style ui.Style
		want  string
	}{
		{api.Rc(api.Created, "done"), plain, "SUCCESS:\n    done\n"},
		{api.Rc(api.InfoNoop, "done\ntwice\n"), plain, "INFO:\n    done\n    twice\n"},
		{api.Rc(api.WarnNotFound, "").Because("c"), plain, "WARNING:\nCause:\n    c\n"},
		{api.Rc(api.FailExistsNode, "m").Because("c").Do("- 1\n- 2").With("d"), plain,
			"ERROR:\nDescription:\n    m\nCause:\n    c\nCorrection:\n    - 1\n    - 2\nDetails:\n    d\n"},
		{api.ApiCallRc{RetCode: api.FailInUse, Message: "m", ErrorReportIDs: []string{"A", "B"}}, full,
			"\x1b[1;31mERROR:\n\x1b[0m    m\nShow reports:\n    linstor error-reports show A B\n"},
	} {
		var b strings.Builder
		if err := ui.Message(&b, c.style, c.rc); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, b.String()); d != "" {
			t.Error(d)
		}
	}
}

func TestParseSize(t *testing.T) {
	for in, want := range map[string]int64{
		"512M": 524288, "512MiB": 524288, "512 mib": 524288, "1G": 1 << 20, "10GB": 9765625, "1": 1 << 20, "2048k": 2048,
		"1kB": 1, "1B": 1, "1024b": 1, "1025B": 2, "3s": 2, "1T": 1 << 30, "1PiB": 1 << 40, "100MB": 97657,
	} {
		if got, err := ui.ParseSize(in); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", in, got, err, want)
		}
	}
	for _, bad := range []string{"", "M", "-1G", "1.5G", "1X", "1 G G", "99999999999999999999G", "9000000000P"} {
		if got, err := ui.ParseSize(bad); err == nil {
			t.Errorf("%q gave %d", bad, got)
		}
	}
}

func TestFormatSize(t *testing.T) {
	for in, want := range map[int64]string{
		0: "0 KiB", 1023: "1023 KiB", 1024: "1 MiB", 1536: "1.50 MiB", 524288: "512 MiB", 1 << 20: "1 GiB", 51200000: "48.83 GiB",
		1 << 50: "1024 PiB",
	} {
		if got := ui.FormatSize(in); got != want {
			t.Errorf("%d: %s, want %s", in, got, want)
		}
	}
}

func TestProgressLine(t *testing.T) {
	p := ui.Progress{Label: "backups", LeftKib: 262144, TotalKib: 1 << 20, RateKib: 51200}
	for _, c := range []struct {
		p     ui.Progress
		s     ui.Style
		width int
		want  string
	}{
		{p, plain, 60, "backups [##################......]  75.0%  50 MiB/s  6s left"},
		{p, full, 60, "backups ▕██████████████████░░░░░░▏  75.0%  50 MiB/s  6s left"},
		{p, plain, 20, "backups  75.0%  5..."},
		{ui.Progress{Label: "x", LeftKib: 100, TotalKib: 100}, plain, 30, "x [...................]   0.0%"},
		{ui.Progress{Label: "x", LeftKib: 1, TotalKib: 100000}, plain, 30, "x [##################.]  99.9%"},
		{ui.Progress{Label: "x", LeftKib: 200, TotalKib: 100}, plain, 30, "x [...................]   0.0%"},
		{ui.Progress{Label: "x"}, plain, 30, "x [###################] 100.0%"},
	} {
		if got := c.p.Line(c.s, c.width); got != c.want {
			t.Errorf("%+v:\n%s\n%s", c.p, got, c.want)
		}
		if n := utf8.RuneCountInString(c.want); n > c.width {
			t.Errorf("%d characters, more than %d", n, c.width)
		}
	}
}

func TestMeterMeasuresOverItsWindow(t *testing.T) {
	m := ui.NewMeter(4 * time.Second)
	at := time.Unix(0, 0)
	for i, c := range []struct {
		after      time.Duration
		left, want int64
	}{
		{0, 1000, 0}, {time.Second, 900, 100}, {time.Second, 800, 100}, {10 * time.Second, 800, 0}, {time.Second, 700, 100},
		{time.Second, 5000, 0}, {2 * time.Second, 4000, 500},
	} {
		at = at.Add(c.after)
		if got := m.Add(at, c.left); got != c.want {
			t.Errorf("step %d: %d, want %d", i, got, c.want)
		}
	}
}

func TestFormatDuration(t *testing.T) {
	for in, want := range map[time.Duration]string{
		0: "0s", 59 * time.Second: "59s", 200 * time.Second: "3m20s", 125 * time.Minute: "2h05m", 76 * time.Hour: "3d04h",
	} {
		if got := ui.FormatDuration(in); got != want {
			t.Errorf("%v: %s, want %s", in, got, want)
		}
	}
}
