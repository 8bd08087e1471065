package machine

// What only a mistaken satellite does, for the broken variants of the simulator.

// NoGuards ends the processes that would let suspended I/O go on.
func (m *Machine) NoGuards() {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	m.guards = nil
}

// SetGeneration writes the data generation of another machine's disk into the metadata of the disk at path, as `drbdmeta
// set-gi` would: DRBD takes the two for equal from then on. It needs metadata on both.
func (m *Machine) SetGeneration(path string, from *Machine, fromPath string) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	d, o := m.device(path), from.device(fromPath)
	if d == nil || o == nil || d.md == nil || o.md == nil {
		return
	}
	d.md.current, d.md.history = o.md.current, append([]uint64(nil), o.md.history...)
	d.md.consistent, d.md.upToDate = true, true
	m.net.version++
}
