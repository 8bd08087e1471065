package ui

import (
	"bytes"
	"encoding/json"
	"io"
)

// JSON writes v indented by two spaces, with a newline; characters such as < stay as they are.
func JSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// RawList writes JSON text received from the controller as the one element of a list: [[...]].
func RawList(w io.Writer, raw json.RawMessage) error {
	var b bytes.Buffer
	if len(bytes.TrimSpace(raw)) == 0 {
		raw = json.RawMessage("[]")
	}
	if err := json.Indent(&b, append(append([]byte("["), raw...), ']'), "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := b.WriteTo(w)
	return err
}
