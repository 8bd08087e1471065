package scenario

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"holdfast/api"
	"holdfast/client"
	"holdfast/lab/cluster"
)

// The power of the controller's machine is cut in a stream of creates. Each that was acknowledged is there afterwards. The
// same controller, built so that SQLite doesn't sync, loses some: so the test sees what it is to see, and so much does
// synchronous=FULL matter.
func TestStoreDurable(t *testing.T) {
	w := shared(t)
	const unsafe = "/usr/local/sbin/holdfast-unsafe"
	if err := w.PutProgram(w.ctx, "bravo", unsafe, "holdfast/cmd/holdfast", "-X holdfast/internal/controller.storeSync=OFF"); err != nil {
		t.Fatal(err)
	}
	w.on("bravo", `printf 'state_dir = "/var/lib/other"\n[store]\npath = "/var/lib/other/controller.db"\n' >/root/other.toml`)
	addr, err := w.Forward("127.0.0.1:0", "bravo", cluster.RestTCP)
	if err != nil {
		t.Fatal(err)
	}
	other, err := client.New("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	const cuts = 3
	for cut := range cuts {
		if lost := w.cutStream(other, cluster.Binary, cut); lost != "" {
			t.Fatalf("cut %d: an acknowledged change is lost: %s", cut+1, lost)
		}
	}
	lost := ""
	for cut := 0; cut < cuts && lost == ""; cut++ {
		lost = w.cutStream(other, unsafe, cut)
	}
	if lost == "" {
		t.Fatalf("without syncing, nothing was lost in %d power cuts: this test sees nothing", cuts)
	}
	w.took(w.start, "without syncing: %s", lost)
	w.on("bravo", "rm -rf /var/lib/other /root/other.toml "+unsafe)
}

const patience = 2 * time.Minute

// cutStream starts the controller on bravo (with an empty store at the first cut), lets it acknowledge creates, cuts the
// power, starts it again and tells what of them is lost; "" for nothing.
func (w *world) cutStream(c *client.Client, binary string, cut int) (lost string) {
	w.t.Helper()
	begin := time.Now()
	if cut == 0 {
		w.on("bravo", "rm -rf /var/lib/other; sync")
	}
	w.on("bravo", "echo 0 >/proc/sys/vm/dirty_writeback_centisecs") // however slow this machine is, the kernel writes nothing back by itself
	start := fmt.Sprintf("(%s controller --config /root/other.toml >/var/log/other.log 2>&1 & echo $! >/run/other.pid)", binary)
	w.on("bravo", start)
	list := func() (have map[string]bool, err error) {
		ctx, cancel := context.WithTimeout(w.ctx, 2*time.Second)
		defer cancel()
		defs, err := c.ResourceDefinitions(ctx, client.Filter{})
		have = map[string]bool{}
		for _, d := range defs {
			have[d.Name] = true
		}
		return have, err
	}
	answers := func() (bool, string) {
		_, err := list()
		return err == nil, fmt.Sprint(err)
	}
	w.until(patience, "the other controller answers", answers)

	var acked [4][]string
	var n atomic.Int64
	ctx, stop := context.WithCancel(w.ctx)
	var wg sync.WaitGroup
	for g := range acked {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				name := fmt.Sprintf("cut%d-%d-%d", cut, g, i)
				if _, err := c.CreateResourceDefinition(ctx, api.ResourceDefinitionCreate{ResourceDefinition: api.ResourceDefinition{Name: name}}); err != nil {
					return // the power is off
				}
				acked[g] = append(acked[g], name)
				n.Add(1)
			}
		})
	}
	enough := int64(20 + 7*cut) // so each cut comes at another moment
	w.until(patience, "creates are acknowledged", func() (bool, string) { return n.Load() >= enough, fmt.Sprint(n.Load()) })
	w.kill("bravo")
	stop()
	wg.Wait()
	w.powerOn("bravo")
	w.on("bravo", start)
	var have map[string]bool
	w.until(patience, "the other controller answers again, or gives up", func() (bool, string) {
		var err error
		if have, err = list(); err == nil {
			return true, ""
		}
		out, failed := w.Machine("bravo").Sh(w.ctx, "kill -0 $(cat /run/other.pid) 2>/dev/null || cat /var/log/other.log")
		if failed == nil && strings.TrimSpace(out) != "" {
			lost = "the whole store: " + out
		}
		return lost != "", fmt.Sprint(err)
	})
	missing := 0
	for _, names := range acked {
		for _, name := range names {
			if have != nil && !have[name] {
				missing++
				lost = name
			}
		}
	}
	if missing > 0 {
		lost = fmt.Sprintf("%d of %d creates, such as %s", missing, n.Load(), lost)
	}
	w.on("bravo", "kill $(cat /run/other.pid) 2>/dev/null; while kill -0 $(cat /run/other.pid) 2>/dev/null; do sleep .1; done")
	w.took(begin, "cut %d: %d creates acknowledged; lost: %q", cut+1, n.Load(), lost)
	return lost
}
