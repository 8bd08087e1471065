package machine

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"holdfast/internal/tool/run"
)

// file is a plain file, or a sparse one that holds a disk.
type file struct {
	data []byte
	disk *Disk
	// sparseKiB is the length of a file that holds a disk; its loop device hears of growth by losetup -c.
	sparseKiB int64
	thick     bool // all its blocks are there
	// unsynced: a power cut brings back what was durable, nil for no file.
	unsynced bool
	durable  []byte
}

func (f *file) size() int64 {
	if f.data == nil {
		return f.sparseKiB * 1024
	}
	return int64(len(f.data))
}

func pathError(op, p string, err error) error { return &fs.PathError{Op: op, Path: p, Err: err} }

func (m *Machine) mkdir(p string) {
	for p = path.Clean(p); p != "/"; p = path.Dir(p) {
		m.dirs[p] = true
	}
}

// ReadFile implements run.FS.
func (m *Machine) ReadFile(p string) (b []byte, err error) {
	defer m.enter(&err)()
	if m.dead {
		return nil, run.ErrCrashed
	}
	p = path.Clean(p)
	if p == "/proc/drbd" && m.loaded != "" {
		api := "api:1/proto:86-101"
		if m.loaded[0] == '9' {
			api = "api:2/proto:118-124"
		}
		return []byte(fmt.Sprintf("version: %s (%s)\nsrcversion: F73C670A7EC572DB9CF3E5B \n", m.loaded, api)), nil
	}
	if l := m.loop("/dev/" + strings.TrimSuffix(strings.TrimPrefix(p, "/sys/block/"), "/size")); l != nil {
		return []byte(fmt.Sprintf("%d\n", l.disk.sizeKiB*2)), nil // sectors
	}
	f := m.files[p]
	if f == nil {
		return nil, pathError("open", p, fs.ErrNotExist)
	}
	return slices.Clone(f.data), nil
}

// WriteFile implements run.FS. Whole and durable, or not at all.
func (m *Machine) WriteFile(p string, data []byte, perm uint32) (err error) {
	defer m.enter(&err)()
	if m.dead {
		return run.ErrCrashed
	}
	p = path.Clean(p)
	if !m.dirs[path.Dir(p)] {
		return pathError("open", p, fs.ErrNotExist)
	}
	if m.full {
		return pathError("write", p, syscall.ENOSPC)
	}
	m.files[p] = &file{data: append([]byte{}, data...), disk: &Disk{}}
	m.effect("write %s", p)
	return nil
}

// Remove implements run.FS.
func (m *Machine) Remove(p string) (err error) {
	defer m.enter(&err)()
	if m.dead {
		return run.ErrCrashed
	}
	p = path.Clean(p)
	switch {
	case m.files[p] != nil:
		for _, l := range m.loops {
			if l.file == p {
				l.deleted = true
			}
		}
		delete(m.files, p)
	case m.dirs[p]:
		if len(m.names(p)) > 0 {
			return pathError("remove", p, syscall.ENOTEMPTY)
		}
		delete(m.dirs, p)
	default:
		return pathError("remove", p, fs.ErrNotExist)
	}
	m.effect("remove %s", p)
	return nil
}

// Rename implements run.FS, for files.
func (m *Machine) Rename(from, to string) (err error) {
	defer m.enter(&err)()
	if m.dead {
		return run.ErrCrashed
	}
	from, to = path.Clean(from), path.Clean(to)
	f := m.files[from]
	if f == nil || !m.dirs[path.Dir(to)] {
		return pathError("rename", from, fs.ErrNotExist)
	}
	delete(m.files, from)
	m.files[to] = f
	for _, l := range m.loops {
		if l.file == from && !l.deleted {
			l.file = to
		}
	}
	m.effect("rename %s to %s", from, to)
	return nil
}

func (m *Machine) names(dir string) []string {
	var names []string
	add := func(p string) {
		if path.Dir(p) == dir && p != "/" {
			names = append(names, path.Base(p))
		}
	}
	for _, p := range sortedKeys(m.files) {
		add(p)
	}
	for _, p := range sortedKeys(m.dirs) {
		add(p)
	}
	slices.Sort(names)
	return names
}

// ReadDir implements run.FS.
func (m *Machine) ReadDir(p string) (names []string, err error) {
	defer m.enter(&err)()
	if m.dead {
		return nil, run.ErrCrashed
	}
	p = path.Clean(p)
	if !m.dirs[p] {
		return nil, pathError("open", p, fs.ErrNotExist)
	}
	return m.names(p), nil
}

// Stat implements run.FS. Block devices exist too, with size 0.
func (m *Machine) Stat(p string) (s run.Stat, err error) {
	defer m.enter(&err)()
	if m.dead {
		return run.Stat{}, run.ErrCrashed
	}
	p = path.Clean(p)
	switch f := m.files[p]; {
	case f != nil:
		return run.Stat{Exists: true, Size: f.size(), Allocated: f.allocatedKiB() * 1024}, nil
	case m.dirs[p]:
		return run.Stat{Exists: true, Dir: true}, nil
	case strings.HasPrefix(p, "/proc/") && m.hangs(strings.TrimPrefix(p, "/proc/")):
		return run.Stat{Exists: true, Dir: true}, nil
	case strings.HasPrefix(p, "/dev/") && m.device(p) != nil:
		return run.Stat{Exists: true}, nil
	}
	return run.Stat{}, nil
}

// MkdirAll implements run.FS.
func (m *Machine) MkdirAll(p string, perm uint32) (err error) {
	defer m.enter(&err)()
	if m.dead {
		return run.ErrCrashed
	}
	p = path.Clean(p)
	if m.files[p] != nil {
		return pathError("mkdir", p, syscall.ENOTDIR)
	}
	if m.dirs[p] {
		return nil
	}
	m.mkdir(p)
	m.effect("mkdir %s", p)
	return nil
}

// Truncate implements run.FS: a sparse file is a disk full of zeros.
func (m *Machine) Truncate(p string, size int64) (err error) {
	defer m.enter(&err)()
	if m.dead {
		return run.ErrCrashed
	}
	p = path.Clean(p)
	if !m.dirs[path.Dir(p)] {
		return pathError("open", p, fs.ErrNotExist)
	}
	if m.full {
		return pathError("truncate", p, syscall.ENOSPC)
	}
	f := m.files[p]
	switch {
	case f == nil:
		f = &file{disk: newDisk(0, 0)}
		m.files[p] = f
	case f.size() > size:
		return fmt.Errorf("truncate %s to %d bytes: %w", p, size, run.ErrShrink)
	case f.size() == size:
		return nil
	}
	m.resizeFile(f, size/1024)
	m.effect("truncate %s to %d", p, size)
	return nil
}

// resizeFile changes the length; a loop device over it keeps its size.
func (m *Machine) resizeFile(f *file, kib int64) {
	f.sparseKiB = kib
	if !slices.ContainsFunc(m.loops, func(l *loopDev) bool { return l.disk == f.disk }) {
		f.disk.sizeKiB = kib
	}
}

// hangs tells whether the program of that pid hangs still.
func (m *Machine) hangs(pid string) bool {
	n, err := strconv.Atoi(pid)
	return err == nil && (m.hang[m.hung[n]] || m.negotiates(m.hung[n]))
}
