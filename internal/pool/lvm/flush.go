package lvm

import "context"

// flusher is what a machine with real disks can do beside running programs.
type flusher interface {
	FlushDevice(ctx context.Context, path string) error
}

// flush makes LVM's metadata durable. LVM 2.03 writes its text and then the header that points to it without a flush; a
// disk that loses its cache in a power cut may keep the header alone, and then the whole volume group can't be read.
// (Seen in the lab.) Until this flush that can happen; LVM lets nobody in between.
func (d Driver) flush(ctx context.Context, devices ...string) error {
	f, ok := d.Tool.Run.(flusher)
	if !ok {
		return nil
	}
	for _, dev := range devices {
		if err := f.FlushDevice(ctx, dev); err != nil {
			return err
		}
	}
	return nil
}
