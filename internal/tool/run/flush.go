package run

import (
	"context"
	"fmt"
)

// FlushDevice makes what was written to a block device durable: its own cache too (sync(1) of a device is fdatasync(2),
// which sends it a flush).
func (o OS) FlushDevice(ctx context.Context, path string) error {
	if _, err := Check(ctx, o, Cmd{Argv: []string{"sync", "-d", path}}, nil); err != nil {
		return fmt.Errorf("flush %s: %w", path, err)
	}
	return nil
}
