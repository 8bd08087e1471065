package satellite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/pool"
	"holdfast/internal/satellite/steps"
	"holdfast/internal/tool/run"
)

// copyTimeout bounds the copy of one part. A disk that does 1 MiB/s is alive.
const copyTimeout = 10 * time.Minute

// notCopied: it has to be begun again, from the beginning.
const notCopied = -1

// byCopy is snapshot for drivers that copy.
func (x *execution) byCopy(ctx context.Context, c pool.Copier, s steps.Step) error {
	switch s.Kind {
	case steps.TakeSnapshot:
		if s.SizeKiB <= 0 {
			return fmt.Errorf("%s of %s: storage pool %s takes snapshots for clones alone", s.Kind, s.Device, s.Pool)
		}
		_, name, _ := strings.Cut(s.Path, pool.SnapshotName("", ""))
		return c.Hold(ctx, s.Device, s.Of, name, s.Label, s.SizeKiB)
	case steps.RestoreDevice:
		if err := c.Begin(ctx, s.From.Device, s.From.Label, s.Device, s.SizeKiB, s.Label); err != nil {
			return err
		}
		x.copied(s.Label, 0)
		return nil
	case steps.FinishCopy:
		if err := c.Finish(ctx, s.Device, s.Label); err != nil {
			return err
		}
		x.result.made = append(x.result.made, s.Label)
		return nil
	}
	return fmt.Errorf("%s of %s: storage pool %s can't do that", s.Kind, s.Device, s.Pool)
}

// copyData lets dd copy one part. Nothing else is held up: it is behind all others where the disks' scheduler knows classes of
// programs, and its reads and writes don't fill the page cache.
func (x *execution) copyData(ctx context.Context, s steps.Step) error {
	d, err := driver(x.host, x.cfg, x.job.specs[s.Pool], nil)
	if err != nil {
		return err
	}
	c, ok := d.(pool.Copier)
	if !ok {
		return fmt.Errorf("%s of %s: storage pool %s can't do that", s.Kind, s.Device, s.Pool)
	}
	from, to := c.CopyPaths(s.From.Device, s.Device)
	argv := []string{"ionice", "-c2", "-n7", "dd", "if=" + from, "of=" + to, "bs=1048576",
		fmt.Sprintf("skip=%d", s.FromKiB<<10), fmt.Sprintf("seek=%d", s.FromKiB<<10), fmt.Sprintf("count=%d", s.SizeKiB<<10),
		"iflag=direct,fullblock,skip_bytes,count_bytes", "oflag=direct,seek_bytes", "conv=notrunc,fsync"}
	if _, err := run.Check(ctx, x.host, run.Cmd{Argv: argv, Timeout: copyTimeout}, nil); err != nil {
		x.copied(s.Label, notCopied) // what it has written, and whether both devices are there still, is looked at anew
		return err
	}
	x.copied(s.Label, s.FromKiB+s.SizeKiB)
	return nil
}

// copied: so many KiB are durable, from the beginning on.
func (x *execution) copied(label model.UUID, kib int64) {
	if x.result.copied == nil {
		x.result.copied = map[model.UUID]int64{}
	}
	x.result.copied[label] = kib
}

// copies tells whether the kind's driver makes volumes by copying others.
func copies(h run.Host, c Config, kind model.ProviderKind) bool {
	d, err := driver(h, c, model.PoolSpec{Kind: kind}, nil)
	if err != nil {
		return false
	}
	_, ok := d.(pool.Copier)
	return ok
}
