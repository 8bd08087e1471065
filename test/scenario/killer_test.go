package scenario

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"holdfast/api"
)

// killer kills a node's satellite at each program that it runs, once for each. See lab/shim.
type killer struct {
	*world
	node string
}

// killer stands before the programs of a node's satellite, which is started anew. It kills nobody before at is called.
func (w *world) killer(node string) *killer {
	w.t.Helper()
	if err := w.PutProgram(w.ctx, node, "/run/shim/shim", "holdfast/lab/shim"); err != nil {
		w.t.Fatal(err)
	}
	w.on(node, "cd /run/shim; mkdir bin seen; echo never >when; for p in lvm lvs vgs lvcreate lvremove lvchange lvextend drbdadm drbdmeta drbdsetup modprobe modinfo losetup; do ln -s ../shim bin/$p; done")
	k := &killer{w, node}
	k.restart()
	return k
}

func (k *killer) kill() {
	k.t.Helper()
	if alive, _ := k.Alive(k.ctx, "satellite", k.node); alive {
		if err := k.Signal(k.ctx, "satellite", k.node, syscall.SIGKILL); err != nil {
			k.t.Fatal(err)
		}
	}
}

func (k *killer) restart() {
	k.t.Helper()
	k.kill()
	if err := k.StartSatelliteWith(k.ctx, k.node, "PATH=/run/shim/bin:/usr/sbin:/usr/bin:/sbin:/bin"); err != nil {
		k.t.Fatal(err)
	}
	k.lin("node reconnect " + k.node) // the controller waits longer after each failure
}

// at kills before, during or after each program from now on; resource is at stake.
func (k *killer) at(when, resource string) {
	k.t.Helper()
	k.on(k.node, "cd /run/shim; rm -rf seen/*; echo "+resource+" >resource; echo "+when+" >when")
}

// until waits for ok and starts the satellite again whenever it is found dead.
func (k *killer) until(what string, ok func() bool) {
	k.t.Helper()
	k.world.until(5*time.Minute, what, func() (bool, string) {
		if ok() {
			return true, ""
		}
		k.revive()
		return false, fmt.Sprintf("%+v", k.resources(""))
	})
}

// revive starts the satellite if it is dead.
func (k *killer) revive() {
	k.t.Helper()
	if alive, err := k.Alive(k.ctx, "satellite", k.node); err == nil && !alive {
		k.restart()
	}
}

// seen ends the killing and tells at which programs it was done.
func (k *killer) seen(when string) []string {
	k.t.Helper()
	seen := strings.Fields(k.on(k.node, "echo never >/run/shim/when; ls /run/shim/seen"))
	k.took(k.start, "%s each of %d programs: %s", when, len(seen), strings.Join(seen, " "))
	k.revive()
	return seen
}

// had wants these words among the programs.
func (k *killer) had(seen []string, words ...string) {
	k.t.Helper()
	for _, must := range words {
		if !strings.Contains(strings.Join(seen, " "), must) {
			k.t.Errorf("no %s was among the programs", must)
		}
	}
}

// end leaves the node with an ordinary satellite.
func (k *killer) end() {
	k.t.Helper()
	k.kill()
	k.on(k.node, "rm -rf /run/shim")
	if err := k.StartSatellite(k.ctx, k.node); err != nil {
		k.t.Fatal(err)
	}
	k.lin("node reconnect " + k.node)
	k.online()
}

// types a command line in the background until it succeeds; whenever it doesn't, undo is typed, and it is typed again when the
// replicas are good. The satellite is started again whenever it is found dead.
func (k *killer) types(line, undo string) {
	k.t.Helper()
	type answer struct {
		line, text string
		err        error
	}
	ctx, cancel := context.WithCancel(k.ctx)
	defer cancel()
	answers := make(chan answer, 1)
	next := line
	busy := false
	k.until("linstor "+line, func() bool {
		select {
		case a := <-answers:
			busy = false
			switch {
			case a.line == line && a.err == nil && !strings.Contains(a.text, "is not taken on"): // of all replicas, that is
				return true
			case a.line == line:
				k.t.Log(a.text)
				next = undo
			default:
				next = line
			}
		default:
		}
		if !busy && (next == undo || !slices.ContainsFunc(k.resources(""), func(r api.ResourceWithVolumes) bool { return !good(r) })) {
			busy = true
			go func(line string) {
				out, err := k.Linstor(ctx, strings.Fields(line)...)
				answers <- answer{line, out, err}
			}(next)
		}
		return false
	})
}
