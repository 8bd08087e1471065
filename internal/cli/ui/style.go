package ui

// Style says what the reader's screen can show.
type Style struct {
	// Color allows ANSI colours.
	Color bool
	// UTF8 allows box-drawing characters.
	UTF8 bool
}

// Pastable is s without colours and box-drawing characters.
func (s Style) Pastable() Style { return Style{} }

// Color is an ANSI colour.
type Color int

// The colours in use. NoColor leaves text as it is.
const (
	NoColor Color = iota
	DarkGreen
	DarkPink
	Gray
	Red
	Green
	Yellow
	Blue
	Pink
)

const reset = "\x1b[0m"

func (c Color) code() string {
	switch c {
	case DarkGreen:
		return "\x1b[0;32m"
	case DarkPink:
		return "\x1b[0;35m"
	case Gray:
		return "\x1b[0;37m"
	case Red:
		return "\x1b[1;31m"
	case Green:
		return "\x1b[1;32m"
	case Yellow:
		return "\x1b[1;33m"
	case Blue:
		return "\x1b[1;34m"
	case Pink:
		return "\x1b[1;35m"
	default:
		return ""
	}
}

// Paint colours text where the style allows it.
func (s Style) Paint(text string, c Color) string {
	if !s.Color || c == NoColor {
		return text
	}
	return c.code() + text + reset
}
