package ui

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// Progress is a moment of a running copy.
type Progress struct {
	// Label names what is copied.
	Label string
	// LeftKib of TotalKib remain, in KiB.
	LeftKib, TotalKib int64
	// RateKib is the speed in KiB per second, 0 when unknown.
	RateKib int64
}

// Fraction is how much is done, 0 to 1.
func (p Progress) Fraction() float64 {
	if p.TotalKib <= 0 {
		return 1
	}
	return min(1, max(0, 1-float64(p.LeftKib)/float64(p.TotalKib)))
}

// Remaining is the time left at the current speed; false when it is unknown.
func (p Progress) Remaining() (time.Duration, bool) {
	if p.LeftKib <= 0 {
		return 0, true
	}
	if p.RateKib <= 0 {
		return 0, false
	}
	secs := float64(p.LeftKib) / float64(p.RateKib)
	if secs > 1e8 {
		return 0, false
	}
	return time.Duration(math.Ceil(secs)) * time.Second, true
}

// Line renders the progress in at most width characters: label, bar, percent, rate, time left. No line end, no colours.
func (p Progress) Line(s Style, width int) string {
	tail := fmt.Sprintf(" %5.1f%%", math.Floor(p.Fraction()*1000)/10)
	if p.RateKib > 0 {
		tail += "  " + FormatSize(p.RateKib) + "/s"
	}
	if d, ok := p.Remaining(); ok && p.LeftKib > 0 {
		tail += "  " + FormatDuration(d) + " left"
	}
	label := clean(p.Label)
	room := width - utf8.RuneCountInString(label) - utf8.RuneCountInString(tail) - 3
	if room < 5 {
		return Fit(label+tail, width)
	}
	return label + " " + bar(s, p.Fraction(), min(room, 40)) + tail
}

func bar(s Style, done float64, width int) string {
	full, empty, left, right := "#", ".", "[", "]"
	if s.UTF8 {
		full, empty, left, right = "█", "░", "▕", "▏"
	}
	n := int(done * float64(width))
	return left + strings.Repeat(full, n) + strings.Repeat(empty, width-n) + right
}

// FormatDuration writes a time to the second: 45s, 3m20s, 2h05m, 3d04h.
func FormatDuration(d time.Duration) string {
	s := int64(d / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	default:
		return fmt.Sprintf("%dd%02dh", s/86400, s/3600%24)
	}
}

// Fit cuts text to one line of at most width characters; a cut line ends in "...".
func Fit(text string, width int) string {
	text = strings.ReplaceAll(clean(text), "\n", " ")
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	r := []rune(text)
	if width <= 3 {
		return string(r[:max(0, width)])
	}
	return string(r[:width-3]) + "..."
}

// Meter turns moments of a copy into a speed, averaged over a window.
type Meter struct {
	window  time.Duration
	samples []sample
}

type sample struct {
	at   time.Time
	left int64
}

// NewMeter averages over the given time.
func NewMeter(window time.Duration) *Meter { return &Meter{window: window} }

// Add takes what is left at a moment, in KiB, and returns the speed in KiB per second, 0 when unknown. When more is left
// than before, the average begins anew.
func (m *Meter) Add(at time.Time, leftKib int64) int64 {
	if n := len(m.samples); n > 0 && leftKib > m.samples[n-1].left {
		m.samples = nil
	}
	m.samples = append(m.samples, sample{at, leftKib})
	for len(m.samples) > 2 && at.Sub(m.samples[0].at) > m.window {
		m.samples = m.samples[1:]
	}
	first := m.samples[0]
	secs := at.Sub(first.at).Seconds()
	if secs <= 0 {
		return 0
	}
	return int64(float64(first.left-leftKib) / secs)
}
