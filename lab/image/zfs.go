package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ZFS isn't in Debian's kernel, nor in its main section: the source of its module and its programs come from bookworm-backports'
// contrib, and the module is compiled once for each kernel, in about five minutes, and kept beside the images.

// zfsPackages are downloaded one by one; what else they need is in Debian's main section.
var zfsPackages = []string{"zfsutils-linux", "libzfs6linux", "libzpool6linux", "libnvpair3linux", "libuutil3linux"}

// zfsNeeds go into a machine with ZFS besides Packages.
var zfsNeeds = []string{"libblkid1", "libssl3", "libtirpc3", "libudev1", "libuuid1", "udev", "zlib1g"}

// ensureZFS gives the archives of the programs, and the folder of the modules, made if need be.
func (b *builder) ensureZFS() (archives []string, modules string, err error) {
	home := filepath.Join(b.Home, "zfs")
	dir := filepath.Join(home, b.release)
	modules = filepath.Join(dir, "modules")
	if archives, err = zfsArchives(dir); err == nil {
		return archives, modules, nil
	}
	b.step("downloading ZFS")
	if err := os.RemoveAll(dir); err != nil {
		return nil, "", err
	}
	if err := os.MkdirAll(filepath.Join(dir, "lists", "partial"), 0o755); err != nil {
		return nil, "", err
	}
	if err := downloadZFS(b.ctx, dir); err != nil {
		return nil, "", fmt.Errorf("download ZFS: %w", err)
	}
	b.step("compiling ZFS, which takes minutes")
	if err := compileZFS(b.ctx, dir, b.release, b.Log); err != nil {
		return nil, "", fmt.Errorf("compile ZFS: %w", err)
	}
	b.step("ZFS is compiled")
	archives, err = zfsArchives(dir)
	return archives, modules, err
}

// zfsArchives of a folder in which all was made.
func zfsArchives(dir string) (all []string, err error) {
	for _, p := range zfsPackages {
		one, err := filepath.Glob(filepath.Join(dir, p+"_*.deb"))
		if err != nil || len(one) != 1 {
			return nil, errors.Join(err, fmt.Errorf("%d archives of %s", len(one), p))
		}
		all = append(all, one[0])
	}
	for _, m := range []string{"spl.ko", "zfs.ko"} {
		if _, err := os.Stat(filepath.Join(dir, "modules", m)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// downloadZFS takes the archive from which this machine gets its Debian, and lists of its own.
func downloadZFS(ctx context.Context, dir string) error {
	out, err := run(ctx, "apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
	if err != nil {
		return err
	}
	uri := ""
	for l := range strings.Lines(out) {
		if f := strings.Fields(l); len(f) == 3 && f[1] == "bookworm" && f[2] == "main" {
			uri = f[0]
		}
	}
	if uri == "" {
		return errors.New("apt knows no bookworm main")
	}
	sources := filepath.Join(dir, "sources.list")
	text := fmt.Sprintf("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s bookworm-backports contrib\n", uri)
	if err := os.WriteFile(sources, []byte(text), 0o644); err != nil {
		return err
	}
	get := []string{"apt-get", "-qq", "-o", "Dir::Etc::sourcelist=" + sources, "-o", "Dir::Etc::sourceparts=-", "-o", "Dir::State::lists=" + filepath.Join(dir, "lists"),
		"-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "-o", "APT::Sandbox::User=root", "-o", "Debug::NoLocking=1", "-o", "Acquire::Retries=3"}
	if _, err := run(ctx, append(get, "update")...); err != nil {
		return err
	}
	for _, p := range append([]string{"zfs-dkms"}, zfsPackages...) {
		c := exec.CommandContext(ctx, get[0], append(get[1:], "download", p)...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("download %s: %w: %s", p, err, out)
		}
	}
	return nil
}

// compileZFS leaves spl.ko and zfs.ko in dir/modules. It installs a compiler and the kernel's headers on this machine.
func compileZFS(ctx context.Context, dir, release string, log io.Writer) error {
	headers := "linux-headers-" + release
	if _, err := run(ctx, "dpkg", "-s", headers, "build-essential"); err != nil {
		fmt.Fprintf(log, "lab: installing %s build-essential\n", headers)
		if _, err := run(ctx, "apt-get", "-qq", "update"); err != nil {
			return err
		}
		if _, err := run(ctx, "apt-get", "-qq", "-y", "--no-install-recommends", "install", headers, "build-essential"); err != nil {
			return err
		}
	}
	source, err := filepath.Glob(filepath.Join(dir, "zfs-dkms_*.deb"))
	if err != nil || len(source) != 1 {
		return errors.Join(err, fmt.Errorf("%d archives of zfs-dkms", len(source)))
	}
	work := filepath.Join(dir, "work")
	defer os.RemoveAll(work)
	if _, err := run(ctx, "dpkg-deb", "-x", source[0], work); err != nil {
		return err
	}
	trees, err := filepath.Glob(filepath.Join(work, "usr/src/zfs-*"))
	if err != nil || len(trees) != 1 {
		return errors.Join(err, fmt.Errorf("%d source trees", len(trees)))
	}
	object := "/usr/src/" + headers
	common := strings.TrimSuffix(strings.TrimSuffix(object, "-amd64"), "-cloud") + "-common"
	for _, argv := range [][]string{
		{"./configure", "--disable-dependency-tracking", "--prefix=/usr", "--with-config=kernel", "--with-linux=" + common, "--with-linux-obj=" + object},
		{"make", "-j2"},
	} {
		c := exec.CommandContext(ctx, argv[0], argv[1:]...)
		c.Dir = trees[0]
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", argv[0], err, out[max(0, len(out)-4000):])
		}
	}
	modules := filepath.Join(dir, "modules")
	if err := os.MkdirAll(modules+".new", 0o755); err != nil {
		return err
	}
	for _, m := range []string{"spl.ko", "zfs.ko"} {
		if _, err := run(ctx, "strip", "--strip-debug", "-o", filepath.Join(modules+".new", m), filepath.Join(trees[0], "module", m)); err != nil {
			return err
		}
	}
	return os.Rename(modules+".new", modules)
}
