package satellite

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
)

// void tells whether the record says nothing that its absence wouldn't: it is of another boot, no config file is of its
// incarnation, and nothing was begun that may have left a trace on a disk.
func (a *Agent) void(r record) bool {
	return r.Boot != a.boot && a.configs[r.Resource].Owner != r.ID && len(r.Making) == 0 && len(r.Growing) == 0 && r.Peer == "" && r.For == "" && len(r.Left) == 0
}

// dropVoid removes void records of incarnations that no controller mentions: nobody orders those away, as when only a copy of
// the controller, which is gone, had told of them. One that can't be removed stays for the next time.
func (a *Agent) dropVoid() {
	for _, id := range slices.Sorted(maps.Keys(a.records)) {
		if a.replicas[id] != nil || a.jobOf(id) != 0 || !a.void(a.records[id]) {
			continue
		}
		if err := a.host.Remove(a.cfg.recordFile(id)); err == nil || errors.Is(err, fs.ErrNotExist) {
			delete(a.records, id)
		}
	}
}
