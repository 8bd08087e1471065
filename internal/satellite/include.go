package satellite

import (
	"bytes"
	"fmt"
	"path"

	"holdfast/internal/tool/run"
)

// includeFile lets people, and drbd-utils' own scripts, name our resources to drbdadm. We never read it: every drbdadm
// call of ours names one resource's file.
const includeFile = "/etc/drbd.d/holdfast.res"

// writeInclude makes it what it should be. A node without /etc/drbd.d has no drbd-utils and needs none.
func writeInclude(fs run.FS, configDir string) error {
	if st, err := fs.Stat(path.Dir(includeFile)); err != nil || !st.Exists {
		return err
	}
	want := fmt.Appendf(nil, "# Made by holdfast satellite: its resources, for drbdadm as typed by people.\ninclude %q;\n", configDir+"/*.res")
	if have, err := fs.ReadFile(includeFile); err == nil && bytes.Equal(have, want) {
		return nil
	}
	return fs.WriteFile(includeFile, want, 0o644)
}
