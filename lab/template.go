package lab

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"holdfast/lab/agentapi"
	"holdfast/lab/image"
)

// template is a booted machine, saved: its memory as a file that each copy maps privately, its devices' state, and its
// root disk. Copies must have the same devices.
type template struct {
	ram, state, root string
	hold             *os.File
}

// templateFormat changes when templates made before would not do any more.
const templateFormat = 1

// keptTemplates stay on disk; older ones go.
const keptTemplates = 4

func templateKey(im *image.Image, c Config, n network) (string, error) {
	version, err := exec.Command("qemu-system-x86_64", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ask QEMU's version: %w", err)
	}
	h := sha256.New()
	fmt.Fprintln(h, templateFormat, string(version), im.Key, c.Memory, c.CPUs, c.Disks, c.Modules, c.ZFS, n.kind(), n.mtu(), accel(), kernelArgs)
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// ensureTemplate returns the template for this image and configuration and makes it first if need be.
func ensureTemplate(ctx context.Context, im *image.Image, c Config, n network) (*template, error) {
	unlock, err := image.Lock(filepath.Join(c.Home, "template.lock"))
	if err != nil {
		return nil, err
	}
	defer unlock()
	key, err := templateKey(im, c, n)
	if err != nil {
		return nil, err
	}
	all := filepath.Join(c.Home, "templates")
	dir := filepath.Join(all, key)
	t := &template{ram: filepath.Join(dir, "ram"), state: filepath.Join(dir, "state"), root: filepath.Join(dir, "root.ext4")}
	if _, err := os.Stat(dir); err == nil {
		now := time.Now()
		os.Chtimes(dir, now, now)
		t.hold, err = image.Hold(dir)
		return t, err
	}
	start := time.Now()
	tmp := dir + ".new"
	defer os.RemoveAll(tmp)
	if err := makeTemplate(ctx, tmp, im, c, n); err != nil {
		return nil, fmt.Errorf("make template: %w", err)
	}
	if err := os.Rename(tmp, dir); err != nil {
		return nil, fmt.Errorf("keep template: %w", err)
	}
	if t.hold, err = image.Hold(dir); err != nil {
		return nil, err
	}
	image.Prune(all, keptTemplates)
	fmt.Fprintf(c.Log, "lab: template made in %.1fs\n", time.Since(start).Seconds())
	return t, nil
}

// warmUp reads into memory what every test is going to run.
const warmUp = `sync; cat /lab/agent /usr/bin/dd /usr/bin/md5sum >/dev/null
drbdadm -h >/dev/null 2>&1; drbdsetup status >/dev/null 2>&1; lvs >/dev/null 2>&1; losetup -l >/dev/null 2>&1; mkfs.ext4 -V >/dev/null 2>&1; sync`

func makeTemplate(ctx context.Context, dir string, im *image.Image, c Config, n network) error {
	ctx, cancel := context.WithTimeout(ctx, bootLimit)
	defer cancel()
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root := filepath.Join(dir, "root.ext4")
	if out, err := exec.CommandContext(ctx, "cp", "--sparse=always", "--reflink=auto", im.Root, root).CombinedOutput(); err != nil {
		return fmt.Errorf("copy root: %w: %s", err, out)
	}
	run, err := newRunDir(c.Home)
	if err != nil {
		return err
	}
	defer run.remove()
	size, err := fileSize(root)
	if err != nil {
		return err
	}
	if err := os.Symlink(root, filepath.Join(run.path, "template.root")); err != nil { // writes go to the file itself
		return err
	}
	drives, err := openDrives(run.path, agentapi.Name(0), "", size, c.Disks, 0)
	if err != nil {
		return err
	}
	defer func() {
		for _, d := range drives {
			d.Close()
		}
	}()
	q, err := startQEMU(qemuSpec{
		id: 0, kernel: im.Kernel, initrd: im.Initrd, memory: c.Memory, cpus: c.CPUs, modules: c.Modules, udev: c.ZFS, sockets: sockets(drives), net: n,
		console: filepath.Join(run.path, "template.console"), ram: filepath.Join(dir, "ram"), ramShared: true,
	})
	if err != nil {
		return err
	}
	defer q.kill()
	if err := q.booted(ctx); err != nil {
		return err
	}
	a := NewAgent("template", dialPort(q.port))
	if _, err := a.Sh(ctx, warmUp); err != nil {
		return fmt.Errorf("warm up: %w", err)
	}
	if err := q.save(ctx, filepath.Join(dir, "state")); err != nil {
		return err
	}
	q.kill()
	for _, d := range drives[1:] {
		if w := d.Stats().Written; w != 0 {
			return fmt.Errorf("a data disk was written to (%d bytes)", w)
		}
	}
	return drives[0].Flush()
}
