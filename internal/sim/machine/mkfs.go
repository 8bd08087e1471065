package machine

import (
	"fmt"
	"slices"
	"strings"
)

// written blocks of file systems by number: "" of one that isn't whole, else its type.
type fsBlocks map[int]string

// signOf says what a look at a device's content finds; "" nothing that anybody knows. whole: it is whole.
func (n *Network) signOf(d *Disk) (sign string, whole bool) {
	for _, id := range slices.Backward(sortedKeys(d.blocks)) {
		if t, ok := n.fs[id]; ok && t != "" {
			kind, half := strings.CutSuffix(t, " half")
			return kind, !half
		}
	}
	if d.fs {
		return "ext4", true
	}
	return "", false
}

// opens is for a program that opens a device: what is on it, and how to write to it. Nil: it can't be opened.
func (x *call) opens(path string) (d *Disk, put func() int) {
	if v, r := x.m.minor(path); v != nil {
		if r.role != "Primary" || r.oneVolume && r.primary != v.num || v.disk == nil || v.state != "UpToDate" {
			return nil, nil
		}
		return v.disk, func() int {
			id, err := x.m.put(r, v)
			if err != nil {
				return 0
			}
			return id
		}
	}
	d = x.m.device(path)
	if d == nil || d.holder != "" {
		return nil, nil
	}
	return d, func() int {
		x.m.net.writes++
		d.blocks[x.m.net.writes] = true
		return x.m.net.writes
	}
}

// signs is wipefs of a device that is no whole disk.
func (x *call) signs(path string) bool {
	d, _ := x.opens(path)
	if d == nil {
		return false
	}
	row := ""
	if s, _ := x.m.net.signOf(d); s != "" {
		row = fmt.Sprintf(`{"device": %q, "offset": "0x438", "type": %q, "uuid": null, "label": null}`, path[len("/dev/"):], s)
	}
	fmt.Fprintf(&x.out, "{\n   \"signatures\": [%s]\n}\n", row)
	return true
}

// mkfs writes three times: over what was there, the beginning (xfs: what shows its type), the rest.
func (x *call) mkfs() {
	kind := strings.TrimPrefix(x.prog, "mkfs.")
	if x.take("-V") {
		fmt.Fprintf(&x.out, "%s of the model\n", x.prog)
		return
	}
	if len(x.argv) == 0 {
		x.fail(1, "Usage: %s DEVICE", x.prog)
		return
	}
	path := x.argv[len(x.argv)-1]
	d, put := x.opens(path)
	if d == nil {
		x.fail(1, "%s: Wrong medium type while setting up superblock", x.prog)
		return
	}
	if s, _ := x.m.net.signOf(d); s != "" && kind == "xfs" {
		x.fail(1, "mkfs.xfs: %s appears to contain an existing filesystem (%s).\nmkfs.xfs: Use the -f option to force overwrite.", path, s)
		return
	}
	for id := range d.blocks {
		if t, ours := x.m.net.fs[id]; !ours || t != "" {
			x.m.net.overwritten = append(x.m.net.overwritten, fmt.Sprintf("%s on %s, write %d", path, x.m.name, id))
			break
		}
	}
	stages := []string{"", "", kind}
	if kind == "xfs" {
		stages[1] = "xfs half"
	}
	for i, s := range stages {
		id := put()
		if id == 0 {
			x.fail(1, "%s: Input/output error while writing", x.prog)
			return
		}
		x.m.net.fs[id] = s
		x.m.effect("%s of %s, %d of %d", x.prog, path, i+1, len(stages))
	}
}

// fsck looks whether a file system is whole.
func (x *call) fsck() {
	if !x.take("-n") || len(x.argv) == 0 {
		x.fail(16, "%s: the model only looks", x.prog)
		return
	}
	d, _ := x.opens(x.argv[len(x.argv)-1])
	if d == nil {
		x.fail(8, "%s: Wrong medium type", x.prog)
		return
	}
	if _, whole := x.m.net.signOf(d); !whole {
		x.fail(4, "%s: Bad magic number in super-block", x.prog)
	}
}

// Overwritten says where a file system was made over something that was written, and forgets it.
func (n *Network) Overwritten() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := n.overwritten
	n.overwritten = nil
	return out
}

// FileSystem is the type of the whole file system on a disk; "": none.
func (n *Network) FileSystem(v DiskView) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s, whole := n.signOf(v.d); whole {
		return s
	}
	return ""
}

// Wipe takes all away that is on a disk, by hand; path as for OnDisk.
func (m *Machine) Wipe(path string) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	if d := m.diskAt(path); d != nil {
		clear(d.content().blocks)
	}
}
