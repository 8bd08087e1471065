package contract

import (
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

// script runs one of the scripts with the client.
func script(t *testing.T, c *cluster, argv ...string) {
	t.Helper()
	argv = append(append([]string{python(t), "-W", "error::SyntaxWarning"}, argv...), c.url)
	argv = append(argv, c.nodes...)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", argv[3:], err, out)
	}
	t.Logf("%s", out)
}

// The tutorial, and what the client's other layers need, done by the public Python client.
func TestPythonClient(t *testing.T) {
	script(t, start(t, "alpha", "bravo"), "tutorial.py")
}

// Snapshots as the client takes, lists, restores and removes them.
func TestPythonClientSnapshots(t *testing.T) {
	script(t, start(t, "alpha", "bravo"), "snapshots.py")
}

// What the client sees while a node is away: nothing crashes it, changes are kept, the last good copy stays, a name is free
// at once; and after the node's return.
func TestPythonClientWhileANodeIsAway(t *testing.T) {
	c := start(t, "alpha", "bravo")
	script(t, c, "offline.py", "setup")
	c.sats["bravo"].stop()
	script(t, c, "offline.py", "away")
	c.startSatellite(t, "bravo")
	script(t, c, "offline.py", "back")
}

// Groups, sizes, connections, tie-breakers and physical storage.
func TestPythonClientGroups(t *testing.T) {
	script(t, start(t, "alpha", "bravo", "charlie"), "groups.py")
}
