// Package bench measures the controller and the satellite: how fast they start, list and create, and how small they are.
// The controller is the real program in a process of its own, with SQLite on this machine's disk; the satellites are
// stand-ins in the bench's process that speak the real protocol over TLS on loopback and say "done" to everything.
package bench
