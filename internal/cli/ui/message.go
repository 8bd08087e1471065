package ui

import (
	"io"
	"strings"

	"holdfast/api"
)

// Message writes one entry of a reply: its class, what happened, why, what to do.
func Message(w io.Writer, s Style, rc api.ApiCallRc) error {
	var b strings.Builder
	class := rc.RetCode.Class()
	// The colour is reset at the start of the next line, as LINSTOR's client does.
	b.WriteString(s.Paint(class.String()+":\n", classColor(class)))
	if rc.Message != "" {
		if rc.Cause != "" || rc.Correction != "" || rc.Details != "" {
			b.WriteString("Description:\n")
		}
		indent(&b, rc.Message)
	}
	for _, part := range []struct{ head, body string }{
		{"Cause", rc.Cause}, {"Correction", rc.Correction}, {"Details", rc.Details},
	} {
		if part.body != "" {
			b.WriteString(part.head + ":\n")
			indent(&b, part.body)
		}
	}
	if len(rc.ErrorReportIDs) > 0 {
		b.WriteString("Show reports:\n")
		indent(&b, "linstor error-reports show "+strings.Join(rc.ErrorReportIDs, " "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func classColor(c api.Class) Color {
	switch c {
	case api.ClassError:
		return Red
	case api.ClassWarning:
		return Yellow
	case api.ClassInfo:
		return Blue
	default:
		return Green
	}
}

func indent(b *strings.Builder, text string) {
	for _, line := range splitLines(text) {
		b.WriteString("    ")
		b.WriteString(line)
		b.WriteByte('\n')
	}
}
