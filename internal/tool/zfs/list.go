package zfs

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"holdfast/internal/tool/run"
)

// Dataset is a file system, volume or snapshot.
type Dataset struct {
	Name      string // whole: tank/volumes/backups_00000@one
	Type      string // filesystem, volume, snapshot
	SizeBytes int64  // of a volume, or of the volume that a snapshot is of; 0 for a file system
	UsedBytes int64  // with all below it
	FreeBytes int64  // 0 for a snapshot
	Origin    string // snapshot that it was cloned from, or ""
	CreateTXG int64  // the transaction that made it: of two snapshots of a volume the newer one's is larger
	// Props are the user properties asked for that it has, its own or inherited ones.
	Props map[string]string
}

const columns = "name,type,volsize,used,available,origin,createtxg"

// List gives a dataset and all below it, by one command, with those user properties. ErrNotFound.
func (t Tool) List(ctx context.Context, dataset string, props ...string) ([]Dataset, error) {
	if err := checkDataset(dataset); err != nil {
		return nil, err
	}
	o := strings.Join(append([]string{columns}, props...), ",")
	r, err := run.Check(ctx, t.Run, run.Cmd{Argv: []string{"zfs", "list", "-Hp", "-r", "-t", "filesystem,volume,snapshot", "-o", o, dataset}}, classify)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dataset, err)
	}
	return ParseList(string(r.Stdout), props...)
}

// ParseList reads what List asks for.
func ParseList(out string, props ...string) ([]Dataset, error) {
	var ds []Dataset
	for line := range strings.Lines(out) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 7+len(props) {
			return nil, fmt.Errorf("parse zfs list: %q has %d fields", line, len(f))
		}
		d := Dataset{Name: f[0], Type: f[1]}
		if f[5] != "-" {
			d.Origin = f[5]
		}
		for i, to := range []*int64{2: &d.SizeBytes, 3: &d.UsedBytes, 4: &d.FreeBytes, 6: &d.CreateTXG} {
			if to == nil || f[i] == "-" {
				continue
			}
			n, err := strconv.ParseInt(f[i], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("parse zfs list: %q: %w", line, err)
			}
			*to = n
		}
		for i, p := range props {
			if v := f[7+i]; v != "-" {
				if d.Props == nil {
					d.Props = map[string]string{}
				}
				d.Props[p] = v
			}
		}
		ds = append(ds, d)
	}
	return ds, nil
}
