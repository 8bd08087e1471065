package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"holdfast/lab/cluster"
)

// grow makes the volume and its file system larger while they are in use.
func (d *demo) grow(ctx context.Context) error {
	d.title("Growing while in use")
	if err := d.lines(ctx, "alpha", "df -h "+data); err != nil {
		return err
	}
	if err := d.linstor(ctx, "volume-definition set-size data 0 192M"); err != nil {
		return err
	}
	dev := d.path(ctx, "data")
	if err := cluster.Wait(ctx, time.Minute, "the volume has its new size", func() (bool, string) {
		out, err := d.Machine("alpha").Sh(ctx, "blockdev --getsize64 "+dev)
		bytes, _ := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
		return err == nil && bytes >= 192<<20, out // LVM rounds up to 4 MiB
	}); err != nil {
		return err
	}
	if err := d.lines(ctx, "alpha", "resize2fs "+dev+" 2>&1 | tail -1", "df -h "+data, "cd "+data+" && sha256sum -c sums"); err != nil {
		return err
	}
	d.shown("a mounted file system grew from 128 to 192 MiB on both machines, and its files are whole")
	return nil
}
