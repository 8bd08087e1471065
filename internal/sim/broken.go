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
	// NodeIDAgain: node-ids are given again while peers still remember whose they were.
	NodeIDAgain Break = "node-id"
	// LeaseAlone: I/O is held without the process that lets it go on when the satellite is gone.
	LeaseAlone Break = "lease"
	// LateSkip: the first sync is skipped for a replica that comes when others hold data already.
	LateSkip Break = "day0"
	// MetadataAnew: where a disk can't be read before it is attached, metadata are taken for missing, and made.
	MetadataAnew Break = "metadata"
	// PlacedOutside: what is placed is worked out on the published state, not on that of the commit it becomes part of.
	PlacedOutside Break = "placement"
	// DropUnguarded: a disk goes from under its replica though nobody knows of another good copy.
	DropUnguarded Break = "drop"
)

// Breaks lists them.
var Breaks = []Break{GuardSkipped, NoIncarnation, LateMilestone, EarlyAnswer, NodeIDAgain, LeaseAlone, LateSkip, MetadataAnew, PlacedOutside, DropUnguarded}
