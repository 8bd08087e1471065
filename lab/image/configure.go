package image

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"holdfast/lab/agentapi"
)

// configure makes what the packages' scripts would have made, and the lab's own files.
func (b *builder) configure() error {
	for _, d := range []string{"dev", "proc", "sys", "run", "tmp", "mnt", "root", "lab", "var/lib/drbd", "etc/drbd.d", "usr/lib/busybox"} {
		if err := os.MkdirAll(b.root(d), 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(b.root("tmp"), 0o1777); err != nil {
		return err
	}
	for _, n := range []struct {
		path         string
		major, minor uint32
	}{{"dev/console", 5, 1}, {"dev/null", 1, 3}} {
		if err := unix.Mknod(b.root(n.path), unix.S_IFCHR|0o666, int(unix.Mkdev(n.major, n.minor))); err != nil {
			return fmt.Errorf("make device %s: %w", n.path, err)
		}
	}
	files := map[string]string{
		"etc/passwd":     "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
		"etc/group":      "root:x:0:\ntty:x:5:\ndisk:x:6:\nnogroup:x:65534:\n",
		"etc/hosts":      hosts(),
		"etc/fstab":      "",
		"etc/machine-id": "",
		"etc/hostname":   "lab\n",
		// nobody would answer to udev's part of the work (every lvcreate fails without these)
		"etc/lvm/lvmlocal.conf":         "activation { udev_sync=0 udev_rules=0 monitoring=0 }\nbackup { retain_min=1 retain_days=1 }\n",
		"etc/drbd.conf":                 "include \"drbd.d/global_common.conf\";\ninclude \"drbd.d/*.res\";\n",
		"etc/drbd.d/global_common.conf": "global { usage-count no; }\ncommon { }\n",
	}
	for path, text := range files {
		if err := os.MkdirAll(filepath.Dir(b.root(path)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(b.root(path), []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := os.WriteFile(b.root("lab/init"), initScript, 0o755); err != nil {
		return err
	}
	if err := b.run("chroot", b.root(""), "/usr/bin/busybox", "--install", "-s", "/usr/lib/busybox"); err != nil {
		return err
	}
	return b.run("ldconfig", "-r", b.root(""))
}

func hosts() string {
	var s strings.Builder
	s.WriteString("127.0.0.1 localhost\n")
	for id := 1; id <= agentapi.MaxID; id++ {
		fmt.Fprintf(&s, "%s %s\n", agentapi.DataAddress(id), agentapi.Name(id))
	}
	return s.String()
}
