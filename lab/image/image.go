package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"time"

	"golang.org/x/sys/unix"
)

// Image is what a machine boots from. The files are never written to once made.
type Image struct {
	Key     string // hash of the inputs
	Dir     string
	Kernel  string // vmlinux
	Initrd  string
	Root    string // ext4, whole MiB
	Release string // of the kernel, as uname -r says
	hold    *os.File
}

// Close lets the image be removed when newer ones come.
func (im *Image) Close() error { return im.hold.Close() }

// Options say what goes into an image.
type Options struct {
	Home    string    // the folder for all that the lab keeps, .lab in the checkout
	Source  string    // the checkout
	Modules string    // a folder of extra kernel modules (*.ko), used before the kernel's own; may be empty
	ZFS     bool      // with ZFS, which is compiled the first time, and udev, without which it has no device nodes
	Log     io.Writer // a line per step; nil: none
}

// kept is how many images stay on disk; older ones go.
const kept = 4

// Ensure returns the image of these options and makes it first if need be. It takes a lock, so that of several
// processes one makes it and the others wait. Nobody removes the image before Close.
func Ensure(ctx context.Context, o Options) (*Image, error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	if err := os.MkdirAll(o.Home, 0o755); err != nil {
		return nil, fmt.Errorf("make lab folder: %w", err)
	}
	unlock, err := Lock(filepath.Join(o.Home, "image.lock"))
	if err != nil {
		return nil, err
	}
	defer unlock()
	key, err := inputs(o)
	if err != nil {
		return nil, fmt.Errorf("hash image inputs: %w", err)
	}
	dir := filepath.Join(o.Home, "images", key)
	im, err := open(dir)
	if err == nil {
		now := time.Now()
		os.Chtimes(dir, now, now)
		if err := hostPackages(ctx, o.Log); err != nil {
			im.Close()
			return nil, err
		}
		return im, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	b := &builder{Options: o, ctx: ctx, dir: dir + ".new", start: time.Now()}
	defer os.RemoveAll(b.dir)
	if err := b.build(); err != nil {
		return nil, fmt.Errorf("make image: %w", err)
	}
	if err := os.Rename(b.dir, dir); err != nil {
		return nil, fmt.Errorf("keep image: %w", err)
	}
	if im, err = open(dir); err == nil {
		Prune(filepath.Join(o.Home, "images"), kept)
	}
	return im, err
}

func open(dir string) (*Image, error) {
	release, err := os.ReadFile(filepath.Join(dir, "release"))
	if err != nil {
		return nil, err
	}
	hold, err := Hold(dir)
	if err != nil {
		return nil, err
	}
	return &Image{
		Key: filepath.Base(dir), Dir: dir, Release: string(release), hold: hold,
		Kernel: filepath.Join(dir, "vmlinux"), Initrd: filepath.Join(dir, "initrd.cpio"), Root: filepath.Join(dir, "root.ext4"),
	}, nil
}

// Lock takes an exclusive lock on a file, waiting for it, and returns what gives it back.
func Lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	for {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX); err != unix.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

// Hold keeps Prune from removing a folder until the file is closed.
func Hold(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("hold %s: %w", dir, err)
	}
	return f, nil
}

// Prune removes all but the n most recently used folders of dir, and those that someone holds.
func Prune(dir string, n int) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	type aged struct {
		path string
		at   time.Time
	}
	var all []aged
	for _, e := range entries {
		if i, err := e.Info(); err == nil && e.IsDir() {
			all = append(all, aged{filepath.Join(dir, e.Name()), i.ModTime()})
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].at.After(all[j].at) })
	for i := n; i < len(all); i++ {
		f, err := os.Open(all[i].path)
		if err != nil {
			continue
		}
		if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			os.RemoveAll(all[i].path)
		}
		f.Close()
	}
}
