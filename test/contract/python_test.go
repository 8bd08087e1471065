package contract

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// clientVersion of python-linstor; it speaks REST 1.29.
const clientVersion = "1.29.1"

// python gives the interpreter of a virtual environment with the client in it. What is missing fails the test: a contract
// that nobody held must not look held.
func python(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", ".tools", "python-linstor-"+clientVersion))
	if err != nil {
		t.Fatal(err)
	}
	py := filepath.Join(dir, "bin", "python3")
	if exec.Command(py, "-c", "import linstor").Run() == nil {
		return py
	}
	host, err := exec.LookPath("python3")
	if err != nil {
		t.Fatalf("python3 is missing (apt-get install python3-venv): %v", err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	sh(t, host, "-m", "venv", "--clear", dir)
	sh(t, py, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "python-linstor=="+clientVersion)
	return py
}

func sh(t *testing.T, argv ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, out)
	}
}

// The tutorial, and what the client's other layers need, done by the public Python client.
func TestPythonClient(t *testing.T) {
	py := python(t)
	c := start(t, "alpha", "bravo")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, py, "-W", "error::SyntaxWarning", "tutorial.py", c.url, c.nodes[0], c.nodes[1])
	cmd.Env = append(os.Environ(), "PYTHONUNBUFFERED=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("tutorial.py: %v\n%s", err, &out)
	}
	t.Logf("%s", &out)
}
