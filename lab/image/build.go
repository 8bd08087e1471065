package image

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

type builder struct {
	Options
	ctx     context.Context
	dir     string // becomes the image
	start   time.Time
	release string
	zfs     string // folder of ZFS's modules, or ""
}

func (b *builder) root(p string) string { return filepath.Join(b.dir, "root", p) }

func (b *builder) step(format string, a ...any) {
	fmt.Fprintf(b.Log, "lab: image %5.1fs %s\n", time.Since(b.start).Seconds(), fmt.Sprintf(format, a...))
}

func (b *builder) run(argv ...string) error {
	_, err := run(b.ctx, argv...)
	return err
}

func (b *builder) build() error {
	if err := os.RemoveAll(b.dir); err != nil {
		return err
	}
	if err := hostPackages(b.ctx, b.Log); err != nil {
		return err
	}
	kernel, err := b.kernelPackage()
	if err != nil {
		return err
	}
	b.release = strings.TrimPrefix(kernel, "linux-image-")
	b.step("resolving packages, kernel %s", b.release)
	archives, kernelDeb, err := debs(b.ctx, b.Home, kernel, b.packages(), b.Log)
	if err != nil {
		return err
	}
	if b.ZFS {
		more, modules, err := b.ensureZFS()
		if err != nil {
			return err
		}
		archives = append(archives, more...)
		b.zfs = modules
	}
	b.step("unpacking %d packages", len(archives)+1)
	for _, f := range []func() error{
		func() error { return b.unpackRoot(archives) },
		func() error { return b.unpackKernel(kernelDeb) },
		b.extraModules, b.depmod, b.configure, b.agent, b.initrd, b.fileSystem,
	} {
		if err := f(); err != nil {
			return err
		}
	}
	for _, d := range []string{"root", "kernel", "initrd"} {
		if err := os.RemoveAll(filepath.Join(b.dir, d)); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(b.dir, "release"), []byte(b.release), 0o644)
}

// kernelPackage is the newest kernel, or the one that the extra modules were built for.
func (b *builder) kernelPackage() (string, error) {
	if b.Modules != "" {
		mods, err := modules(b.Modules)
		if err != nil {
			return "", err
		}
		magic, err := run(b.ctx, "modinfo", "-F", "vermagic", mods[0])
		if err != nil {
			return "", err
		}
		if f := strings.Fields(magic); len(f) > 0 {
			return "linux-image-" + f[0], nil
		}
		return "", fmt.Errorf("%s says no kernel version", mods[0])
	}
	names, err := run(b.ctx, "apt-cache", "pkgnames", "linux-image-6.1.0-")
	if err != nil {
		return "", err
	}
	if kernel, err := newestKernel(names); err == nil {
		return kernel, nil
	}
	b.step("fetching package lists")
	if err := b.run("apt-get", "-qq", "update"); err != nil {
		return "", err
	}
	if names, err = run(b.ctx, "apt-cache", "pkgnames", "linux-image-6.1.0-"); err != nil {
		return "", err
	}
	return newestKernel(names)
}

// unwanted takes space and is never read in a machine.
var unwanted = []string{"doc", "man", "locale", "info", "lintian", "i18n", "bug", "zoneinfo", "bash-completion"}

// unpack unpacks an archive into dir without running its scripts.
func (b *builder) unpack(deb, dir string) error {
	argv := []string{"-xC", dir, "--keep-directory-symlink"}
	for _, u := range unwanted {
		argv = append(argv, "--exclude=./usr/share/"+u)
	}
	from := exec.CommandContext(b.ctx, "dpkg-deb", "--fsys-tarfile", deb)
	to := exec.CommandContext(b.ctx, "tar", argv...)
	pipe, err := from.StdoutPipe()
	if err != nil {
		return err
	}
	to.Stdin = pipe
	if err := from.Start(); err != nil {
		return err
	}
	out, err := to.CombinedOutput()
	if e := from.Wait(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("unpack %s: %w: %s", filepath.Base(deb), err, out)
	}
	return nil
}

func (b *builder) unpackRoot(archives []string) error {
	for _, d := range []string{"bin", "sbin", "lib", "lib64", "lib32", "libx32"} { // Debian's merged /usr
		if err := os.MkdirAll(b.root("usr/"+d), 0o755); err != nil {
			return err
		}
		if err := os.Symlink("usr/"+d, b.root(d)); err != nil {
			return err
		}
	}
	for _, a := range archives {
		if err := b.unpack(a, b.root("")); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) unpackKernel(deb string) error {
	k := filepath.Join(b.dir, "kernel")
	if err := os.MkdirAll(k, 0o755); err != nil {
		return err
	}
	if err := b.unpack(deb, k); err != nil {
		return err
	}
	if err := extractKernel(filepath.Join(k, "boot/vmlinuz-"+b.release), filepath.Join(b.dir, "vmlinux")); err != nil {
		return err
	}
	if err := os.MkdirAll(b.root("usr/lib/modules"), 0o755); err != nil {
		return err
	}
	return os.Rename(filepath.Join(k, "lib/modules", b.release), b.modules(""))
}

func (b *builder) modules(p string) string {
	return filepath.Join(b.root("usr/lib/modules"), b.release, p)
}

// extraModules go to updates/, where depmod looks first.
func (b *builder) extraModules() error {
	var mods []string
	for _, dir := range []string{b.Modules, b.zfs} {
		if dir == "" {
			continue
		}
		more, err := modules(dir)
		if err != nil {
			return err
		}
		mods = append(mods, more...)
	}
	if len(mods) == 0 {
		return nil
	}
	if err := os.MkdirAll(b.modules("updates"), 0o755); err != nil {
		return err
	}
	for _, m := range mods {
		if err := b.run("strip", "--strip-debug", "-o", b.modules("updates/"+filepath.Base(m)), m); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) depmod() error {
	conf := filepath.Join(b.dir, "depmod.conf") // not the host's
	if err := os.WriteFile(conf, []byte("search updates built-in\n"), 0o644); err != nil {
		return err
	}
	defer os.Remove(conf)
	return b.run("depmod", "-C", conf, "-b", b.root(""), b.release)
}

func (b *builder) agent() error {
	c := exec.CommandContext(b.ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", b.root("lab/agent"), "./lab/agent")
	c.Dir = b.Source
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build agent: %w: %s", err, out)
	}
	return nil
}

// initrdModules in the order of loading.
var initrdModules = []string{
	"virtio/virtio_ring", "virtio/virtio", "virtio/virtio_pci_legacy_dev", "virtio/virtio_pci_modern_dev", "virtio/virtio_pci", "block/virtio_blk",
}

func (b *builder) initrd() error {
	dir := filepath.Join(b.dir, "initrd")
	for _, d := range []string{"bin", "dev", "sys", "root", "modules"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	if err := b.run("cp", b.root("usr/bin/busybox"), filepath.Join(dir, "bin/busybox")); err != nil {
		return err
	}
	for i, m := range initrdModules {
		out := filepath.Join(dir, "modules", fmt.Sprintf("%d-%s.ko", i, filepath.Base(m)))
		if err := b.run("strip", "--strip-debug", "-o", out, b.modules("kernel/drivers/"+m+".ko")); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "init"), initrdScript, 0o755); err != nil {
		return err
	}
	if err := unix.Mknod(filepath.Join(dir, "dev/console"), unix.S_IFCHR|0o600, int(unix.Mkdev(5, 1))); err != nil {
		return fmt.Errorf("make console device: %w", err)
	}
	var names strings.Builder
	err := filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		rel, e := filepath.Rel(dir, p)
		if err == nil {
			err = e
		}
		names.WriteString(rel + "\n")
		return err
	})
	if err != nil {
		return err
	}
	out, err := os.Create(filepath.Join(b.dir, "initrd.cpio"))
	if err != nil {
		return err
	}
	defer out.Close()
	c := exec.CommandContext(b.ctx, "cpio", "-o", "-H", "newc", "--quiet")
	c.Dir, c.Stdin, c.Stdout = dir, strings.NewReader(names.String()), out
	if err := c.Run(); err != nil {
		return fmt.Errorf("make initrd: %w", err)
	}
	return out.Close()
}

// fileSystem makes root.ext4. The journal comes afterwards: mke2fs fills a file system without one quicker.
func (b *builder) fileSystem() error {
	b.step("making the file system")
	var size int64
	err := filepath.WalkDir(b.root(""), func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if i, e := e.Info(); e == nil {
			size += (i.Size() + 4095) &^ 4095
		}
		return nil
	})
	if err != nil {
		return err
	}
	img := filepath.Join(b.dir, "root.ext4")
	if err := b.run("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal,^huge_file", "-E", "lazy_itable_init=1,root_owner=0:0", "-m0",
		"-d", b.root(""), img, fmt.Sprintf("%dM", size>>20+640)); err != nil {
		return err
	}
	if err := b.run("tune2fs", "-j", img); err != nil {
		return err
	}
	b.step("done, %d MiB", size>>20)
	return nil
}
