package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"holdfast/lab/cluster"
)

// Places of the second act.
const (
	data   = "/mnt/data"
	cloned = "/mnt/copy"
	vault  = "/mnt/vault"
)

// options let DRBD sync as fast as the lab can, see lab/README.md; ping-int shortens a loss of power, ping-timeout (1/10 s) lets a
// machine that is busy answer late.
const options = " --ping-int 1 --ping-timeout 30 --c-plan-ahead 0 --c-min-rate 0 --resync-rate 100M --al-extents 67"

// thin begins the second act: three machines, thin pools, a volume with files.
func (d *demo) thin(ctx context.Context) error {
	d.title("Second act: thin volumes on three machines")
	for i, m := range d.Machines {
		if _, err := d.on(ctx, m.Name, "lvcreate -q -y -T -Zy -L 1G --poolmetadatasize 4M "+cluster.VG+"/thin"); err != nil {
			return err
		}
		for _, line := range []string{
			fmt.Sprintf("node create %s 10.77.0.%d", m.Name, i+1),
			"storage-pool create lvmthin " + m.Name + " thin " + cluster.VG + "/thin",
		} {
			if err := d.linstor(ctx, line); err != nil {
				return err
			}
		}
	}
	for _, line := range []string{
		"storage-pool list",
		"resource-definition create data",
		"resource-definition drbd-options data" + options,
		"volume-definition create data 128M",
		"resource create alpha bravo data -s thin",
		"resource list",
	} {
		if err := d.linstor(ctx, line); err != nil {
			return err
		}
	}
	if err := d.good(ctx, "data", 2); err != nil {
		return err
	}
	return d.lines(ctx, "alpha",
		"drbdadm primary data",
		"mkfs.ext4 -q "+d.path(ctx, "data"),
		"mkdir -p "+data+" && mount "+d.path(ctx, "data")+" "+data,
		"cd "+data+" && for i in 1 2 3; do dd if=/dev/urandom of=file$i bs=1M count=8 status=none; done && sha256sum file* > sums && sync")
}

// rollback destroys a file system and has it back.
func (d *demo) rollback(ctx context.Context) error {
	d.title("A snapshot, a catastrophe, and back")
	if err := d.held(ctx, "snapshot create data monday", "snapshot delete data monday"); err != nil {
		return err
	}
	if err := d.linstor(ctx, "snapshot list"); err != nil {
		return err
	}
	dev := d.path(ctx, "data")
	if err := d.lines(ctx, "alpha",
		"umount "+data,
		"dd if=/dev/zero of="+dev+" bs=1M count=32 oflag=direct conv=fsync status=none"); err != nil {
		return err
	}
	if _, err := d.on(ctx, "alpha", "mount "+dev+" "+data+" 2>&1"); err == nil {
		return errors.New("a file system that was destroyed can be mounted")
	}
	if err := d.unused(ctx, "alpha", "data"); err != nil {
		return err
	}
	if err := d.linstor(ctx, "snapshot rollback data monday"); err != nil {
		return err
	}
	if err := d.good(ctx, "data", 2); err != nil {
		return err
	}
	if err := d.lines(ctx, "alpha", "drbdadm primary data", "mount "+dev+" "+data, "cd "+data+" && sha256sum -c sums"); err != nil {
		return err
	}
	d.shown("a file system that was overwritten is back, every file of it, from a snapshot taken while it was mounted")
	return nil
}

// clone makes a second volume of one that is in use.
func (d *demo) clone(ctx context.Context) error {
	d.title("A clone of what is in use")
	if err := d.good(ctx, "data", 2); err != nil { // a node that still syncs would have no part in it
		return err
	}
	if err := d.held(ctx, "resource-definition clone data copy", "resource-definition delete copy"); err != nil {
		return err
	}
	if err := d.good(ctx, "copy", 2); err != nil {
		return err
	}
	if err := d.lines(ctx, "bravo",
		"drbdadm primary copy",
		"mkdir -p "+cloned+" && mount "+d.path(ctx, "copy")+" "+cloned,
		"cd "+cloned+" && sha256sum -c sums",
		"umount "+cloned); err != nil {
		return err
	}
	d.shown("the clone is mounted on bravo, with all files, while the original is in use on alpha")
	return d.unused(ctx, "bravo", "copy")
}

// lines runs shell lines in a machine and shows them.
func (d *demo) lines(ctx context.Context, node string, lines ...string) error {
	for _, line := range lines {
		if _, err := d.on(ctx, node, line); err != nil {
			return err
		}
	}
	return nil
}

// held types a command that takes a snapshot of data, which alpha uses, and freezes its file system meanwhile, for the sake of
// DRBD 8.4 (docs/snapshots.md). I/O stands still then, for 8 seconds at most; on a machine so loaded that they don't suffice the
// command fails, and what it advises is done: undo it, and type it again.
func (d *demo) held(ctx context.Context, line, undo string) error {
	for n := 1; ; n++ {
		if err := d.lines(ctx, "alpha", "fsfreeze --freeze "+data); err != nil {
			return err
		}
		var out bytes.Buffer
		err := d.linstor(ctx, line, &out)
		if e := d.lines(ctx, "alpha", "fsfreeze --unfreeze "+data); e != nil {
			return errors.Join(err, e)
		}
		late := false
		for _, why := range []string{"may stand still", "start the guard of the suspension", "isn't UpToDate any more", "Outdated there"} {
			late = late || strings.Contains(out.String(), why)
		}
		if err == nil || n == 20 || !late {
			return err
		}
		d.say("This machine is busy with other things: once more.")
		if err := errors.Join(d.linstor(ctx, undo), cluster.Pause(ctx, 5*time.Second)); err != nil {
			return err
		}
	}
}

// good waits until that many replicas of a resource are UpToDate, and all are connected.
func (d *demo) good(ctx context.Context, rsc string, n int) error {
	return cluster.Wait(ctx, 4*time.Minute, fmt.Sprintf("%d replicas of %s are UpToDate", n, rsc), func() (bool, string) {
		out, err := d.Linstor(ctx, "resource", "list", "-r", rsc)
		return err == nil && strings.Count(out, "UpToDate") == n && !strings.Contains(out, "Connecting("), out
	})
}

// unused makes a resource secondary, and waits until the controller knows.
func (d *demo) unused(ctx context.Context, node, rsc string) error {
	if err := d.lines(ctx, node, "drbdadm secondary "+rsc); err != nil {
		return err
	}
	return cluster.Wait(ctx, 20*time.Second, "the controller knows that "+rsc+" is unused", func() (bool, string) {
		out, err := d.Linstor(ctx, "resource", "list", "-r", rsc)
		return err == nil && !strings.Contains(out, "InUse"), out
	})
}

// path of a resource's first volume; "" if the API tells none, with which the next command fails.
func (d *demo) path(ctx context.Context, rsc string) string {
	out, err := d.Linstor(ctx, "-m", "volume", "list", "-r", rsc)
	var list [][]struct {
		Volumes []struct {
			Device string `json:"device_path"`
		} `json:"volumes"`
	}
	if err != nil || json.Unmarshal([]byte(out), &list) != nil {
		return ""
	}
	for _, r := range list {
		for _, res := range r {
			if len(res.Volumes) > 0 && res.Volumes[0].Device != "" {
				return res.Volumes[0].Device
			}
		}
	}
	return ""
}
