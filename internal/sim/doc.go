// Package sim is the deterministic simulator: one process runs a controller (the real Brain over a store in memory),
// satellites (real Agents, with their planner, executor, drivers and tools) and model machines, all from a seed, with
// model time. One scheduler takes one thing at a time (deliver a message, run a job, commit, crash, let time pass), so
// that a seed plays the same way each time.
//
//	Run(seed, Config)      plays one seed; nil, or the *Failure with the invariant that was broken
//	world                  all there is: clock, machines, nodes, controllers, sessions
//	user.go, fault.go      what people do, and what goes wrong
//	check.go, settle.go    the invariants I1 to I8 of the design, during and after
//	broken.go              variants with a mistake put in, that must be found
//
// A seed has three acts: a quiet start (nodes, pools), some dozens of events with any number of scheduler steps between
// them, and the settling: faults stop, what was broken is mended, and everything must become as desired or say why not.
//
// The mistakes of the variants, and the faults, are put in here, between the parts; the parts have no hooks for them.
package sim
