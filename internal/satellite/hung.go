package satellite

import (
	"fmt"
	"strings"
)

// hungText says what a program that doesn't end holds up.
func hungText(h *hungProgram) string {
	return fmt.Sprintf("a program hangs and can't be killed: `%s` (pid %d); what it holds up goes on when it ends, at the latest after a reboot",
		strings.Join(h.Argv, " "), h.Pid)
}
