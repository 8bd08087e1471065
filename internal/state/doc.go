// Package state is the controller's memory: an immutable Snapshot of everything it knows (desired objects, which are
// persisted, and what nodes report, which isn't), and the Tx that makes the next one. Readers hold a Snapshot as long as
// they like and take no lock. The one writer forks a Tx for each command, so that a refused command leaves no trace.
//
// Uniqueness (names, minors, ports, node-ids) is kept here, in indexes that are made again at load: the store has none.
package state
