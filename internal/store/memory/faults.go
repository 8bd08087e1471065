package memory

import "errors"

// ErrFault is what an injected failure is, unless the test gave its own.
var ErrFault = errors.New("injected fault")

type faultKind int

const (
	none          faultKind = iota
	fail                    // refused, nothing stored
	unknownLost             // outcome unknown, nothing stored
	unknownStored           // outcome unknown, stored
	lose                    // success, visible, gone after a crash
	torn                    // outcome unknown, only the first changes stored: breaks the contract
)

type fault struct {
	kind faultKind
	keep int
	err  error
}

type faults struct {
	queue    []fault
	load     error
	volatile bool
}

func (f *faults) next() fault {
	if len(f.queue) == 0 {
		return fault{}
	}
	x := f.queue[0]
	f.queue = f.queue[1:]
	return x
}

// Faults that concern commits queue up: each valid commit takes one.
func (b *Backend) queue(f fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f.err == nil {
		f.err = ErrFault
	}
	b.faults.queue = append(b.faults.queue, f)
}

// FailNext makes the next commit fail with err (nil: ErrFault), storing nothing.
func (b *Backend) FailNext(err error) { b.queue(fault{kind: fail, err: err}) }

// PassNext lets one commit through before the faults queued after it.
func (b *Backend) PassNext() { b.queue(fault{}) }

// UnknownNext makes the next commit fail with store.ErrOutcomeUnknown; stored says which outcome it really has.
func (b *Backend) UnknownNext(stored bool) {
	k := unknownLost
	if stored {
		k = unknownStored
	}
	b.queue(fault{kind: k})
}

// LoseNext makes the next commit report success without being durable: a Reopen before the next durable commit loses it.
// A back end that did so would break the contract.
func (b *Backend) LoseNext() { b.queue(fault{kind: lose}) }

// TearNext makes the next commit store its first keep changes only and report an unknown outcome. A back end that did so
// would break the contract.
func (b *Backend) TearNext(keep int) { b.queue(fault{kind: torn, keep: keep}) }

// FailNextLoad makes the next load fail with err (nil: ErrFault).
func (b *Backend) FailNextLoad(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		err = ErrFault
	}
	b.faults.load = err
}

// SetVolatile makes commits report success without being durable for as long as it is on, as a database without fsync
// does. The first commit after it is switched off makes the earlier ones durable with itself.
func (b *Backend) SetVolatile(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults.volatile = on
}
