package model

// CloneState is where a definition stands that is made as a clone of another.
//
//	Taking --the snapshot is Successful--> Copying --each volume was good once--> Done --nobody needs the snapshot--> forgotten
//	   |                                      |
//	   +--the snapshot fails                  +--all that was being made of it is gone
//	   +------------------+-------------------+--> Failed: Reason says why
//
// While it is Taking or Failed no node is told of its replicas. Deleting the definition gives it up in any state.
type CloneState string

const (
	CloneTaking  CloneState = "taking"
	CloneCopying CloneState = "copying"
	CloneDone    CloneState = "done"
	CloneFailed  CloneState = "failed"
)

// Cloning is how a definition comes to its first data; immutable.
type Cloning struct {
	Source     UUID   // the definition
	SourceName string // then
	Snapshot   UUID   // of Source, taken for this
	State      CloneState
	Reason     string // of Failed
	SinceMS    int64  // the command
}

// Unmade tells whether the definition's data aren't whole yet, or never will be.
func (c *Cloning) Unmade() bool { return c != nil && c.State != CloneDone }

// Untold tells whether no node may make anything of it.
func (c *Cloning) Untold() bool {
	return c != nil && (c.State == CloneTaking || c.State == CloneFailed)
}

// Failed tells whether it was to be a clone, and is nothing.
func (c *Cloning) Failed() bool { return c != nil && c.State == CloneFailed }
