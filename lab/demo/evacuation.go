package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"time"

	"holdfast/lab"
	"holdfast/lab/cluster"
)

// evacuate moves what a node has to another one, while a program writes to one of the volumes.
func (d *demo) evacuate(ctx context.Context) error {
	d.title("bravo is to be replaced: everything moves off it")
	if err := d.putWriter(ctx); err != nil {
		return err
	}
	w, err := d.Machine("alpha").Spawn(ctx, "/tmp/moved.json", lab.Command{Argv: []string{"/usr/local/bin/writer", data + "/log"}})
	if err != nil {
		return err
	}
	d.say("A writer on alpha writes to %s/log. A snapshot stays where it was taken, so monday's goes.", data)
	for _, line := range []string{"snapshot delete data monday", "node evacuate bravo --plan", "node evacuate bravo"} {
		if err := d.linstor(ctx, line); err != nil {
			return err
		}
	}
	for _, rsc := range []string{"data", "copy", "vault"} {
		if err := cluster.Wait(ctx, 5*time.Minute, "charlie has "+rsc, func() (bool, string) {
			out, err := d.Machine("charlie").Sh(ctx, "drbdsetup status "+rsc+" --verbose")
			return err == nil && strings.Contains(out, " disk:UpToDate"), out
		}); err != nil {
			return err
		}
	}
	if err := d.linstor(ctx, "resource list"); err != nil {
		return err
	}
	wrote, err := d.wrote(ctx, w)
	if err != nil {
		return err
	}
	d.say("The volume moves from alpha to charlie, too.")
	if err := d.lines(ctx, "alpha", "cd "+data+" && sha256sum -c sums && sha256sum log >>sums", "umount "+data); err != nil {
		return err
	}
	if err := d.unused(ctx, "alpha", "data"); err != nil {
		return err
	}
	if err := cluster.Wait(ctx, 5*time.Minute, "nothing is left on bravo", func() (bool, string) {
		out, err := d.Linstor(ctx, "resource", "list")
		return err == nil && !strings.Contains(out, "bravo") && strings.Count(out, "UpToDate") == 6, out
	}); err != nil {
		return err
	}
	for _, line := range []string{"resource list", "storage-pool delete bravo thin", "node delete bravo", "node list"} {
		if err := d.linstor(ctx, line); err != nil {
			return err
		}
	}
	if out, err := d.on(ctx, "bravo", "lvs --noheadings -o name "+cluster.VG); err != nil || strings.TrimSpace(out) != "thin" {
		return fmt.Errorf("left on bravo: %s: %w", out, err)
	}
	if err := cluster.Wait(ctx, 2*time.Minute, "alpha and charlie are in sync", func() (bool, string) { // 8.4: again, after bravo had its word
		out, err := d.Machine("charlie").Sh(ctx, "drbdsetup status data --verbose")
		return err == nil && strings.Contains(out, " disk:UpToDate") && strings.Contains(out, "peer-disk:UpToDate"), out
	}); err != nil {
		return err
	}
	if err := d.lines(ctx, "charlie",
		"drbdadm primary data",
		"mkdir -p "+data+" && mount "+d.path(ctx, "data")+" "+data,
		"cd "+data+" && sha256sum -c sums",
		"umount "+data); err != nil {
		return err
	}
	d.shown("all three volumes moved from bravo to charlie while alpha wrote (%s); every file is whole on charlie, and bravo is empty", wrote)
	return d.unused(ctx, "charlie", "data")
}

// wrote ends the writer and tells what it did.
func (d *demo) wrote(ctx context.Context, w *lab.Process) (string, error) {
	if err := w.Signal(ctx, syscall.SIGTERM); err != nil {
		return "", err
	}
	if _, err := w.Wait(ctx); err != nil {
		return "", err
	}
	b, err := d.Machine("alpha").Get(ctx, "/tmp/moved.json")
	if err != nil {
		return "", err
	}
	var r struct {
		Phases []struct {
			Writes  int     `json:"writes"`
			Longest float64 `json:"longest_ms"`
		} `json:"phases"`
		Error string `json:"error"`
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return "", fmt.Errorf("read the writer's result %q: %w", b, err)
	}
	if r.Error != "" || len(r.Phases) != 1 {
		return "", fmt.Errorf("the writer failed: %s", b)
	}
	return fmt.Sprintf("%d synced writes, the longest took %.0f ms", r.Phases[0].Writes, r.Phases[0].Longest), nil
}

// end of the second act: nothing is left.
func (d *demo) end(ctx context.Context) error {
	d.title("Remove all again")
	if err := d.linstor(ctx, "resource-definition delete data copy vault"); err != nil {
		return err
	}
	for _, m := range d.Machines {
		if err := cluster.Wait(ctx, time.Minute, "nothing is left on "+m.Name, func() (bool, string) {
			out, err := m.Sh(ctx, "lvs --noheadings -o name "+cluster.VG+"; ls /var/lib/holdfast.d | grep '[.]res$'; drbdsetup status 2>/dev/null | grep -v '^#'; dmsetup ls --target crypt | grep holdfast; true")
			return err == nil && strings.TrimSpace(out) == "thin", out
		}); err != nil {
			return err
		}
	}
	d.shown("no volume, snapshot, config file or open encrypted disk is left on any of the three machines")
	return nil
}
