package labtest

import (
	"os"
	"strings"
	"testing"
	"time"

	"holdfast/lab"
)

// Config of a lab.
type Config = lab.Config

// Up brings up a lab that ends with the test. If the test fails, the end of each machine's console is logged.
// Without HOLDFAST_LAB=1 in the environment the test is skipped.
func Up(t testing.TB, c Config) *lab.Lab {
	t.Helper()
	if os.Getenv("HOLDFAST_LAB") != "1" {
		t.Skip("boots virtual machines; set HOLDFAST_LAB=1 to run it")
	}
	if c.Log == nil {
		c.Log = logger{t}
	}
	start := time.Now()
	l, err := lab.Up(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("lab: %d machines up in %.2fs (%s)", len(l.Machines), time.Since(start).Seconds(), l.Network())
	t.Cleanup(func() {
		if t.Failed() {
			for _, m := range l.Machines {
				t.Logf("console of %s:\n%s", m.Name, tail(m.Console()))
			}
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// tail is the last 40 lines of a file.
func tail(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

type logger struct{ t testing.TB }

func (l logger) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}
