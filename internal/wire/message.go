package wire

import "holdfast/internal/model"

// Message is one of the structs below.
type Message interface{ message() }

// Features that this release knows. A feature is a word; both sides use the common ones.
var Features = []string{"base1"}

// Hello opens a session, from the controller.
type Hello struct {
	Order     model.Order
	ClusterID model.UUID
	Version   string
	Features  []string
	NodeName  string // what the cluster calls this node
	// Claim asks a satellite that belongs to nobody to belong to this cluster. The satellite's fingerprint, if the
	// user gave it, proves that the claimer means this very satellite.
	Claim            bool
	ClaimFingerprint string
	ClusterCA        []byte // PEM, with Claim
}

// Welcome accepts, from the satellite.
type Welcome struct {
	Version  string
	Features []string
	Uname    string
	BootID   string
	// HighestEpoch that this satellite has ever obeyed. A controller that hears of a higher one than its own turns read-only.
	HighestEpoch uint64
}

// RefusedWhy is why a satellite ends a session.
type RefusedWhy string

const (
	RefusedEpoch    RefusedWhy = "old-epoch"      // a newer controller has spoken here
	RefusedInstance RefusedWhy = "other-instance" // another controller of the same epoch holds this satellite
	RefusedCluster  RefusedWhy = "other-cluster"  // belongs to another cluster
	RefusedClaim    RefusedWhy = "claim-window"   // belongs to nobody, and nobody may claim it now
	RefusedVersion  RefusedWhy = "version"        // no common feature set
	RefusedName     RefusedWhy = "node-name"      // it knows itself under another name in this cluster
	RefusedBusy     RefusedWhy = "internal"       // could not write its own state, for example
)

// Refused ends the session, from the satellite. Text is for people: what, why, what to do.
type Refused struct {
	Why          RefusedWhy
	Text         string
	HighestEpoch uint64
}

// Desired carries desired state, from the controller. With Full it is the whole: what isn't in it is no longer
// mentioned (which is no order to remove it).
type Desired struct {
	Order       model.Order
	Seq         uint64 // of this session, from 1
	Full        bool
	Pools       []model.PoolSpec       // nil and !Full: unchanged; else the whole list
	PoolsSet    bool                   // Pools is meant, even if empty
	DevicePools []model.DevicePoolSpec // the whole list, wherever Pools is
	Resources   []model.ResourceSpec
	Dropped     []model.UUID // incarnations no longer mentioned
	// Rescan asks for a fresh look at all pools and devices.
	Rescan bool
}

// Report carries observed state, from the satellite.
type Report struct {
	AckSeq    uint64            // newest Desired taken and kept on disk
	Full      bool              // Resources is all there is; the first of a session is Full
	Node      *model.NodeReport // nil: unchanged
	Resources []model.ResourceStatus
	Forgotten []model.UUID // incarnations that this node has nothing to say of any more (no longer mentioned)
}

// Ping and Pong keep the session alive.
type Ping struct{ Nonce uint64 }
type Pong struct{ Nonce uint64 }

func (Hello) message()   {}
func (Welcome) message() {}
func (Refused) message() {}
func (Desired) message() {}
func (Report) message()  {}
func (Ping) message()    {}
func (Pong) message()    {}
