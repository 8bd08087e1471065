// Package lab runs virtual machines with the real kernel, LVM and DRBD, driven from Go.
//
//	l, err := lab.Up(ctx, lab.Config{Machines: 2})
//	defer l.Close()
//	a := l.Machine("alpha")
//	r, err := a.Sh(ctx, "lvs --reportformat json")
//	l.Cut("alpha", "bravo")
//	a.Kill()           // power cut: what was not flushed may be lost
//	err = a.Start(ctx) // cold boot from its own disks
//
// Machines are QEMU under software emulation, so that they run anywhere. They are copies of a saved one (a template),
// which makes them start in about a second; a machine that was killed boots like any other.
//
// Three networks: control (each machine alone with QEMU's own stack; the agent listens there; it works whatever happens
// to the others), data (10.77.0.0/24, data0 in the machine) and tunnels from the host (Dial, Forward, HTTPClient),
// which go over control. Disks are served by package nbd, in this process: when it ends, the machines end.
//
// Everything lies in .lab at the root of the checkout.
package lab
