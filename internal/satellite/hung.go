package satellite

import (
	"errors"
	"fmt"
	"strings"

	"holdfast/internal/tool/run"
)

// reason is an error for people: programs by their name, without their many arguments. Those are in the log.
func reason(err error) string {
	text := err.Error()
	var h *run.HungError
	if errors.As(err, &h) && len(h.Argv) > 0 {
		short := fmt.Sprintf("%s didn't end within %s", h.Argv[0], h.After)
		if !h.Reaped {
			short += fmt.Sprintf(" and can't be killed (pid %d)", h.Pid)
		}
		text = strings.Replace(text, h.Error(), short, 1)
	}
	var x *run.ExitError
	if errors.As(err, &x) && len(x.Argv) > 0 {
		short := fmt.Sprintf("%s: exit %d", x.Argv[0], x.Exit)
		if s := strings.Join(strings.Fields(string(x.Stderr)), " "); s != "" {
			short += ": " + s
		}
		text = strings.Replace(text, x.Error(), short, 1)
	}
	return text
}

// hungText says what a program that doesn't end holds up.
func hungText(h *hungProgram) string {
	return fmt.Sprintf("%s hangs and can't be killed (pid %d); what it holds up goes on when it ends, at the latest after a reboot", h.Argv[0], h.Pid)
}
