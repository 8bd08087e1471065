package machine

import (
	"fmt"
	"slices"
	"strings"
)

type loopDev struct {
	n       int
	file    string
	deleted bool
	auto    bool // goes when its holder does
	disk    *Disk
	of      *file
}

func (l *loopDev) path() string { return fmt.Sprintf("/dev/loop%d", l.n) }

// Loops names the files that loop devices have, for checkers.
func (m *Machine) Loops() []string {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	var files []string
	for _, l := range m.loops {
		files = append(files, l.file)
	}
	return files
}

func (m *Machine) loop(dev string) *loopDev {
	i := slices.IndexFunc(m.loops, func(l *loopDev) bool { return l.path() == dev })
	if i < 0 {
		return nil
	}
	return m.loops[i]
}

func (x *call) losetup() {
	m := x.m
	if x.take("--version", "-V") {
		x.out.WriteString("losetup from util-linux 2.38.1\n")
		return
	}
	if x.take("--list", "-l") {
		x.take("--json", "-J")
		cols := x.value("-O")
		if cols == "" {
			cols = "NAME,SIZELIMIT,OFFSET,AUTOCLEAR,RO,BACK-FILE,DIO,LOG-SEC"
		}
		only := x.value("-j")
		var rows []string
		for _, l := range m.loops {
			if only != "" && l.file != only {
				continue
			}
			var fs []string
			for _, c := range strings.Split(cols, ",") {
				v := map[string]string{"SIZELIMIT": "0", "OFFSET": "0", "AUTOCLEAR": fmt.Sprint(l.auto), "RO": "false", "DIO": "false", "LOG-SEC": "512"}[c]
				switch c {
				case "NAME":
					v = fmt.Sprintf("%q", l.path())
				case "BACK-FILE":
					f := l.file
					if l.deleted {
						f += " (deleted)"
					}
					v = fmt.Sprintf("%q", f)
				}
				fs = append(fs, fmt.Sprintf("         %q: %s", strings.ToLower(c), v))
			}
			rows = append(rows, "{\n"+strings.Join(fs, ",\n")+"\n      }")
		}
		if len(rows) == 0 {
			x.out.WriteString("{\n   \"loopdevices\": [\n\n   ]\n}\n")
			return
		}
		x.out.WriteString("{\n   \"loopdevices\": [\n      " + strings.Join(rows, ",") + "\n   ]\n}\n")
		return
	}
	if dev := x.value("-d"); dev != "" {
		l := m.loop(dev)
		if l == nil {
			x.fail(1, "losetup: %s: detach failed: No such device or address", dev)
			return
		}
		if l.disk.holder != "" {
			l.auto = true
		} else {
			m.dropLoop(l)
		}
		m.effect("losetup -d %s", dev)
		return
	}
	if dev := x.value("-c"); dev != "" {
		l := m.loop(dev)
		if l == nil {
			x.fail(1, "losetup: %s: set capacity failed: No such device or address", dev)
			return
		}
		l.disk.sizeKiB = l.of.sparseKiB
		m.effect("losetup -c %s", dev)
		return
	}
	find, show, once := x.take("--find", "-f"), x.take("--show"), x.take("--nooverlap")
	if !find || len(x.argv) != 1 {
		x.fail(1, "losetup: the model doesn't know: %s", strings.Join(x.argv, " "))
		return
	}
	file := x.argv[0]
	f := m.files[file]
	if f == nil {
		x.fail(1, "losetup: %s: failed to set up loop device: No such file or directory", file)
		return
	}
	var l *loopDev
	if i := slices.IndexFunc(m.loops, func(l *loopDev) bool { return l.file == file && !l.deleted }); once && i >= 0 {
		l = m.loops[i]
		l.auto = false
	} else {
		n := 0
		for m.loop(fmt.Sprintf("/dev/loop%d", n)) != nil {
			n++
		}
		l = &loopDev{n: n, file: file, disk: f.disk, of: f}
		f.disk.sizeKiB = f.sparseKiB
		m.loops = append(m.loops, l)
		m.effect("losetup %s %s", l.path(), file)
	}
	if show {
		fmt.Fprintln(&x.out, l.path())
	}
}

func (m *Machine) dropLoop(l *loopDev) {
	m.loops = slices.DeleteFunc(m.loops, func(o *loopDev) bool { return o == l })
}

// release lets go of a disk; a loop device that waited for it goes.
func (m *Machine) release(d *Disk) {
	d.holder = ""
	for _, l := range slices.Clone(m.loops) {
		if l.disk == d && l.auto {
			m.dropLoop(l)
		}
	}
}
