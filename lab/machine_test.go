package lab_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/lab"
	"holdfast/lab/labtest"
)

// TestMachine goes through what one machine can do.
func TestMachine(t *testing.T) {
	l := labtest.Up(t, labtest.Config{Machines: 1})
	a := l.Machine("alpha")
	ctx := t.Context()

	t.Run("identity", func(t *testing.T) {
		if got := must(t, a, "hostname; cat /sys/block/vda/serial; ip -o -4 addr show data0"); !strings.HasPrefix(got, "alpha\ndisk0") || !strings.Contains(got, " 10.77.0.1/24 ") {
			t.Error(got)
		}
		var sec int64
		fmt.Sscan(must(t, a, "date +%s"), &sec)
		if d := time.Since(time.Unix(sec, 0)); d < -5*time.Second || d > 5*time.Second {
			t.Errorf("its clock is off by %v", d)
		}
	})
	t.Run("exec", func(t *testing.T) {
		r, err := a.Run(ctx, lab.Command{Argv: []string{"/bin/sh", "-c", "cat; echo $X >&2; pwd; exit 7"}, Env: []string{"X=y"}, Dir: "/etc", Stdin: []byte("in\n")})
		if err != nil || r.Exit != 7 || r.Stdout != "in\n/etc\n" || r.Stderr != "y\n" {
			t.Errorf("%+v %v", r, err)
		}
		if r, err := a.Exec(ctx, "/bin/sh", "-c", "kill -9 $$"); err != nil || r.Exit != -1 || r.Signal != "killed" {
			t.Errorf("%+v %v", r, err)
		}
		if _, err := a.Exec(ctx, "/no/such"); err == nil {
			t.Error("ran nothing without an error")
		}
		var x *lab.ExitError
		if _, err := a.Sh(ctx, "echo why >&2; exit 3"); !errors.As(err, &x) || x.Exit != 3 || !strings.Contains(err.Error(), "alpha") || !strings.Contains(err.Error(), "why") {
			t.Error(err)
		}
	})
	t.Run("time limit", func(t *testing.T) {
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		r, err := a.Exec(short, "/bin/sh", "-c", "echo begun; sleep 1000 & wait")
		if !errors.Is(err, context.DeadlineExceeded) || r == nil || r.Stdout != "begun\n" {
			t.Errorf("%+v %v", r, err)
		}
		if out := must(t, a, "pgrep -x sleep || echo none"); out != "none" {
			t.Error("a child outlived it: ", out)
		}
	})
	t.Run("spawn", func(t *testing.T) {
		p, err := a.Spawn(ctx, "/var/log/lab/x.log", lab.Command{Argv: []string{"/bin/sh", "-c", "echo out; echo err >&2; trap 'exit 4' TERM; while :; do sleep 0.05; done"}})
		if err != nil {
			t.Fatal(err)
		}
		if up, err := p.Running(ctx); !up || err != nil {
			t.Fatal(up, err)
		}
		must(t, a, "while ! grep -q err /var/log/lab/x.log; do sleep 0.05; done")
		if err := p.Signal(ctx, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if s, err := p.Wait(ctx); err != nil || s.Running || s.Exit != 4 {
			t.Errorf("%+v %v", s, err)
		}
		if err := p.Signal(ctx, syscall.SIGKILL); err == nil {
			t.Error("signalled a dead process")
		}
		if b, err := a.Get(ctx, "/var/log/lab/x.log"); err != nil || string(b) != "out\nerr\n" {
			t.Errorf("%q %v", b, err)
		}
		if _, err := a.Spawn(ctx, "", lab.Command{Argv: []string{"/no/such"}}); err == nil {
			t.Error("started nothing without an error")
		}
	})
	t.Run("files", func(t *testing.T) {
		local := filepath.Join(t.TempDir(), "f")
		want := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
		if err := os.WriteFile(local, want, 0o750); err != nil {
			t.Fatal(err)
		}
		if err := a.Put(ctx, local, "/new/folder/f"); err != nil {
			t.Fatal(err)
		}
		if m := must(t, a, "stat -c %a /new/folder/f; ls -A /new/folder"); m != "750\nf" {
			t.Error(m)
		}
		if got, err := a.Get(ctx, "/new/folder/f"); err != nil || !bytes.Equal(got, want) {
			t.Error("came back different", err)
		}
		if _, err := a.Get(ctx, "/nothing"); !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	})
	t.Run("tunnels", func(t *testing.T) {
		must(t, a, "mkdir -p /www && echo page >/www/index.html && busybox httpd -p 10.77.0.1:3370 -h /www")
		get := func(c *http.Client, url string) (string, error) {
			resp, err := c.Get(url)
			if err != nil {
				return "", err
			}
			defer resp.Body.Close()
			var b bytes.Buffer
			_, err = b.ReadFrom(resp.Body)
			return b.String(), err
		}
		if err := a.Link(false); err != nil { // whatever happens to the data network
			t.Fatal(err)
		}
		for _, host := range []string{"alpha", "10.77.0.1"} {
			if s, err := get(l.HTTPClient(), "http://"+host+":3370/index.html"); s != "page\n" || err != nil {
				t.Error(s, err)
			}
		}
		addr, err := l.Forward("127.0.0.1:0", "alpha", 3370)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := get(http.DefaultClient, "http://"+addr+"/index.html"); s != "page\n" || err != nil {
			t.Error(s, err)
		}
		if c, err := l.Dial(ctx, "alpha", 3371); err == nil {
			c.Close()
			t.Error("connected to a port where nobody listens")
		}
		if err := a.Link(true); err != nil {
			t.Fatal(err)
		}
	})
}

// TestPowerCut: what was flushed is there after the cut, what was not may be gone, and the machine comes back.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	l := labtest.Up(t, labtest.Config{Machines: 1})
	a := l.Machine("alpha")
	must(t, a, `set -e
yes kept | head -c 1M >/tmp/kept; yes lost | head -c 1M >/tmp/lost
dd if=/tmp/kept of=/dev/vda bs=4k oflag=direct conv=fsync 2>/dev/null
dd if=/tmp/lost of=/dev/vda bs=4k seek=1024 oflag=direct 2>/dev/null
cp /tmp/kept /root/kept; sync /root/kept
cp /tmp/lost /root/lost`)
	before := a.Disks()
	if before[1].Flushes == 0 || before[1].Unflushed < 1<<20 {
		t.Fatalf("flushes do not arrive, or unflushed writes are not held: %+v", before[1])
	}
	if err := a.KillKeeping(0.5); err != nil {
		t.Fatal(err)
	}
	if a.Running() {
		t.Error("it runs without power")
	}
	if _, err := a.Exec(t.Context(), "true"); err == nil {
		t.Error("it answers without power")
	}
	s := a.Disks()[1]
	t.Logf("data disk: %+v", s)
	if s.CutDropped < s.CutUnflushed/4 || s.CutDropped > s.CutUnflushed*3/4 {
		t.Error("dropped an odd part")
	}
	start := time.Now()
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("cold start in %.2fs", time.Since(start).Seconds())
	if got := must(t, a, "hostname; yes kept | head -c 1M | cmp - /root/kept; yes kept | head -c 1M | cmp -n 1048576 - /dev/vda; echo ok"); got != "alpha\nok" {
		t.Error("flushed data is gone: ", got)
	}
	if got := must(t, a, "yes lost | head -c 1M >/tmp/lost; cmp -s -i 0:4194304 -n 1048576 /tmp/lost /dev/vda && echo all there || echo lost"); got != "lost" {
		t.Error("unflushed data: ", got)
	}
	if got := must(t, a, "yes lost | head -c 1M >/tmp/lost; cmp -s /root/lost /tmp/lost && echo all there || echo lost"); got != "lost" {
		t.Error("a file that was never synced: ", got)
	}
}

// TestSeveralBoots: a machine stays usable through many power cuts in the middle of writing to its root disk.
func TestSeveralBoots(t *testing.T) {
	t.Parallel()
	l := labtest.Up(t, labtest.Config{Machines: 1})
	a := l.Machine("alpha")
	for i := range 3 {
		must(t, a, fmt.Sprintf("echo %d >/root/count; sync /root/count; (while :; do cp -r /etc /root/etc.new; rm -rf /root/etc.old; mv /root/etc.new /root/etc.old; sync; done >/dev/null 2>&1 &) ; sleep 0.3", i))
		if err := a.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := a.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := must(t, a, "cat /root/count"); got != fmt.Sprint(i) {
			t.Errorf("round %d: a synced file says %q", i, got)
		}
	}
}

// TestNetwork cuts and heals, on each kind of network.
func TestNetwork(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"tap", "dgram"} {
		t.Run(kind, func(t *testing.T) {
			if kind == "tap" && os.Geteuid() != 0 {
				t.Skip("a bridge needs root")
			}
			l := labtest.Up(t, labtest.Config{Machines: 3, Network: kind})
			ping := func(from, to string) bool {
				t.Helper()
				r, err := l.Machine(from).Exec(t.Context(), "busybox", "ping", "-c", "1", "-W", "1", to)
				if err != nil {
					t.Fatal(err)
				}
				return r.Exit == 0
			}
			expect := func(when string, ab, ac, bc bool) {
				t.Helper()
				for _, p := range []struct {
					from, to string
					want     bool
				}{{"alpha", "bravo", ab}, {"bravo", "alpha", ab}, {"alpha", "charlie", ac}, {"bravo", "charlie", bc}} {
					if ping(p.from, p.to) != p.want {
						t.Errorf("%s: %s reaches %s: %v", when, p.from, p.to, !p.want)
					}
				}
			}
			check := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			expect("at first", true, true, true)
			check(l.Cut("alpha", "bravo"))
			expect("cut", false, true, true)
			check(l.Isolate("charlie"))
			expect("isolated", false, false, false)
			check(l.Heal("bravo", "alpha"))
			expect("healed one", true, false, false)
			check(l.HealAll())
			expect("healed", true, true, true)
			if kind == "dgram" {
				must(t, l.Machine("alpha"), "(sleep 60 | busybox nc -l -p 7 >/tmp/got 2>/dev/null &); while ! busybox netstat -ltn | grep -q ':7 '; do sleep 0.05; done")
				must(t, l.Machine("bravo"), "dd if=/dev/zero bs=1M count=8 2>/dev/null | timeout 5 busybox nc alpha 7; true")
				if n := must(t, l.Machine("alpha"), "stat -c %s /tmp/got"); n != "8388608" {
					t.Error("bytes that came through: ", n)
				}
			}
			check(l.Machine("alpha").Kill())
			if ping("bravo", "alpha") {
				t.Error("a dead machine answers")
			}
			check(l.Machine("alpha").Start(t.Context()))
			expect("after a restart", true, true, true)
		})
	}
}

// TestNothingOutlivesItsOwner: machines end with the process that started them, however it ends, and the next lab clears
// up behind it.
func TestNothingOutlivesItsOwner(t *testing.T) {
	if os.Getenv("LAB_TEST_OWNER") == "1" {
		l := labtest.Up(t, labtest.Config{Machines: 1})
		fmt.Printf("owner: %d %s\n", l.Machine("alpha").Pid(), l.Dir())
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		select {}
	}
	l := labtest.Up(t, labtest.Config{Machines: 1}) // skips where no lab is wanted; stays while the other one dies
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, "-test.run=^TestNothingOutlivesItsOwner$", "-test.v")
	c.Env = append(os.Environ(), "LAB_TEST_OWNER=1")
	out, err := c.CombinedOutput()
	_, line, found := strings.Cut(string(out), "owner: ")
	var pid int
	var dir string
	if _, e := fmt.Sscan(line, &pid, &dir); err == nil || !found || e != nil {
		t.Fatalf("%v %v\n%s", err, e, out)
	}
	look, limit := time.NewTicker(10*time.Millisecond), time.After(10*time.Second)
	defer look.Stop()
	for !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		select {
		case <-limit:
			t.Fatalf("QEMU %d is still there", pid)
		case <-look.C:
		}
	}
	next := labtest.Up(t, labtest.Config{Machines: 1})
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Error("its folder is still there", err)
	}
	must(t, l.Machine("alpha"), "true")
	must(t, next.Machine("alpha"), "true")
}

// TestTwoLabs: two labs at once do not meet.
func TestTwoLabs(t *testing.T) {
	one := labtest.Up(t, labtest.Config{Machines: 1})
	two := labtest.Up(t, labtest.Config{Machines: 2})
	if r, err := one.Machine("alpha").Exec(t.Context(), "busybox", "ping", "-c", "1", "-W", "1", "bravo"); err != nil || r.Exit == 0 {
		t.Errorf("%+v %v", r, err)
	}
	must(t, two.Machine("alpha"), "busybox ping -c 1 -W 2 bravo; touch /root/two")
	if err := two.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(two.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Error("its folder is still there", err)
	}
	must(t, one.Machine("alpha"), "[ ! -e /root/two ]")
}
