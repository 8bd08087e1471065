package ui

import (
	"bufio"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Column is one column of a table.
type Column struct {
	// Name is the heading; an underscore prints as a space.
	Name string
	// Right aligns the cells to the right.
	Right bool
	// Color is used for cells without their own.
	Color Color
}

// Cell is one field of a table; it may have several lines.
type Cell struct {
	Text  string
	Color Color
}

// Text makes a cell without a colour.
func Text(s string) Cell { return Cell{Text: s} }

// Texts makes cells without colours.
func Texts(s ...string) []Cell {
	cells := make([]Cell, len(s))
	for i := range s {
		cells[i].Text = s[i]
	}
	return cells
}

// Table is a table under construction.
type Table struct {
	Columns []Column
	Rows    [][]Cell
}

// Add appends a row; it must have a cell for each column.
func (t *Table) Add(cells ...Cell) { t.Rows = append(t.Rows, cells) }

// SortBy sorts rows by the named columns, in any case of letters, keeping the order of equal rows; numbers inside words
// count as numbers. Unknown names are ignored; without names the first column counts.
func (t *Table) SortBy(names ...string) {
	var idx []int
	for _, n := range names {
		i := slices.IndexFunc(t.Columns, func(c Column) bool { return strings.EqualFold(c.Name, n) })
		if i >= 0 {
			idx = append(idx, i)
		}
	}
	if len(names) == 0 {
		idx = []int{0}
	}
	slices.SortStableFunc(t.Rows, func(a, b []Cell) int {
		for _, i := range idx {
			if c := Natural(a[i].Text, b[i].Text); c != 0 {
				return c
			}
		}
		return 0
	})
}

// Natural compares words so that "node2" comes before "node10". It returns -1, 0 or 1.
func Natural(a, b string) int {
	for a != "" && b != "" {
		da, db := digits(a), digits(b)
		if da > 0 && db > 0 {
			na, ea := strconv.ParseUint(a[:da], 10, 64)
			nb, eb := strconv.ParseUint(b[:db], 10, 64)
			if ea == nil && eb == nil && na != nb {
				if na < nb {
					return -1
				}
				return 1
			}
			if c := strings.Compare(a[:da], b[:db]); (ea != nil || eb != nil) && c != 0 {
				return c
			}
			a, b = a[da:], b[db:]
			continue
		}
		if a[0] != b[0] {
			return strings.Compare(a[:1], b[:1])
		}
		a, b = a[1:], b[1:]
	}
	return strings.Compare(a, b)
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// frame is a set of characters to draw a table with.
type frame struct {
	topL, topR, botL, botR, sepL, sepR, pipe string
	line, dots, head                         string
}

var (
	boxFrame   = frame{"╭", "╮", "╰", "╯", "╞", "╡", "┊", "─", "┄", "═"}
	asciiFrame = frame{"+", "+", "+", "+", "|", "|", "|", "-", "-", "="}
)

// Write draws the table. An empty one has its heading only.
func (t *Table) Write(w io.Writer, s Style) error {
	f := asciiFrame
	if s.UTF8 {
		f = boxFrame
	}
	width := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		width[i] = utf8.RuneCountInString(c.Name)
	}
	multi := false
	for _, row := range t.Rows {
		for i, c := range row {
			lines := splitLines(c.Text)
			multi = multi || len(lines) > 1
			for _, l := range lines {
				width[i] = max(width[i], utf8.RuneCountInString(l))
			}
		}
	}
	total := 3*len(width) - 1
	for _, n := range width {
		total += n
	}
	out := bufio.NewWriter(w)
	rule := func(left, mid, right string) {
		out.WriteString(left)
		out.WriteString(strings.Repeat(mid, total))
		out.WriteString(right)
		out.WriteByte('\n')
	}
	head := make([]Cell, len(t.Columns))
	for i, c := range t.Columns {
		head[i].Text = strings.ReplaceAll(c.Name, "_", " ")
	}
	rule(f.topL, f.line, f.topR)
	t.writeRow(out, f, Style{}, head, width)
	rule(f.sepL, f.head, f.sepR)
	for i, row := range t.Rows {
		if i > 0 && multi {
			rule(f.sepL, f.dots, f.sepR)
		}
		t.writeRow(out, f, s, row, width)
	}
	rule(f.botL, f.line, f.botR)
	return out.Flush()
}

func (t *Table) writeRow(out *bufio.Writer, f frame, s Style, row []Cell, width []int) {
	lines := make([][]string, len(row))
	height := 1
	for i, c := range row {
		lines[i] = splitLines(c.Text)
		height = max(height, len(lines[i]))
	}
	for y := range height {
		out.WriteString(f.pipe)
		for i, c := range row {
			text := ""
			if y < len(lines[i]) {
				text = lines[i][y]
			}
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(text))
			if t.Columns[i].Right {
				text = pad + text
			} else {
				text += pad
			}
			color := c.Color
			if color == NoColor {
				color = t.Columns[i].Color
			}
			out.WriteByte(' ')
			out.WriteString(s.Paint(text, color))
			out.WriteByte(' ')
			out.WriteString(f.pipe)
		}
		out.WriteByte('\n')
	}
}

func splitLines(s string) []string {
	return strings.Split(strings.TrimSuffix(clean(s), "\n"), "\n")
}

// clean replaces control characters other than line ends, so that stored text can't move the cursor or change colours.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && (r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0) {
			return '?'
		}
		return r
	}, strings.ReplaceAll(s, "\t", "    "))
}
