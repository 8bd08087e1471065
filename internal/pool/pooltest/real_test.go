package pooltest_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast/internal/pool"
	"holdfast/internal/pool/file"
	"holdfast/internal/pool/lvm"
	"holdfast/internal/pool/pooltest"
	"holdfast/internal/tool/loop"
	tool "holdfast/internal/tool/lvm"
	"holdfast/internal/tool/run"
)

// TestThisMachine runs the suite with the real programs on the machine it is started on, as root: built with `go test -c` and
// copied into a lab machine. HOLDFAST_POOLTEST names an empty volume group of 2 GiB.
func TestThisMachine(t *testing.T) {
	vg := os.Getenv("HOLDFAST_POOLTEST")
	if vg == "" {
		t.Skip("HOLDFAST_POOLTEST isn't set: real disks are touched only on request (the model machine runs the same suite)")
	}
	m := real{vg}
	t.Run("LVM", m.lvm)
	t.Run("LVM_THIN", m.thin)
	t.Run("FILE", func(t *testing.T) { m.file(t, true, "xfs") })
	t.Run("FILE_THIN", func(t *testing.T) { m.file(t, false, "xfs") })
	t.Run("FILE_EXT4", func(t *testing.T) { m.file(t, true, "ext4") }) // which shares no blocks
}

type real struct{ vg string }

func (m real) run(t *testing.T, argv ...string) {
	t.Helper()
	r, err := run.OS{}.Run(context.Background(), run.Cmd{Argv: argv})
	if err != nil || r.Exit != 0 {
		t.Fatalf("%v: exit %d %v\n%s", argv, r.Exit, err, r.Stderr)
	}
}

// held are the devices that the test itself has open.
type held map[string]*os.File

func (h held) hold(t *testing.T, path string, on bool) {
	t.Helper()
	if !on {
		h[path].Close()
		delete(h, path)
		return
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	h[path] = f
	t.Cleanup(func() { f.Close() })
}

// write puts a block of its own at one of 256 places in the first 64 MiB.
func write(t *testing.T, path string) {
	t.Helper()
	var b [4096]byte
	rand.Read(b[:])
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(b[:], int64(b[0])<<18)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// sum of what is at the places of write.
func sum(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	for i := range int64(256) {
		if _, err := io.Copy(h, io.NewSectionReader(f, i<<18, 4096)); err != nil {
			t.Fatal(path, err)
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func (m real) clear(t *testing.T) {
	t.Helper()
	if vgs, err := (tool.Tool{Run: run.OS{}}).VG(context.Background(), m.vg); err != nil {
		m.run(t, "vgrename", m.vg+"_gone", m.vg)
	} else if len(vgs.LVs) == 0 {
		return
	}
	m.run(t, "lvremove", "-q", "-y", m.vg)
}

func (m real) pool(t *testing.T, d pool.Driver) pooltest.Pool {
	h := held{}
	return pooltest.Pool{
		Driver: d,
		Reboot: func(t *testing.T) { m.run(t, "vgchange", "-q", "-an", m.vg) },
		Hold:   h.hold,
		Vanish: func(t *testing.T) {
			m.run(t, "vgchange", "-q", "-an", m.vg)
			m.run(t, "vgrename", "-q", m.vg, m.vg+"_gone")
		},
	}
}

func (m real) lvm(t *testing.T) {
	pooltest.Run(t, func(t *testing.T) pooltest.Pool {
		m.clear(t)
		p := m.pool(t, lvm.Driver{Tool: tool.Tool{Run: run.OS{}}, VG: m.vg})
		p.Foreign = func(t *testing.T, name string) { m.run(t, "lvcreate", "-q", "-y", "-L", "8M", "-n", name, m.vg) }
		p.Write = func(t *testing.T, name string) { write(t, "/dev/"+m.vg+"/"+name) }
		p.Read = func(t *testing.T, name string) string { return sum(t, "/dev/"+m.vg+"/"+name) }
		return p
	})
	m.clear(t)
}

func (m real) thin(t *testing.T) {
	pooltest.Run(t, func(t *testing.T) pooltest.Pool {
		m.clear(t)
		m.run(t, "lvcreate", "-q", "-y", "-T", "-Zy", "-L", "1G", "--poolmetadatasize", "4M", m.vg+"/thin")
		p := m.pool(t, lvm.Thin{Tool: tool.Tool{Run: run.OS{}}, VG: m.vg, Pool: "thin"})
		p.Independent = true
		p.Foreign = func(t *testing.T, name string) {
			m.run(t, "lvcreate", "-q", "-y", "-V", "8M", "-n", name, "--thinpool", "thin", m.vg)
		}
		p.Write = func(t *testing.T, name string) { write(t, "/dev/"+m.vg+"/"+name) }
		p.Read = func(t *testing.T, name string) string {
			lv := strings.Replace(name, "@", ".", 1)
			if lv != name { // snapshots are inactive
				m.run(t, "lvchange", "-ay", "-K", m.vg+"/"+lv)
				defer m.run(t, "lvchange", "-an", m.vg+"/"+lv)
			}
			return sum(t, "/dev/"+m.vg+"/"+lv)
		}
		return p
	})
	m.clear(t)
}

func (m real) file(t *testing.T, thick bool, fs string) {
	const mnt = "/mnt/holdfast-pooltest"
	m.clear(t)
	if err := os.MkdirAll(mnt, 0o755); err != nil {
		t.Fatal(err)
	}
	m.run(t, "lvcreate", "-q", "-y", "-Wy", "-L", "1300M", "-n", "files", m.vg)
	m.run(t, "mkfs."+fs, "-q", "/dev/"+m.vg+"/files")
	m.run(t, "mount", "/dev/"+m.vg+"/files", mnt)
	t.Cleanup(func() {
		m.run(t, "losetup", "-D")
		m.run(t, "umount", mnt)
		m.clear(t)
	})
	if pic, err := (file.Driver{Host: run.OS{}, Loop: loop.Tool{Run: run.OS{}}, Dir: mnt}).Scan(context.Background()); err != nil || (pic.NoSnapshots == "") != (fs == "xfs") {
		t.Fatalf("%s: %+v %v", fs, pic, err)
	}
	n := 0
	pooltest.Run(t, func(t *testing.T) pooltest.Pool {
		m.run(t, "losetup", "-D")
		if err := os.RemoveAll(filepath.Join(mnt, fmt.Sprint(n))); err != nil {
			t.Fatal(err)
		}
		n++
		dir := filepath.Join(mnt, fmt.Sprint(n))
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		h := held{}
		data := func(name string) string { return filepath.Join(dir, name+".img") }
		return pooltest.Pool{
			Driver:      file.Driver{Host: run.OS{}, Loop: loop.Tool{Run: run.OS{}}, Dir: dir, Thick: thick},
			Independent: true,
			Foreign: func(t *testing.T, name string) {
				if err := os.WriteFile(data(name), make([]byte, 8<<20), 0o600); err != nil {
					t.Fatal(err)
				}
			},
			Reboot: func(t *testing.T) { m.run(t, "losetup", "-D") },
			Hold:   h.hold,
			Write:  func(t *testing.T, name string) { write(t, data(name)) },
			Read:   func(t *testing.T, name string) string { return sum(t, data(name)) },
			Vanish: func(t *testing.T) {
				m.run(t, "losetup", "-D")
				if err := os.Rename(dir, dir+"-gone"); err != nil {
					t.Fatal(err)
				}
			},
		}
	})
}
