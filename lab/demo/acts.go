package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"holdfast/lab"
	"holdfast/lab/cluster"
)

const mnt = "/mnt/backups"

// tutorial is typed as LINSTOR's articles have it.
func (d *demo) tutorial(ctx context.Context) error {
	d.title("The tutorial")
	for _, line := range []string{
		"node create --node-type Combined alpha 10.77.0.1",
		"node create --node-type Satellite bravo 10.77.0.2",
		"node list",
		"storage-pool create lvm alpha swpool " + cluster.VG,
		"storage-pool create bravo swpool lvm " + cluster.VG,
		"storage-pool list",
		"resource-definition create backups",
		"resource-definition drbd-options backups --ping-int 1 --c-plan-ahead 0 --c-min-rate 0 --resync-rate 40M --al-extents 67",
		"volume-definition create backups 512M",
		"resource create backups --auto-place 2",
		"resource-definition wait-sync backups",
		"resource list",
		"volume list",
	} {
		if err := d.linstor(ctx, line); err != nil {
			return err
		}
	}
	if err := d.disks(ctx, "alpha", "UpToDate", "UpToDate"); err != nil {
		return err
	}
	d.shown("a volume of 512 MiB is replicated over LVM on two machines")
	return nil
}

// disks waits until DRBD itself says so, on that machine: its own disk and the peer's.
func (d *demo) disks(ctx context.Context, node, own, peer string) error {
	return cluster.Wait(ctx, 2*time.Minute, fmt.Sprintf("%s sees %s/%s", node, own, peer), func() (bool, string) {
		out, err := d.Machine(node).Sh(ctx, "drbdsetup status backups --verbose --statistics")
		if err != nil {
			return false, err.Error()
		}
		return strings.Contains(out, " disk:"+own) && (peer == "" || strings.Contains(out, "peer-disk:"+peer)), out
	})
}

// counter is a number that drbdsetup prints for the resource on that machine, in KiB.
func (d *demo) counter(ctx context.Context, node, name string) (int64, error) {
	out, err := d.Machine(node).Sh(ctx, "drbdsetup status backups --verbose --statistics")
	if err != nil {
		return 0, err
	}
	for _, w := range strings.Fields(out) {
		if v, ok := strings.CutPrefix(w, name+":"); ok {
			return strconv.ParseInt(v, 10, 64)
		}
	}
	return 0, fmt.Errorf("no %s in %s", name, out)
}

// fill writes files of random bytes and remembers their checksums beside the files.
func fill(name string, count, mib int) string {
	return fmt.Sprintf("cd %s && for i in $(seq %d); do dd if=/dev/urandom of=%s$i bs=1M count=%d conv=fsync status=none; done && sha256sum %s* >%s.sha256 && sync", mnt, count, name, mib, name, name)
}

func (d *demo) files(ctx context.Context) error {
	d.title("A file system with checksums")
	var err error
	if d.dev, err = d.device(ctx, "alpha"); err != nil {
		return err
	}
	for _, line := range []string{
		"drbdadm primary backups",
		"mkfs.ext4 -q -E nodiscard " + d.dev,
		"mkdir -p " + mnt + " && mount " + d.dev + " " + mnt,
		fill("first", 4, 8),
		"cat " + mnt + "/first.sha256",
	} {
		if _, err := d.on(ctx, "alpha", line); err != nil {
			return err
		}
	}
	return d.linstor(ctx, "resource list")
}

// device is the volume's block device, as the API tells it; the same on each node.
func (d *demo) device(ctx context.Context, node string) (string, error) {
	out, err := d.Linstor(ctx, "-m", "volume", "list", "-n", node, "-r", "backups")
	if err != nil {
		return "", err
	}
	var list [][]struct {
		Volumes []struct {
			Device string `json:"device_path"`
		} `json:"volumes"`
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		return "", fmt.Errorf("read the volume list: %w", err)
	}
	if len(list) == 0 || len(list[0]) == 0 || len(list[0][0].Volumes) == 0 || list[0][0].Volumes[0].Device == "" {
		return "", fmt.Errorf("the volume list has no device: %s", out)
	}
	return list[0][0].Volumes[0].Device, nil
}

// felt is the longest pause of the writer that passes for none, ms: far below any timeout of DRBD's or Holdfast's, and above
// what an emulated machine does now and then by itself.
const felt = 1500

func (d *demo) controllerAway(ctx context.Context) error {
	d.title("The controller stops; nobody notices")
	m := d.Machine("alpha")
	if err := d.putWriter(ctx); err != nil {
		return err
	}
	w, err := m.Spawn(ctx, "/tmp/writer.json", lab.Command{Argv: []string{"/usr/local/bin/writer", mnt + "/log"}})
	if err != nil {
		return err
	}
	d.say("A writer writes to %s/log, block by block, each synced to both machines.", mnt)
	if err := cluster.Pause(ctx, 5*time.Second); err != nil {
		return err
	}
	d.say("The controller gets SIGTERM, and is away for some seconds.")
	if err := w.Signal(ctx, syscall.SIGUSR1); err != nil {
		return err
	}
	if err := d.StopController(ctx, syscall.SIGTERM); err != nil {
		return err
	}
	if err := cluster.Pause(ctx, 5*time.Second); err != nil {
		return err
	}
	if running, err := w.Running(ctx); err != nil || !running {
		return fmt.Errorf("the writer ended while the controller was away: %v", err)
	}
	begin := time.Now()
	if err := d.StartController(ctx); err != nil {
		return err
	}
	d.say("The controller is back, %.1f s after it was started.", time.Since(begin).Seconds())
	if err := cluster.Pause(ctx, 2*time.Second); err != nil {
		return err
	}
	if err := w.Signal(ctx, syscall.SIGTERM); err != nil {
		return err
	}
	if _, err := w.Wait(ctx); err != nil {
		return err
	}
	b, err := m.Get(ctx, "/tmp/writer.json")
	if err != nil {
		return err
	}
	var r struct {
		Phases []struct {
			Writes  int     `json:"writes"`
			Seconds float64 `json:"seconds"`
			Longest float64 `json:"longest_ms"`
		} `json:"phases"`
		Error string `json:"error"`
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return fmt.Errorf("read the writer's result %q: %w", b, err)
	}
	if r.Error != "" || len(r.Phases) != 2 {
		return fmt.Errorf("the writer failed: %s", b)
	}
	with, without := r.Phases[0], r.Phases[1]
	d.say("With the controller:          %4d writes in %4.1f s, the longest took %3.0f ms.", with.Writes, with.Seconds, with.Longest)
	d.say("While it stopped and started: %4d writes in %4.1f s, the longest took %3.0f ms.", without.Writes, without.Seconds, without.Longest)
	if without.Longest > felt {
		return fmt.Errorf("the writer was held up for %.0f ms", without.Longest)
	}
	d.shown("%d synced writes in %.0f s while the controller was stopped and started; the longest took %.0f ms, %.0f ms before", without.Writes, without.Seconds, without.Longest, with.Longest)
	return nil
}

func (d *demo) changeWhileAway(ctx context.Context) error {
	d.title("A change while bravo is off")
	d.say("bravo's power is cut.")
	if err := d.Machine("bravo").Kill(); err != nil {
		return err
	}
	if err := cluster.Wait(ctx, time.Minute, "alpha notices", func() (bool, string) {
		out, err := d.Machine("alpha").Sh(ctx, "drbdsetup status backups --verbose")
		return err == nil && !strings.Contains(out, "connection:Connected"), out
	}); err != nil {
		return err
	}
	before, err := d.counter(ctx, "alpha", "written")
	if err != nil {
		return err
	}
	if err := d.linstor(ctx, "resource-definition drbd-options backups --max-buffers 4000"); err != nil {
		return err
	}
	if _, err := d.on(ctx, "alpha", fill("second", 3, 8)); err != nil {
		return err
	}
	after, err := d.counter(ctx, "alpha", "written")
	if err != nil {
		return err
	}
	behind, err := d.counter(ctx, "alpha", "out-of-sync")
	if err != nil {
		return err
	}
	if err := d.linstor(ctx, "node list"); err != nil {
		return err
	}
	d.say("bravo gets its power back.")
	if err := d.PowerOn(ctx, "bravo"); err != nil {
		return err
	}
	if err := d.disks(ctx, "alpha", "UpToDate", "UpToDate"); err != nil {
		return err
	}
	got, err := d.counter(ctx, "bravo", "received")
	if err != nil {
		return err
	}
	if err := cluster.Wait(ctx, time.Minute, "bravo has the new option", func() (bool, string) {
		out, err := d.Machine("bravo").Sh(ctx, "drbdsetup show backups")
		return err == nil && strings.Contains(out, "4000"), out
	}); err != nil {
		return err
	}
	d.shown("the option set while bravo was off is in force there now")
	d.shown("written meanwhile: %s, marked out of sync: %s, resynced: %s (what changed, and with DRBD 9 what bravo's activity log covered)", mib(after-before), mib(behind), mib(got))
	return nil
}

func mib(kib int64) string { return fmt.Sprintf("%.1f MiB", float64(kib)/1024) }

func (d *demo) powerCut(ctx context.Context) error {
	d.title("alpha's power is cut; bravo takes over")
	if err := d.Machine("alpha").Kill(); err != nil {
		return err
	}
	d.say("alpha is dark: the primary and the controller with it.")
	if err := cluster.Wait(ctx, time.Minute, "bravo notices", func() (bool, string) {
		out, err := d.Machine("bravo").Sh(ctx, "drbdsetup status backups --verbose")
		return err == nil && !strings.Contains(out, "connection:Connected"), out
	}); err != nil {
		return err
	}
	for _, line := range []string{
		"drbdadm primary backups",
		"mkdir -p " + mnt + " && mount " + d.dev + " " + mnt,
		"cd " + mnt + " && sha256sum -c first.sha256 second.sha256",
		fill("third", 2, 8),
	} {
		if _, err := d.on(ctx, "bravo", line); err != nil {
			return err
		}
	}
	d.shown("every file is whole on bravo after alpha's power was cut")
	behind, err := d.counter(ctx, "bravo", "out-of-sync")
	if err != nil {
		return err
	}
	d.say("alpha gets its power back.")
	if err := d.PowerOn(ctx, "alpha"); err != nil {
		return err
	}
	if err := d.disks(ctx, "bravo", "UpToDate", "UpToDate"); err != nil {
		return err
	}
	got, err := d.counter(ctx, "alpha", "received")
	if err != nil {
		return err
	}
	d.shown("alpha is back and in sync: bravo had %s marked, %s were resynced (what changed, and what alpha's activity log covered)", mib(behind), mib(got))
	return d.linstor(ctx, "resource list")
}

func (d *demo) removal(ctx context.Context) error {
	d.title("Remove all; nothing is left")
	if _, err := d.on(ctx, "bravo", "cd / && umount "+mnt+" && drbdadm secondary backups"); err != nil {
		return err
	}
	if err := cluster.Wait(ctx, 20*time.Second, "the controller knows that the volume is unused", func() (bool, string) {
		out, err := d.Linstor(ctx, "resource", "list")
		return err == nil && !strings.Contains(out, "InUse"), out
	}); err != nil {
		return err
	}
	for _, line := range []string{
		"resource-definition delete backups",
		"storage-pool delete alpha swpool",
		"storage-pool delete bravo swpool",
		"node delete alpha",
		"node delete bravo",
		"node list",
	} {
		if err := d.linstor(ctx, line); err != nil {
			return err
		}
	}
	for _, m := range d.Machines {
		out, err := d.on(ctx, m.Name, "lvs --noheadings -o name "+cluster.VG+"; ls /var/lib/holdfast.d | grep '[.]res$'; drbdsetup status 2>/dev/null | grep -v '^#'; ls /dev/drbd[0-9]* 2>/dev/null; true")
		if err != nil {
			return err
		}
		if strings.TrimSpace(out) != "" {
			return fmt.Errorf("left on %s:\n%s", m.Name, out)
		}
	}
	d.shown("no LV, no config file, no device is left on any machine")
	return nil
}
