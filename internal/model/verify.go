package model

// VerifyState is how far a comparison of the replicas' blocks is (DRBD's online verify).
//
//	VerifyRuns -> VerifyDone     every block was compared; Found says what differs
//	VerifyRuns -> VerifyFailed   it can't be done, or was broken off too often; Reason says why
//	VerifyRuns -> VerifyRuns     broken off: it begins anew under another ID
type VerifyState uint8

const (
	VerifyRuns VerifyState = iota
	VerifyDone
	VerifyFailed
)

// Verify is the newest comparison of a definition's replicas: asked for, under way, or what it found. Immutable.
type Verify struct {
	ID      UUID
	Replica UUID // which compares its blocks with those of all its peers
	By      string
	// AskedMS and EndedMS: since 1970 UTC.
	AskedMS int64
	EndedMS int64
	State   VerifyState
	Reason  string
	Broken  int           // how often it was broken off
	Found   []VerifyFound // with VerifyDone: what differs; none: all is equal
}

// Who asked for a verify.
const (
	VerifyByUser     = "user"
	VerifyBySchedule = "schedule"
)

// VerifyFound is what differs between the verifying replica and a peer in one volume.
type VerifyFound struct {
	Volume       int
	Node, Peer   string
	OutOfSyncKiB int64
}

// VerifyProgress is what a node says of the verify that it is told to run.
type VerifyProgress struct {
	ID     UUID
	State  VerifyPhase
	Reason string // why it waits, or was broken off
}

// VerifyPhase on the node.
type VerifyPhase uint8

const (
	VerifyWaits  VerifyPhase = iota // not begun
	VerifyBegun                     // DRBD compares
	VerifyEnded                     // every block was compared
	VerifyBroken                    // begun, and not ended
)

// VerifyAlg is the digest by which replicas are compared where nobody names another: the kernel's own, on every machine.
const VerifyAlg = "crc32c"
