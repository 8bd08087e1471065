package run

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Busy tells whether something has claimed a block device: a mount, DRBD, device-mapper. It opens the device for reading,
// exclusively (open(2), O_EXCL), and closes it again; who merely has it open isn't seen.
func (OS) Busy(path string) (bool, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_EXCL, 0)
	if errors.Is(err, syscall.EBUSY) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("look who uses %s: %w", path, err)
	}
	return false, f.Close()
}
