// Package satellite is the node's half of Holdfast: it keeps what a controller wants of this node, compares it with what
// is there, acts, and reports.
//
//	Agent      plain struct: messages and events in, jobs and messages out; no goroutine, no clock. The simulator runs it.
//	           (agent.go its state, due.go which jobs, finish.go what came of them, seen.go what a plan is made from)
//	RunJob     the only part that touches the machine, through run.Host; it may block and knows nothing of the Agent's state
//	Server     the shell: listens, runs jobs in goroutines, keeps the time
//
// What it sees lives in memory and is read from the machine again: pools by scans (after its own changes, and every 30 s),
// DRBD from `drbdsetup events2`, config files and records from disk at start. What it was told is kept on disk before it is
// acknowledged, so that volumes come up with no controller in sight.
//
// A replica's life is a loop: plan (steps.Next, pure) -> job (its steps) -> look again -> plan. One job at a time for a
// replica; steps that are storage commands also wait their turn in their pool's queue, so that a pool that hangs holds up
// nothing but itself.
package satellite
