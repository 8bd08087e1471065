package sqlite_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"holdfast/internal/store"
	"holdfast/internal/store/sqlite"
)

// TestUnknownOutcome: a COMMIT that fails in an unclear way stops all commits until a load has told what happened.
func TestUnknownOutcome(t *testing.T) {
	for _, done := range []bool{false, true} {
		t.Run(fmt.Sprintf("done=%v", done), func(t *testing.T) {
			d := open(t, filepath.Join(t.TempDir(), "controller.db"))
			commit(t, d, 0, put(1, "a"))
			broken := errors.New("the disk says no")
			d.BreakCommit(done, broken)
			_, err := d.Commit(ctx, 1, 1, []store.Change{put(2, "b")})
			if !errors.Is(err, store.ErrOutcomeUnknown) || !errors.Is(err, broken) {
				t.Fatalf("got %v", err)
			}
			for _, base := range []uint64{1, 2} {
				if _, err := d.Commit(ctx, 1, base, nil); !errors.Is(err, store.ErrNeedsLoad) {
					t.Fatalf("commit before the load: %v", err)
				}
			}
			want := uint64(1)
			if done {
				want = 2
			}
			st, err := d.Load(ctx)
			if err != nil || st.Base != want || len(st.Records) != int(want) {
				t.Fatalf("%+v, %v", st, err)
			}
			commit(t, d, want, put(3, "c"))
		})
	}
}

// TestDiskFull runs in a child with a small file system of its own: a commit that doesn't fit is refused whole, what is
// stored stays, and once there is room the next commit works, without reopening.
func TestDiskFull(t *testing.T) {
	const env = "HOLDFAST_TEST_SMALL_DISK"
	if os.Getenv(env) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestDiskFull$", "-test.v")
		cmd.Env = append(os.Environ(), env+"=1")
		cmd.SysProcAttr = &unix.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, unix.EPERM) {
			t.Skip("needs root, to mount a small file system")
		}
		if err != nil || !strings.Contains(string(out), "--- PASS: TestDiskFull") {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}

	dir := t.TempDir()
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)

	path := filepath.Join(dir, "controller.db")
	d := open(t, path)
	commit(t, d, 0, put(1, "small"))
	fill(t, filepath.Join(dir, "fill"), 200<<10)
	for i := range 3 {
		_, err := d.Commit(ctx, 7, 1, []store.Change{put(1, "changed"), put(int64(i+2), strings.Repeat("x", 1<<20))})
		if !errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrOutcomeUnknown) {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	st, err := d.Load(ctx)
	if err != nil || st.Base != 1 || st.Epoch != 1 || st.NextID != 2 || string(st.Records[0].Data) != "small" {
		t.Fatalf("%+v, %v", st, err)
	}

	// A commit that fits is taken with the disk nearly full, until none does.
	base, err := uint64(1), error(nil)
	for err == nil {
		if _, err = d.Commit(ctx, 1, base, []store.Change{put(int64(base)+1, strings.Repeat("y", 3000))}); err == nil {
			base++
		}
	}
	if !errors.Is(err, store.ErrFull) || base < 3 {
		t.Fatalf("revision %d: %v", base, err)
	}
	if err := os.Remove(filepath.Join(dir, "fill")); err != nil {
		t.Fatal(err)
	}
	commit(t, d, base, put(int64(base)+1, strings.Repeat("z", 50<<10)))
	d.Close()
	d, err = sqlite.Open(ctx, sqlite.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if st, err := d.Load(ctx); err != nil || st.Base != base+1 || len(st.Records) != int(base)+1 {
		t.Fatalf("%d records at %d, %v", len(st.Records), st.Base, err)
	}
}

// fill writes a file that leaves so many bytes free.
func fill(t *testing.T, path string, leave uint64) {
	t.Helper()
	var fs unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &fs); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.CopyN(f, zeros{}, int64(fs.Bavail*uint64(fs.Bsize)-leave)); err != nil {
		t.Fatal(err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
