package obs

import (
	"fmt"
	"io"
	"log/slog"
)

// NewLogger writes lines of at least the level (debug, info, warn, error) to w, in a format: text, as key=value pairs, or
// json. At level debug each line names its source.
func NewLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	var l slog.Level
	switch level {
	case "debug":
		l = slog.LevelDebug
	case "info":
		l = slog.LevelInfo
	case "warn":
		l = slog.LevelWarn
	case "error":
		l = slog.LevelError
	default:
		return nil, fmt.Errorf("set up logging: '%s' is not a level", level)
	}
	opts := &slog.HandlerOptions{Level: l, AddSource: l == slog.LevelDebug}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	}
	return nil, fmt.Errorf("set up logging: '%s' is not a format", format)
}

// Discard is a logger for tests.
func Discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
