package machine

import (
	"fmt"
	"path"
	"strings"
)

const throttleDir = "/sys/fs/cgroup/blkio"

// AddThrottles mounts the blkio hierarchy of cgroup v1.
func (m *Machine) AddThrottles() {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	m.dirs[throttleDir] = true
	for _, f := range []string{"read_bps", "write_bps", "read_iops", "write_iops"} {
		m.files[throttleDir+"/blkio.throttle."+f+"_device"] = &file{data: []byte{}, disk: newDisk(0, 0)}
	}
	m.limits = map[string]string{}
}

// Limits of a device that aren't 0, as "read_bps_device 1024 ...".
func (m *Machine) Limits(dev string) string {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	var out []string
	n := m.number(dev)
	for _, k := range sortedKeys(m.limits) {
		if f, of, _ := strings.Cut(k, " "); of == n && m.limits[k] != "0" {
			out = append(out, f+" "+m.limits[k])
		}
	}
	return strings.Join(out, " ")
}

// number of a device, which is its own as long as its path is.
func (m *Machine) number(dev string) string {
	if m.device(dev) == nil {
		return ""
	}
	n := 0
	for _, c := range dev {
		n = (n*31 + int(c)) % 1000003
	}
	return fmt.Sprintf("253:%d", n)
}

// tee knows the files of the hierarchy.
func (x *call) tee() {
	if len(x.argv) != 1 || x.m.limits == nil || path.Dir(x.argv[0]) != throttleDir {
		x.fail(1, "tee: %s: No such file or directory", strings.Join(x.argv, " "))
		return
	}
	n, value, ok := strings.Cut(strings.TrimSpace(string(x.stdin)), " ")
	if !ok {
		x.fail(1, "tee: %s: Invalid argument", x.argv[0])
		return
	}
	name := strings.TrimPrefix(path.Base(x.argv[0]), "blkio.throttle.")
	x.m.limits[name+" "+n] = value
	x.m.effect("limit %s of %s: %s", name, n, value)
}
