package image

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNewestKernel(t *testing.T) {
	got, err := newestKernel("linux-image-6.1.0-9-cloud-amd64\nlinux-image-6.1.0-56-cloud-amd64-unsigned\nlinux-image-6.1.0-55-cloud-amd64\nlinux-image-6.1.0-60-amd64\n")
	if err != nil || got != "linux-image-6.1.0-55-cloud-amd64" {
		t.Fatal(got, err)
	}
	if _, err := newestKernel("linux-image-6.12.0-1-cloud-amd64\n"); err == nil {
		t.Fatal("took another Debian's kernel")
	}
}

func TestArchives(t *testing.T) {
	got := archives("'http://x/a_1.deb' a_1_amd64.deb 12 SHA256:00\nW: something\n'http://x/b.deb' b_2%3a1_all.deb 4 MD5Sum:1\n")
	if d := cmp.Diff([]string{"a_1_amd64.deb", "b_2%3a1_all.deb"}, got); d != "" {
		t.Fatal(d)
	}
}

func TestInputsChangeTheKey(t *testing.T) {
	src, mods := t.TempDir(), t.TempDir()
	write := func(p, s string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range sourceFolders {
		write(filepath.Join(src, d, "a.go"), "package a")
	}
	key := func(o Options) string {
		t.Helper()
		o.Source = src
		k, err := inputs(o)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	first := key(Options{})
	write(filepath.Join(src, "lab/image/a_test.go"), "package a")
	if key(Options{}) != first {
		t.Error("a test changed the key")
	}
	write(filepath.Join(mods, "drbd.ko"), "1")
	with := key(Options{Modules: mods})
	write(filepath.Join(mods, "drbd.ko"), "2")
	if with == first || key(Options{Modules: mods}) == with {
		t.Error("a module did not change the key")
	}
	write(filepath.Join(src, "lab/agent/a.go"), "package b")
	if key(Options{}) == first {
		t.Error("the agent did not change the key")
	}
	if _, err := inputs(Options{Source: src, Modules: t.TempDir()}); err == nil {
		t.Error("a folder without modules was taken")
	}
}

func TestPayloadRefusesOtherFiles(t *testing.T) {
	for _, b := range [][]byte{nil, make([]byte, 4096)} {
		if _, _, err := payload(b); err == nil {
			t.Error("no error")
		}
	}
	b := make([]byte, 4096)
	copy(b[bzMagic:], "HdrS")
	b[bzSetupSects] = 1
	b[bzPayloadOffset], b[bzPayloadLength] = 16, 64
	copy(b[1024+16:], "\x1f\x8b")
	data, argv, err := payload(b)
	if err != nil || len(data) != 64 || argv[0] != "gzip" {
		t.Error(len(data), argv, err)
	}
	b[bzPayloadLength+2] = 1
	if _, _, err := payload(b); err == nil {
		t.Error("payload beyond the end was taken")
	}
}

func TestPruneKeepsTheNewestAndTheHeld(t *testing.T) {
	dir := t.TempDir()
	for i, n := range []string{"held", "old", "mid", "new"} {
		p := filepath.Join(dir, n)
		if err := os.Mkdir(p, 0o755); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(int64(1000+i), 0)
		if err := os.Chtimes(p, at, at); err != nil {
			t.Fatal(err)
		}
	}
	hold, err := Hold(filepath.Join(dir, "held"))
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	Prune(dir, 2)
	got, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{filepath.Join(dir, "held"), filepath.Join(dir, "mid"), filepath.Join(dir, "new")}, got); d != "" {
		t.Fatal(d)
	}
}
