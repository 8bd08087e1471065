package sqlite_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"holdfast/internal/store"
	"holdfast/internal/store/sqlite"
)

const committerEnv = "HOLDFAST_TEST_COMMITTER"

func TestMain(m *testing.M) {
	if path := os.Getenv(committerEnv); path != "" {
		if err := committer(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// committer commits for ever, and prints each revision once it is acknowledged.
func committer(path string) error {
	d, err := sqlite.Open(ctx, sqlite.Options{Path: path})
	if err != nil {
		return err
	}
	st, err := d.Load(ctx)
	if err != nil {
		return err
	}
	for base := st.Base; ; {
		if base, err = d.Commit(ctx, st.Epoch+1, base, changesOf(base+1)); err != nil {
			return err
		}
		fmt.Println(base)
	}
}

// changesOf gives revision rev's changes: two records and a small one made, an older one deleted, one that all share
// replaced.
func changesOf(rev uint64) []store.Change {
	id := int64(rev)*3 + 10
	c := []store.Change{
		put(id, fmt.Sprint(rev)), put(id+1, strings.Repeat(fmt.Sprint(rev, " "), 1000)), put(id+2, ""), put(1, fmt.Sprint(rev)),
	}
	if rev > 7 {
		c = append(c, store.Change{ID: id - 7*3, Kind: store.KindNode})
	}
	return c
}

// TestKilled kills a process that commits, at random moments, again and again on the same store. Whatever it acknowledged
// is there, whole; at most the one commit under way more.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "controller.db")
	rng := rand.New(rand.NewPCG(1, 2))
	acked := uint64(0)
	for round := range 12 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), committerEnv+"="+path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Kill it after some acknowledgements, in the middle of whatever it does by then; round 0 at once.
		in := bufio.NewReader(out)
		for n := round * rng.IntN(40); n > 0; n-- {
			acked = ack(t, in, acked)
		}
		for range rng.IntN(200_000) { // a moment that depends on no clock
			rng.Uint64()
		}
		_ = cmd.Process.Kill()
		for { // what it wrote to the pipe before it died, it had been promised
			line, err := in.ReadString('\n')
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			acked = parse(t, line)
		}
		_ = cmd.Wait()

		d, err := sqlite.Open(ctx, sqlite.Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		st, err := d.Load(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if st.Base < acked || st.Base > acked+1 {
			t.Fatalf("round %d: revision %d, acknowledged %d", round, st.Base, acked)
		}
		mustBeWhole(t, st)
		acked = st.Base
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if acked < 50 {
		t.Fatalf("only %d commits in all", acked)
	}
}

func ack(t *testing.T, in *bufio.Reader, last uint64) uint64 {
	t.Helper()
	line, err := in.ReadString('\n')
	if err != nil {
		t.Fatalf("after revision %d: %v", last, err)
	}
	n := parse(t, line)
	if n != last+1 {
		t.Fatalf("revision %d after %d", n, last)
	}
	return n
}

func parse(t *testing.T, line string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimSpace(line), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// mustBeWhole compares the records with what the commits up to the revision left.
func mustBeWhole(t *testing.T, st store.State) {
	t.Helper()
	want := map[int64]string{}
	for rev := uint64(1); rev <= st.Base; rev++ {
		for _, c := range changesOf(rev) {
			if c.Delete() {
				delete(want, c.ID)
			} else {
				want[c.ID] = string(c.Data)
			}
		}
	}
	if len(st.Records) != len(want) {
		t.Fatalf("revision %d: %d records, want %d", st.Base, len(st.Records), len(want))
	}
	for _, r := range st.Records {
		if w, ok := want[r.ID]; !ok || w != string(r.Data) {
			t.Fatalf("revision %d: record %d is wrong", st.Base, r.ID)
		}
	}
}
