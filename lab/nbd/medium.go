package nbd

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// pageSize is the unit of cache and copy-on-write, bytes.
const pageSize = 4096

// sectorSize is the unit that is never torn, bytes.
const sectorSize = 512

// medium is what outlives the loss of power. Offsets and lengths are whole pages.
type medium struct {
	file *os.File
	base *os.File // read where file has nothing; nil: zeros
	own  []uint64 // with a base: a bit per page that file has
}

func (m *medium) owns(page int64) bool { return m.base == nil || m.own[page/64]&(1<<(page%64)) != 0 }

func (m *medium) take(page int64) {
	if m.base != nil {
		m.own[page/64] |= 1 << (page % 64)
	}
}

func (m *medium) readAt(p []byte, off int64) error {
	for len(p) > 0 {
		first := off / pageSize
		mine := m.owns(first)
		n := pageSize
		for n < len(p) && m.owns(first+int64(n/pageSize)) == mine {
			n += pageSize
		}
		from := m.file
		if !mine {
			from = m.base
		}
		got, err := from.ReadAt(p[:n], off)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read medium: %w", err)
		}
		clear(p[got:n]) // the base may end early
		p, off = p[n:], off+int64(n)
	}
	return nil
}

func (m *medium) writeAt(p []byte, off int64) error {
	if _, err := m.file.WriteAt(p, off); err != nil {
		return fmt.Errorf("write medium: %w", err)
	}
	for page := off / pageSize; page < (off+int64(len(p)))/pageSize; page++ {
		m.take(page)
	}
	return nil
}

// zero makes whole pages read as zeros and gives their space back.
func (m *medium) zero(off, n int64) error {
	if err := unix.Fallocate(int(m.file.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, n); err != nil {
		return fmt.Errorf("punch hole: %w", err)
	}
	for page := off / pageSize; page < (off+n)/pageSize; page++ {
		m.take(page)
	}
	return nil
}
