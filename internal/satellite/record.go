package satellite

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/satellite/steps"
	"holdfast/internal/tool/run"
)

// record is steps.Record on disk: who brought the kernel's resource of that name up in which boot. It is written before
// the kernel is touched.
type record struct {
	Boot     string     `json:"boot"`
	ID       model.UUID `json:"id"`
	Resource string     `json:"resource"`
	Applied  string     `json:"applied,omitempty"`
	Minors   []int      `json:"minors,omitempty"`
	Seeding  bool       `json:"seeding,omitempty"`
	SeedVol  int        `json:"seed_volume,omitempty"`
	Met      bool       `json:"met,omitempty"`
	Quiet    model.UUID `json:"quiet,omitempty"` // the lease under which its I/O is held
	Fresh    []int      `json:"fresh,omitempty"`
	Making   []int      `json:"making,omitempty"`

	Growing map[int]uint64 `json:"growing,omitempty"`

	Peer model.UUID                   `json:"peer,omitempty"`
	For  model.UUID                   `json:"for,omitempty"`
	Left map[model.UUID]map[int]int64 `json:"left,omitempty"`

	Renamed map[model.UUID]map[int]int `json:"renamed,omitempty"`
	Synced  map[model.UUID]model.UUID  `json:"synced,omitempty"`
}

func newRecord(boot string, s steps.Step) record {
	return record{Boot: boot, ID: s.ID, Resource: s.Resource, Applied: s.Record.Applied, Minors: s.Record.Minors,
		Seeding: s.Record.Seeding, SeedVol: s.Record.SeedVolume, Met: s.Record.Met, Quiet: s.Record.Quiet, Fresh: s.Record.Fresh, Making: s.Record.Making, Growing: s.Record.Growing,
		Peer: s.Record.Exchange.Peer, For: s.Record.Exchange.For, Left: s.Record.Exchange.Left,
		Renamed: s.Record.Exchange.Renamed, Synced: s.Record.Exchange.Synced}
}

// in is the record as the planner sees it in that boot: one of another boot says nothing of the kernel.
func (r record) in(boot string) steps.Record {
	e := steps.Exchange{Peer: r.Peer, For: r.For, Left: r.Left, Renamed: r.Renamed, Synced: r.Synced}
	if r.Boot != boot {
		return steps.Record{There: true, Making: r.Making, Growing: r.Growing, Exchange: e.Restarted()} // of what is on the disks
	}
	return steps.Record{There: true, Applied: r.Applied, Minors: r.Minors, Seeding: r.Seeding, SeedVolume: r.SeedVol, Met: r.Met, Quiet: r.Quiet, Fresh: r.Fresh, Making: r.Making, Growing: r.Growing,
		Exchange: e}
}

func (c Config) recordDir() string { return path.Join(c.StateDir, "replicas", "up") }

func (c Config) recordFile(id model.UUID) string { return path.Join(c.recordDir(), string(id)+".json") }

func (r record) save(f run.FS, c Config) error {
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep record of %s: %w", r.Resource, err)
	}
	if err := f.MkdirAll(c.recordDir(), 0o700); err != nil {
		return fmt.Errorf("keep record of %s: %w", r.Resource, err)
	}
	if err := f.WriteFile(c.recordFile(r.ID), b, 0o600); err != nil {
		return fmt.Errorf("keep record of %s: %w", r.Resource, err)
	}
	return nil
}

// loadRecords reads all; one that doesn't parse is left out and named in problems.
func loadRecords(f run.FS, c Config) (map[model.UUID]record, []string) {
	out := map[model.UUID]record{}
	names, err := f.ReadDir(c.recordDir())
	if err != nil {
		return out, nil // none yet
	}
	var problems []string
	for _, n := range names {
		id, ok := strings.CutSuffix(n, ".json")
		if !ok || strings.HasPrefix(n, ".") {
			continue
		}
		var r record
		b, err := f.ReadFile(path.Join(c.recordDir(), n))
		if err == nil {
			err = json.Unmarshal(b, &r)
		}
		if err != nil || string(r.ID) != id {
			problems = append(problems, fmt.Sprintf("record %s is left out: %v", n, err))
			continue
		}
		out[r.ID] = r
	}
	return out, problems
}
