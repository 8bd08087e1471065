package image

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

//go:embed files/init
var initScript []byte

//go:embed files/initrd-init
var initrdScript []byte

// Packages go into every machine, with what they depend on.
var Packages = []string{
	"bash", "busybox-static", "coreutils", "cryptsetup-bin", "dash", "drbd-utils", "e2fsprogs", "fio", "gawk", "grep", "iproute2",
	"kmod", "lvm2", "mount", "procps", "sed", "strace", "thin-provisioning-tools", "util-linux", "xfsprogs",
}

// packages that go into a machine.
func (o Options) packages() []string {
	if o.ZFS {
		return slices.Concat(Packages, zfsNeeds)
	}
	return Packages
}

// host packages by the program that shows they are there.
var host = map[string]string{
	"qemu-system-x86_64": "qemu-system-x86", "qemu-img": "qemu-utils", "mke2fs": "e2fsprogs", "tune2fs": "e2fsprogs", "cpio": "cpio", "xz": "xz-utils",
	"strip": "binutils", "depmod": "kmod", "modinfo": "kmod", "ip": "iproute2", "nft": "nftables", "cp": "coreutils", "tar": "tar",
}

// sourceFolders are the parts of the checkout that end up in an image or decide how it is made.
var sourceFolders = []string{"lab/agent", "lab/agentapi", "lab/image"}

// inputs hashes everything that decides what an image is, except which version of a package Debian has today.
func inputs(o Options) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), o.packages(), o.ZFS)
	for _, d := range sourceFolders {
		if err := hashFolder(h, filepath.Join(o.Source, d), func(p string) bool { return !strings.HasSuffix(p, "_test.go") }); err != nil {
			return "", err
		}
	}
	if o.Modules != "" {
		mods, err := modules(o.Modules)
		if err != nil {
			return "", err
		}
		for _, m := range mods {
			if err := hashFile(h, filepath.Base(m), m); err != nil {
				return "", err
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

func hashFolder(h io.Writer, dir string, use func(path string) bool) error {
	return filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error { // in lexical order
		if err != nil || e.IsDir() || !use(p) {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		return hashFile(h, rel, p)
	})
}

func hashFile(h io.Writer, name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	one := sha256.New()
	if _, err := io.Copy(one, f); err != nil {
		return err
	}
	_, err = fmt.Fprintf(h, "%s %x\n", name, one.Sum(nil))
	return err
}

// modules lists the *.ko below dir, sorted. A folder without any is an error.
func modules(dir string) (all []string, err error) {
	err = filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(p, ".ko") {
			all = append(all, p)
		}
		return err
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("no *.ko in %s", dir)
	}
	slices.Sort(all)
	return all, err
}
