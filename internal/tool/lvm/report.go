package lvm

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// VG is a volume group with all its volumes.
type VG struct {
	Name, UUID  string
	SizeBytes   int64
	FreeBytes   int64
	ExtentBytes int64 // sizes of volumes are multiples of it
	MissingPVs  int   // physical volumes that can't be found
	PVs         []string
	LVs         []LV
}

// LV finds a volume by name.
func (g VG) LV(name string) (LV, bool) {
	for _, v := range g.LVs {
		if v.Name == name {
			return v, true
		}
	}
	return LV{}, false
}

// LV is a logical volume.
type LV struct {
	Name, UUID  string
	SizeBytes   int64
	Tags        []string
	Active      bool
	Path        string  // /dev/VG/LV; also set while inactive; empty for a thin pool
	Attr        string  // lv_attr, see lvs(8)
	Pool        string  // thin pool that it lives in, or empty
	DataPercent float64 // of a thin pool or volume: how full
	MetaPercent float64 // of a thin pool's metadata
	// Measured: the kernel told how full; it does so only while the thin pool is active.
	Measured bool
}

// Flag is a letter of lv_attr, counted from 1 as in lvs(8); '-' if it isn't there.
func (v LV) Flag(n int) byte {
	if n < 1 || n > len(v.Attr) {
		return '-'
	}
	return v.Attr[n-1]
}

// Open tells whether something has the device open.
func (v LV) Open() bool { return v.Flag(6) == 'o' }

// Snapshot tells whether it is one that copies what is overwritten in its origin; Invalid, that it ran out of room for that.
func (v LV) Snapshot() bool { return v.Flag(1) == 's' || v.Flag(1) == 'S' }

// Invalid: see Snapshot.
func (v LV) Invalid() bool { return v.Snapshot() && (v.Flag(5) == 'I' || v.Flag(5) == 'S') }

// Origin tells whether there are such snapshots of it.
func (v LV) Origin() bool { return v.Flag(1) == 'o' || v.Flag(1) == 'O' }

// ThinPool tells whether it is one.
func (v LV) ThinPool() bool { return v.Flag(1) == 't' }

const (
	vgFields = "vg_name,vg_uuid,vg_size,vg_free,vg_extent_size,vg_missing_pv_count"
	lvFields = "lv_name,lv_uuid,lv_size,lv_tags,lv_active,lv_path,lv_attr,pool_lv,data_percent,metadata_percent"
)

// reportArgs ask for one report of everything, with bytes for sizes. `vgs`
// with LV fields would be shorter, but it says nothing at all of a volume
// group without volumes.
func reportArgs() []string {
	return []string{
		"--reportformat", "json", "--units", "b", "--nosuffix",
		"--configreport", "vg", "-o", vgFields,
		"--configreport", "lv", "-o", lvFields,
		"--configreport", "pv", "-o", "pv_name",
		"--configreport", "seg", "-o", "lv_uuid", // can't be left out
		"--configreport", "pvseg", "-o", "lv_uuid",
	}
}

// ParseReport reads the output of `lvm fullreport` with reportArgs.
func ParseReport(out []byte) ([]VG, error) {
	var doc struct {
		Report []struct {
			VG, PV, LV []map[string]string
		} `json:"report"`
	}
	if err := json.Unmarshal(out, &doc); err != nil {
		return nil, fmt.Errorf("parse LVM report: %w", err)
	}
	var vgs []VG
	for _, r := range doc.Report {
		if len(r.VG) == 0 { // the report of physical volumes in no group
			continue
		}
		var p fieldParser
		m := r.VG[0]
		g := VG{
			Name: m["vg_name"], UUID: m["vg_uuid"],
			SizeBytes: p.int(m, "vg_size"), FreeBytes: p.int(m, "vg_free"),
			ExtentBytes: p.int(m, "vg_extent_size"), MissingPVs: int(p.int(m, "vg_missing_pv_count")),
		}
		for _, m := range r.PV {
			g.PVs = append(g.PVs, m["pv_name"])
		}
		for _, m := range r.LV {
			v := LV{
				Name: m["lv_name"], UUID: m["lv_uuid"], SizeBytes: p.int(m, "lv_size"),
				Active: m["lv_active"] == "active", Path: m["lv_path"], Attr: m["lv_attr"], Pool: m["pool_lv"],
			}
			if t := m["lv_tags"]; t != "" {
				v.Tags = strings.Split(t, ",")
			}
			v.Measured = m["data_percent"] != ""
			v.DataPercent, v.MetaPercent = p.percent(m, "data_percent"), p.percent(m, "metadata_percent")
			g.LVs = append(g.LVs, v)
		}
		if p.err != nil {
			return nil, p.err
		}
		if g.Name == "" || g.ExtentBytes <= 0 {
			return nil, fmt.Errorf("parse LVM report: volume group without name or extent size")
		}
		vgs = append(vgs, g)
	}
	return vgs, nil
}

type fieldParser struct{ err error }

func (p *fieldParser) int(m map[string]string, key string) int64 {
	n, err := strconv.ParseInt(m[key], 10, 64)
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("parse LVM report: %s is %q", key, m[key])
	}
	return n
}

// percent gives 0 for what isn't measured.
func (p *fieldParser) percent(m map[string]string, key string) float64 {
	if m[key] == "" {
		return 0
	}
	f, err := strconv.ParseFloat(m[key], 64)
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("parse LVM report: %s is %q", key, m[key])
	}
	return f
}
