package contract

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestStories plays stories/*.txtar: what people type and what they read, each on a cluster of its own: alpha, bravo and
// charlie with DRBD 9, a volume group sw_ssd and a thin pool sw_ssd/thin. Beside testscript's own, a story has the commands
//
//	linstor ...        the command line, in this process; `! linstor` must fail, and prints its exit code last
//	cluster            registers the three nodes, with sw_ssd as pool swpool
//	settle             waits until no replica is on its way
//	await RE ...       repeats a command line until what it prints matches, with `!` until it doesn't
//	away NODE, back NODE   stops and starts a satellite
//
// $alpha, $bravo, $charlie are the addresses as `node create` wants them. HOLDFAST_UPDATE=1 writes what was printed into
// the files that `cmp` compares.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("stories/*.txtar")
	check(t, err)
	if len(files) == 0 {
		t.Fatal("there are no stories")
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txtar"), func(t *testing.T) {
			t.Parallel()
			c := start(t, "alpha", "bravo", "charlie")
			for _, n := range []string{"alpha", "bravo", "charlie"} {
				prepare(t, c, n, "lvcreate -T -L 1G --poolmetadatasize 4M sw_ssd/thin")
			}
			testscript.RunT(story{t}, testscript.Params{Files: []string{f}, Cmds: c.words(t), UpdateScripts: os.Getenv("HOLDFAST_UPDATE") != "",
				Setup: func(e *testscript.Env) error {
					for name := range c.sats {
						host, port, _ := strings.Cut(strings.Replace(c.addressOf(name), " --port ", " ", 1), " ")
						e.Setenv(name, host)
						e.Setenv(name+"_port", port)
					}
					return nil
				}})
		})
	}
}

// story runs a script as the test itself, not as one beneath it.
type story struct{ *testing.T }

func (s story) Run(_ string, f func(testscript.T)) { f(s) }
func (story) Parallel()                            {}
func (story) Verbose() bool                        { return testing.Verbose() }

// words are what a story may say beside testscript's own.
func (c *cluster) words(t *testing.T) map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"linstor": func(s *testscript.TestScript, neg bool, args []string) {
			code, out := c.run(t, args)
			fmt.Fprint(s.Stdout(), out)
			if neg {
				fmt.Fprintf(s.Stdout(), "exit code %d\n", code)
			}
			if (code != 0) != neg {
				s.Fatalf("linstor %s: exit code %d\n%s", strings.Join(args, " "), code, out)
			}
		},
		"cluster": func(s *testscript.TestScript, neg bool, args []string) { c.setUp(t, "lvm") },
		"settle":  func(s *testscript.TestScript, neg bool, args []string) { c.settle(t) },
		"away":    func(s *testscript.TestScript, neg bool, args []string) { c.sats[args[0]].stop() },
		"back":    func(s *testscript.TestScript, neg bool, args []string) { c.startSatellite(t, args[0]) },
		"await": func(s *testscript.TestScript, neg bool, args []string) {
			want := regexp.MustCompile(args[0])
			var out string
			c.until(t, strings.Join(args[1:], " "), args[0], func() bool {
				_, out = c.run(t, args[1:])
				return want.MatchString(out) != neg
			})
			fmt.Fprint(s.Stdout(), out)
		},
	}
}
