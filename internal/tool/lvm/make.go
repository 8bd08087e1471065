package lvm

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"holdfast/internal/tool/run"
)

// CreateVG makes a volume group, tagged from the first moment on, of devices that become its physical volumes. LVM asks
// before it overwrites a signature that it knows, and nobody answers: it then fails.
func (t Tool) CreateVG(ctx context.Context, vg, tag string, devices ...string) error {
	if err := checkName(vg); err != nil {
		return err
	}
	if !tagRE.MatchString(tag) {
		return fmt.Errorf("tag %q: %w", tag, ErrBadName)
	}
	if _, err := t.do(ctx, []string{"vgcreate"}, append([]string{"--addtag", tag, vg}, devices...)...); err != nil {
		return fmt.Errorf("create volume group %s: %w", vg, err)
	}
	return nil
}

// VGTags gives a volume group's tags. ErrVGNotFound.
func (t Tool) VGTags(ctx context.Context, vg string) ([]string, error) {
	if err := checkName(vg); err != nil {
		return nil, err
	}
	r, err := t.do(ctx, []string{"vgs"}, "--reportformat", "json", "--units", "b", "--nosuffix", "-o", "vg_name,vg_tags", vg)
	if err != nil {
		return nil, fmt.Errorf("read tags of volume group %s: %w", vg, err)
	}
	var doc struct {
		Report []struct {
			VG []struct {
				Tags string `json:"vg_tags"`
			} `json:"vg"`
		} `json:"report"`
	}
	if err := json.Unmarshal(r.Stdout, &doc); err != nil || len(doc.Report) != 1 || len(doc.Report[0].VG) != 1 {
		return nil, fmt.Errorf("read tags of volume group %s: the report %q is not as expected (%v)", vg, r.Stdout, err)
	}
	if s := doc.Report[0].VG[0].Tags; s != "" {
		return strings.Split(s, ","), nil
	}
	return nil, nil
}

// thinTimeout: LVM writes the metadata of a pool of any size at once.
const thinTimeout = 2 * run.DefaultTimeout

// CreateThinPool makes a thin pool of all that is free in the group, with metadata of the size that LVM thinks right; new
// blocks are zeroed (-Zy). ErrVGNotFound, ErrExists, ErrNoSpace.
func (t Tool) CreateThinPool(ctx context.Context, vg, name string) error {
	if err := checkName(vg); err != nil {
		return err
	}
	if err := checkName(name); err != nil {
		return err
	}
	argv := append([]string{"lvcreate"}, t.config()...)
	argv = append(argv, "-y", "-Zy", "--type", "thin-pool", "-l", "100%FREE", "-n", name, vg)
	if _, err := run.Check(ctx, t.Run, run.Cmd{Argv: argv, Timeout: thinTimeout}, classify); err != nil {
		return fmt.Errorf("create thin pool %s/%s: %w", vg, name, err)
	}
	return nil
}
