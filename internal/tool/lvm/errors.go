package lvm

import (
	"errors"
	"strings"

	"holdfast/internal/tool/run"
)

// What LVM's error texts mean.
var (
	ErrVGNotFound = errors.New("volume group not found")
	ErrNotFound   = errors.New("logical volume not found")
	ErrExists     = errors.New("logical volume exists")
	// ErrPoolNotFound: the volume group has no such thin pool.
	ErrPoolNotFound = errors.New("thin pool not found")
	ErrNoSpace      = errors.New("not enough space in volume group")
	ErrInUse        = errors.New("logical volume in use")
	// ErrBadName: a name, tag or size that LVM wouldn't take. Nothing was run.
	ErrBadName = errors.New("name not usable in LVM")
)

// patterns in the order of trial: each is a part of one stderr line. Source:
// LVM 2.03.16, seen in the lab with exit 5.
var patterns = []struct {
	has  []string
	kind error
}{
	{[]string{`Volume group "`, `" not found`}, ErrVGNotFound},
	{[]string{`Logical Volume "`, `" already exists in volume group`}, ErrExists},
	{[]string{`Volume group "`, `" has insufficient free space (`}, ErrNoSpace},           // lvcreate
	{[]string{`Insufficient free space: `, ` extents needed, but only `}, ErrNoSpace},     // lvextend
	{[]string{`Insufficient suitable allocatable extents`}, ErrNoSpace},                   // either, on a fragmented or partial VG
	{[]string{`Failed to find logical volume "`}, ErrNotFound},                            // lvremove, lvchange
	{[]string{`Logical volume `, ` not found in volume group `}, ErrNotFound},             // lvextend
	{[]string{`Existing logical volume "`, `" not found in volume group "`}, ErrNotFound}, // lvrename
	{[]string{`Snapshot origin LV `, ` not found in Volume group `}, ErrNotFound},
	{[]string{`Pool `, ` not found in Volume group `}, ErrPoolNotFound},
	{[]string{`Cannot create new thin volume, free space in thin pool `, ` reached threshold.`}, ErrNoSpace}, // data or metadata
	{[]string{`Logical volume `, ` contains a filesystem in use.`}, ErrInUse},                                // mounted
	{[]string{`Logical volume `, ` is used by another device.`}, ErrInUse},                                   // DRBD or dm holds it
	{[]string{`Logical volume `, ` in use.`}, ErrInUse},                                                      // opened
}

func classify(r run.Result) error {
	for line := range strings.Lines(string(r.Stderr)) {
	next:
		for _, p := range patterns {
			rest := line
			for _, h := range p.has {
				i := strings.Index(rest, h)
				if i < 0 {
					continue next
				}
				rest = rest[i+len(h):]
			}
			return p.kind
		}
	}
	return nil
}
