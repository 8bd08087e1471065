package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"nonsense"}, {"kill"}, {"cut", "alpha"}, {"put", "alpha", "x"}, {"link", "alpha", "sideways"}} {
		if err := run(t.Context(), args); err == nil || !strings.Contains(err.Error(), "usage:") {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestNoLab(t *testing.T) {
	t.Setenv("HOLDFAST_LAB_SOCKET", filepath.Join(t.TempDir(), "none"))
	for _, args := range [][]string{{"ps"}, {"down"}, {"exec", "alpha", "true"}, {"kill", "alpha"}} {
		if err := run(t.Context(), args); err == nil || !strings.Contains(err.Error(), "no lab is up") {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// TestLabctl plays a session as a user would.
func TestLabctl(t *testing.T) {
	if os.Getenv("HOLDFAST_LAB") != "1" {
		t.Skip("boots virtual machines; set HOLDFAST_LAB=1 to run it")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "labctl")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	env := append(os.Environ(), "HOLDFAST_LAB_SOCKET="+filepath.Join(dir, "s"))
	labctl := func(stdin string, args ...string) (out string, code int) {
		t.Helper()
		c := exec.Command(program, args...)
		c.Env, c.Stdin = env, strings.NewReader(stdin)
		b, err := c.CombinedOutput()
		if err != nil && c.ProcessState == nil {
			t.Fatal(err)
		}
		return string(b), c.ProcessState.ExitCode()
	}
	// says fails unless the command exits with 0 and its output has want in it
	says := func(want string, args ...string) string {
		t.Helper()
		out, code := labctl("", args...)
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("%v: exit %d: %s", args, code, out)
		}
		return out
	}
	defer labctl("", "down")
	says("bravo  10.77.0.2", "up", "-n", "2")
	if out, code := labctl("", "up"); code != exitLab || !strings.Contains(out, "up already") {
		t.Error(code, out)
	}
	if out, code := labctl("text", "exec", "alpha", "--", "sh", "-c", "cat; exit 5"); code != 5 || out != "text" {
		t.Error(code, out)
	}
	if out, code := labctl("hostname\nexit 6\n", "sh", "bravo"); code != 6 || out != "bravo\n" {
		t.Error(code, out)
	}
	if out, code := labctl("", "exec", "-t", "200ms", "alpha", "sleep", "100"); code != exitLab || !strings.Contains(out, "deadline") {
		t.Error(code, out)
	}
	file := filepath.Join(dir, "page")
	if err := os.WriteFile(file, []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	says("", "put", "alpha", file, "/www/page")
	says("hello", "get", "alpha", "/www/page")
	says("", "get", "alpha", "/www/page", file+"2")
	if b, err := os.ReadFile(file + "2"); string(b) != "hello\n" {
		t.Error(string(b), err)
	}
	says("", "sh", "alpha", "busybox httpd -p 3370 -h /www")
	addr := strings.TrimSpace(says("127.0.0.1:", "forward", "alpha", "3370"))
	resp, err := http.Get("http://" + addr + "/page")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); string(b) != "hello\n" {
		t.Error(string(b), err)
	}
	says("", "cut", "alpha", "bravo")
	says("cut: alpha bravo", "ps")
	says("100% packet loss", "sh", "alpha", "busybox ping -c 1 -W 1 bravo || true")
	says("", "heal")
	says(" 0% packet loss", "sh", "alpha", "busybox ping -c 1 -W 2 bravo")
	says("", "kill", "bravo")
	says("off", "ps")
	says("bravo is up", "start", "bravo")
	if out, code := labctl("", "kill", "nobody"); code != exitLab || !strings.Contains(out, "no machine") {
		t.Error(code, out)
	}
	says("", "down")
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("the forward outlived the lab")
	}
}
