package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/internal/cli"
	"holdfast/internal/model"
	"holdfast/internal/tool/run"
)

// page is a guide whose commands are typed, in the order in which they stand there, on a cluster where the story begins.
type page struct {
	file   string
	kind   string // of the pools
	before []string
	// at says what happens in the world right before the first command that begins so; "... #2": before the second.
	at map[string]func(t *testing.T, c *cluster)
	// asked are lines that ask the reader for something, and how they are typed here.
	asked map[string]string
	// aside are commands of other stories than the page's, by their beginning, and why they aren't typed.
	aside map[string]string
}

func away(t *testing.T, c *cluster) { c.sats["alpha"].stop() }

func back(t *testing.T, c *cluster) { c.startSatellite(t, "alpha") }

// home moves a replica to alpha, from charlie.
func home(t *testing.T, c *cluster) {
	c.typed(t, "resource toggle-disk alpha backups --migrate-from charlie --storage-pool swpool")
	c.settle(t)
}

// prepare runs a program on a node's model machine.
func prepare(t *testing.T, c *cluster, node, line string) {
	t.Helper()
	_, err := run.Check(t.Context(), c.sats[node].m, run.Cmd{Argv: strings.Fields(line)}, nil)
	check(t, err)
}

var placed = []string{"resource-definition create backups", "volume-definition create backups 64M", "resource create backups --auto-place 2 --storage-pool swpool"}

var pages = []page{
	{file: "grow.md", before: placed},
	{file: "verify.md", before: placed},
	{file: "networks.md", before: []string{placed[0], placed[1], "resource create alpha bravo backups --storage-pool swpool"},
		at: map[string]func(*testing.T, *cluster){"node interface create alpha": func(_ *testing.T, c *cluster) {
			for i, n := range []string{"alpha", "bravo", "charlie"} {
				c.sats[n].m.AddAddress(netip.AddrFrom4([4]byte{10, 78, 0, byte(i + 1)}))
			}
		}}},
	{file: "snapshots.md", kind: "filethin", before: append(slices.Clone(placed), "resource-definition create mail", "volume-definition create mail 64M", "resource create mail --auto-place 2 --storage-pool swpool"),
		at: map[string]func(*testing.T, *cluster){"snapshot create-multiple": func(t *testing.T, c *cluster) {
			c.typed(t, "snapshot rollback backups monday")
			c.typed(t, "snapshot delete backups monday")
		}, "snapshot rollback": func(t *testing.T, c *cluster) { c.typed(t, "resource-definition delete copy") }}},
	{file: "restore.md", kind: "filethin", before: append(slices.Clone(placed), "snapshot create backups monday")},
	{file: "replace-a-disk.md", before: []string{placed[0], placed[1], "resource create alpha bravo backups --storage-pool swpool"},
		aside: map[string]string{"physical-storage create-device-pool": "named without its arguments"}},
	{file: "replace-a-node.md", before: []string{placed[0], placed[1], "resource create alpha bravo backups --storage-pool swpool"},
		at: map[string]func(*testing.T, *cluster){"storage-pool delete alpha": func(t *testing.T, c *cluster) {
			c.until(t, "node evacuate alpha", "nothing is left on alpha", func() bool { return !strings.Contains(c.typed(t, "resource list"), "alpha") })
		}}},
	{file: "lose-a-node.md", before: []string{placed[0], placed[1], "resource create alpha bravo backups --storage-pool swpool"},
		at: map[string]func(*testing.T, *cluster){"node list": away, "node restore alpha": back, "node lost alpha": away}},
	{file: "split-brain.md", before: placed},
	{file: "clone.md", kind: "filethin", before: placed},
	{file: "clone.md", before: placed}, // in thick LVM

	{file: "encryption.md", asked: map[string]string{
		"encryption create-passphrase":                       "encryption create-passphrase -p sesame",
		"encryption enter-passphrase":                        "encryption enter-passphrase -p sesame",
		"encryption modify-passphrase":                       "encryption modify-passphrase --old-passphrase sesame --new-passphrase sesame",
		"volume-definition create vault 1G --passphrase ...": "volume-definition create vault 1G --passphrase friend",
		"volume-definition modify-passphrase vault 0":        "volume-definition modify-passphrase vault 0 mellon",
	}},
	{file: "moving-data.md", before: []string{placed[0], placed[1], "resource create alpha bravo backups --storage-pool swpool"},
		at: map[string]func(*testing.T, *cluster){
			"resource deactivate":   home,
			"node evict alpha":      func(t *testing.T, c *cluster) { home(t, c); away(t, c); c.offline(t) },
			"node restore alpha #2": back,
			"node restore alpha --delete-resources": func(t *testing.T, c *cluster) {
				away(t, c)
				c.offline(t)
				c.typed(t, "node evict alpha")
				back(t, c)
			},
			"node lost alpha": func(t *testing.T, c *cluster) { away(t, c); c.offline(t) },
		},
		aside: map[string]string{"node delete alpha": "the page goes on with the node"}},
	{file: "storage-pools.md", kind: "none", at: map[string]func(*testing.T, *cluster){
		"storage-pool create lvmthin": func(t *testing.T, c *cluster) {
			prepare(t, c, "alpha", "lvcreate -T -L 1G --poolmetadatasize 4M sw_ssd/thin")
		},
		"storage-pool create file ": func(t *testing.T, c *cluster) {
			check(t, c.sats["alpha"].m.MkdirAll("/srv/volumes", 0o755))
			check(t, c.sats["alpha"].m.MkdirAll("/srv/thin", 0o755))
		},
	}},
}

// A page's commands do what it tells.
func TestGuides(t *testing.T) {
	for _, p := range pages {
		t.Run(p.file, func(t *testing.T) {
			t.Parallel()
			c := start(t, "alpha", "bravo", "charlie")
			c.setUp(t, p.kind)
			for _, line := range p.before {
				c.settle(t)
				c.typed(t, line)
			}
			text, err := os.ReadFile(filepath.Join("..", "..", "docs", p.file))
			check(t, err)
			n, came := 0, map[string]int{}
			for _, line := range commands(string(text)) {
				if slices.ContainsFunc(keys(p.aside), func(k string) bool { return strings.HasPrefix(line, k) }) {
					continue
				}
				for _, k := range keys(p.at) {
					begins, second := strings.CutSuffix(k, " #2")
					if !strings.HasPrefix(line, begins) {
						continue
					}
					if came[k]++; came[k] == 1 && !second || came[k] == 2 && second {
						p.at[k](t, c)
					}
				}
				c.settle(t)
				if as := p.asked[line]; as != "" {
					line = as
				}
				c.typed(t, strings.ReplaceAll(line, "ADDRESS", c.addressOf("alpha")))
				n++
			}
			if n == 0 {
				t.Fatal("the page has no commands")
			}
		})
	}
}

func keys[V any](m map[string]V) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

var inline = regexp.MustCompile("`linstor ([^`]+)`")

// commands are the lines of a page that call linstor, in blocks, indented, or in the text; without comments.
func commands(text string) (out []string) {
	block := false
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "```") {
			block = !block
			continue
		}
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "linstor "); ok && (block || strings.HasPrefix(line, "    ")) {
			rest, _, _ = strings.Cut(rest, " #")
			out = append(out, strings.TrimSpace(rest))
			continue
		}
		if !block {
			for _, m := range inline.FindAllStringSubmatch(line, -1) {
				out = append(out, m[1])
			}
		}
	}
	return out
}

// typed runs a command line in this process and gives what it prints. It must go well.
func (c *cluster) typed(t *testing.T, line string) string {
	t.Helper()
	code, out := c.cli(t, line)
	if code != 0 {
		t.Fatalf("linstor %s: exit code %d\n%s", line, code, out)
	}
	return out
}

func (c *cluster) cli(t *testing.T, line string) (int, string) {
	t.Helper()
	return c.run(t, strings.Fields(line))
}

// run is the command line in this process: its exit code and what it prints.
func (c *cluster) run(t *testing.T, args []string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	var out bytes.Buffer
	app := cli.New(cli.Config{Prog: "linstor", Version: "test", Env: []string{"LS_CONTROLLERS=" + c.url, "LANG=C.UTF-8"},
		Streams: cli.Streams{In: strings.NewReader(""), Out: &out, Err: &out}})
	code := app.Run(ctx, args)
	return code, out.String()
}

func (c *cluster) addressOf(node string) string {
	for _, n := range c.nodes {
		if at, ok := strings.CutPrefix(n, node+"="); ok {
			host, port, _ := strings.Cut(at, ":")
			return host + " --port " + port
		}
	}
	return ""
}

// setUp registers the nodes and gives each a pool "swpool".
func (c *cluster) setUp(t *testing.T, kind string) {
	t.Helper()
	for _, n := range c.nodes {
		name, _, _ := strings.Cut(n, "=")
		c.typed(t, "node create "+name+" "+c.addressOf(name))
		switch kind {
		case "none":
		case "filethin":
			c.typed(t, "storage-pool create filethin "+name+" swpool /srv/files")
		default:
			c.typed(t, "storage-pool create lvm "+name+" swpool sw_ssd")
		}
	}
}

// until repeats a command until something holds.
func (c *cluster) until(t *testing.T, line, what string, holds func() bool) {
	t.Helper()
	end := time.Now().Add(time.Minute)
	for !holds() {
		if time.Now().After(end) {
			_, out := c.cli(t, line)
			t.Fatalf("after a minute not yet: %s\n%s", what, out)
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
}

// offline waits until the controller knows that alpha is away.
func (c *cluster) offline(t *testing.T) {
	t.Helper()
	c.until(t, "node list", "alpha is offline", func() bool { return strings.Contains(c.typed(t, "node list"), "OFFLINE") })
}

// settle waits until no replica of an online node is on its way: what the reader of a page sees in `resource list` before he
// types the next line.
func (c *cluster) settle(t *testing.T) {
	t.Helper()
	c.until(t, "resource list", "all replicas are at rest", func() bool {
		var list []struct {
			Name   string   `json:"name"`
			Node   string   `json:"node_name"`
			Flags  []string `json:"flags"`
			Layers struct {
				DRBD struct {
					Connections map[string]struct {
						Connected bool `json:"connected"`
					} `json:"connections"`
				} `json:"drbd"`
			} `json:"layer_object"`
			Volumes []struct {
				State struct {
					Disk string `json:"disk_state"`
				} `json:"state"`
			} `json:"volumes"`
		}
		resp, err := http.Get(strings.Replace(c.url, "linstor://", "http://", 1) + "/v1/view/resources")
		check(t, err)
		defer resp.Body.Close()
		check(t, json.NewDecoder(resp.Body).Decode(&list))
		down := map[string]bool{}
		for _, r := range list {
			down[r.Name+" on "+r.Node] = slices.Contains(r.Flags, "INACTIVE")
		}
		for _, r := range list {
			if !c.up(r.Node) || down[r.Name+" on "+r.Node] {
				continue
			}
			if slices.Contains(r.Flags, "DELETE") {
				return false
			}
			for peer, to := range r.Layers.DRBD.Connections {
				if !to.Connected && c.up(peer) && !down[r.Name+" on "+peer] {
					return false
				}
			}
			for _, v := range r.Volumes {
				if d := v.State.Disk; d != model.DiskUpToDate && d != model.DiskCreated && d != model.DiskDiskless {
					return false
				}
			}
		}
		return true
	})
}

// up tells whether a node's satellite runs.
func (c *cluster) up(node string) bool {
	resp, err := http.Get(strings.Replace(c.url, "linstor://", "http://", 1) + "/v1/nodes/" + node)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var n struct {
		Status string `json:"connection_status"`
	}
	_ = json.NewDecoder(resp.Body).Decode(&n)
	return n.Status == "ONLINE"
}
