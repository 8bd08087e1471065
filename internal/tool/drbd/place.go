package drbd

import (
	"fmt"
	"strconv"
	"strings"
)

// Place is drbd-utils' note of where a minor's internal metadata lie: at the
// end of the backing device as it was with this size. Attach looks at the
// device's end first, then at the place of the note, and moves the metadata if
// the device has grown meanwhile. Without the note, or with an old one, it
// finds none, or ones that were left behind (seen in the lab). drbd-utils
// writes it at create-md, attach and `drbdadm resize`, without a sync.
type Place struct {
	SizeKiB int64
	Device  string // path; attach doesn't mind another (a loop device's changes)
}

// PlaceDir is where the notes are, by minor.
const PlaceDir = "/var/lib/drbd"

// PlaceFile is the file of a minor's note.
func PlaceFile(minor int) string { return fmt.Sprintf("%s/drbd-minor-%d.lkbd", PlaceDir, minor) }

// Text is the file's.
func (p Place) Text() []byte { return fmt.Appendf(nil, "%d\t%s\n", p.SizeKiB<<10, p.Device) }

// ParsePlace reads the file's text; false: it says nothing.
func ParsePlace(text []byte) (Place, bool) {
	size, rest, _ := strings.Cut(string(text), "\t")
	n, err := strconv.ParseInt(strings.TrimSpace(size), 10, 64)
	if err != nil || n <= 0 || n%1024 != 0 {
		return Place{}, false
	}
	dev, _, _ := strings.Cut(rest, "\n")
	return Place{SizeKiB: n >> 10, Device: dev}, true
}
