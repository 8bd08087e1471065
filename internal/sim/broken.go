package sim

// Break names a mistake that is put into the wiring between the parts, to see that the simulator finds it.
type Break string

const (
	Whole Break = "" // no mistake
	// GuardSkipped: the node doesn't look at its own kernel before it removes a replica.
	GuardSkipped Break = "guard"
	// NoIncarnation: an order to remove says only the name, and hits whatever has it.
	NoIncarnation Break = "tombstone"
	// LateMilestone: milestones (initialised, source of the first sync) reach the store one commit after they were acted on.
	LateMilestone Break = "milestone"
	// EarlyAnswer: a commit counts as done before it is durable.
	EarlyAnswer Break = "durable"
)

// Breaks lists them.
var Breaks = []Break{GuardSkipped, NoIncarnation, LateMilestone, EarlyAnswer}
