package machine

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// clone is a disk with the same content, DRBD's metadata too. Nobody has it open.
func (d *Disk) clone() *Disk {
	c := *d
	c.blocks, c.holder = maps.Clone(d.blocks), ""
	if d.md != nil {
		c.md = d.md.clone()
	}
	if d.luks != nil {
		c.luks = d.luks.clone()
	}
	return &c
}

// snapshot is a copy of a disk that may be attached: what a crash would leave.
func (m *Machine) snapshot(d *Disk) *Disk {
	m.saveFlags()
	return d.clone()
}

// cp knows one form: --reflink=always FROM TO.
func (x *call) cp() {
	m := x.m
	if !x.take("--reflink=always") || len(x.argv) != 2 {
		x.fail(1, "cp: the model doesn't know: %s", strings.Join(x.argv, " "))
		return
	}
	from, to := path.Clean(x.argv[0]), path.Clean(x.argv[1])
	f := m.files[from]
	switch {
	case f == nil:
		x.fail(1, "cp: cannot stat '%s': No such file or directory", from)
	case !m.dirs[path.Dir(to)]:
		x.fail(1, "cp: cannot create regular file '%s': No such file or directory", to)
	case m.full:
		x.fail(1, "cp: error writing '%s': No space left on device", to)
	case m.noReflink:
		m.files[to] = &file{disk: newDisk(0, 0)} // it is left behind, empty
		m.effect("create %s", to)
		x.fail(1, "cp: failed to clone '%s' from '%s': Operation not supported", to, from)
	default:
		c := &file{data: slices.Clone(f.data), disk: m.snapshot(f.disk), sparseKiB: f.sparseKiB}
		c.disk.sizeKiB = c.sparseKiB
		m.files[to] = c
		m.effect("cp %s %s", from, to)
	}
}

// fallocate knows one form: -l BYTES FILE.
func (x *call) fallocate() {
	m := x.m
	if x.take("--version", "-V") {
		x.out.WriteString("fallocate from util-linux 2.38.1\n")
		return
	}
	size, err := strconv.ParseInt(x.value("-l"), 10, 64)
	if err != nil || len(x.argv) != 1 {
		x.fail(1, "fallocate: the model doesn't know: %s", strings.Join(x.argv, " "))
		return
	}
	p := path.Clean(x.argv[0])
	if !m.dirs[path.Dir(p)] {
		x.fail(1, "fallocate: cannot open %s: No such file or directory", p)
		return
	}
	f := m.files[p]
	if f == nil {
		f = &file{disk: newDisk(0, 0)}
		m.files[p] = f
	}
	more := size/1024 - f.allocatedKiB()
	if m.full || more > m.freeKiB() {
		m.effect("create %s", p)
		x.fail(1, "fallocate: fallocate failed: No space left on device")
		return
	}
	f.thick = true
	if size/1024 > f.sparseKiB {
		m.resizeFile(f, size/1024)
	}
	m.effect("fallocate %s to %d", p, size)
}

// syncFile: what the model keeps is durable anyhow.
func (x *call) syncFile() {
	x.take("-d")
	if len(x.argv) != 1 || x.m.files[path.Clean(x.argv[0])] == nil && x.m.device(x.argv[0]) == nil {
		x.fail(1, "sync: error opening '%s': No such file or directory", strings.Join(x.argv, " "))
	}
}

// allocatedKiB is what a file takes.
func (f *file) allocatedKiB() int64 {
	if f.thick {
		return f.sparseKiB
	}
	return (int64(len(f.data))+1023)/1024 + f.disk.allocatedKiB()
}

// freeKiB of the file system that holds all files.
func (m *Machine) freeKiB() int64 {
	free := m.diskKiB
	for _, f := range m.files {
		free -= f.allocatedKiB()
	}
	return max(free, 0)
}

// Reflinks is run.OS' try whether files in a directory can share blocks.
func (m *Machine) Reflinks(dir string) (bool, error) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	if !m.dirs[path.Clean(dir)] {
		return false, fmt.Errorf("try whether files in %s can share blocks: %w", dir, fs.ErrNotExist)
	}
	return !m.noReflink, nil
}

// NoReflink makes the file system one that shares no blocks between files.
func (m *Machine) NoReflink() {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	m.noReflink = true
}
