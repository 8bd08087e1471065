package run

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Reflinks tries whether files in dir can share blocks (ioctl_ficlone(2)), with two files that never get a name (open(2),
// O_TMPFILE). An error means that it couldn't be tried, on a file system without such files for example.
func (OS) Reflinks(dir string) (bool, error) {
	var files [2]*os.File
	for i := range files {
		f, err := os.OpenFile(dir, unix.O_TMPFILE|os.O_RDWR, 0o600)
		if err != nil {
			return false, fmt.Errorf("try whether files in %s can share blocks: %w", dir, err)
		}
		defer f.Close()
		files[i] = f
	}
	err := unix.IoctlFileClone(int(files[0].Fd()), int(files[1].Fd()))
	switch {
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOTTY), errors.Is(err, unix.EINVAL):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("try whether files in %s can share blocks: %w", dir, err)
	}
	return true, nil
}
