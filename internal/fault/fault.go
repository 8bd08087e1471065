package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Severity of a note. Failure is the only one that an Error carries.
type Severity uint8

const (
	Success Severity = iota
	Info
	Warning
	Failure
)

// Op is what was done, or tried, to the object.
type Op uint8

const (
	NoOp Op = iota
	Create
	Modify
	Delete
)

// Object is the noun a note is about.
type Object uint8

const (
	NoObject Object = iota
	Controller
	Node
	NetInterface
	StoragePool
	StoragePoolDefinition
	ResourceGroup
	VolumeGroup
	ResourceDefinition
	VolumeDefinition
	Resource
	Volume
	Snapshot
	KeyValueStore
	ErrorReport
)

// Kind is what happened. The list is closed: an edge that maps kinds switches over all of them.
type Kind uint8

const (
	// Done: the command did what it says (Success).
	Done Kind = iota
	// Invalid: the value of Field is not acceptable.
	Invalid
	// NotFound: the object doesn't exist.
	NotFound
	// Exists: an object of that name or number exists.
	Exists
	// InUse: something holds the object: a Primary, a dependent object.
	InUse
	// NotConnected: the node is offline; the change is kept and applied when it returns, or (Failure) can't be decided without it.
	NotConnected
	// NotEnoughNodes: placement found too few candidates; Details names each refused one.
	NotEnoughNodes
	// NoSpace: a pool hasn't enough free space.
	NoSpace
	// Exhausted: no free minor, port, node-id, peer slot or volume number is left; Field tells which.
	Exhausted
	// LastCopy: it would remove the last good copy, or one while no other is proven good.
	LastCopy
	// Unsupported: this DRBD generation, driver or layer can't do it.
	Unsupported
	// Refused: Holdfast doesn't do this (for example a property that would run a program on a node).
	Refused
	// AlreadyDeployed: nothing to do, the resource is there as asked.
	AlreadyDeployed
	// NotApplied: accepted and kept as desired, but a node reported a failure or hasn't answered in time.
	NotApplied
	// OtherController: another controller owns the satellite, or a newer one took over this store.
	OtherController
	// ReadOnly: this controller may not write: a newer epoch was seen, or the store's outcome is unknown.
	ReadOnly
	// OutcomeUnknown: the store didn't say whether the commit happened; look before you repeat.
	OutcomeUnknown
	// Internal: a defect of ours.
	Internal
)

// Note is one line of an answer.
type Note struct {
	Severity   Severity
	Kind       Kind
	Op         Op
	Object     Object
	Field      string // for Invalid, Exhausted: the field's JSON or property name
	Message    string // what, one line
	Cause      string // why
	Details    string
	Correction string            // what to do
	Refs       map[string]string // LINSTOR's obj_refs: Node, RscDfn, VlmNr, StorPool ...
}

// Error is a refusal: nothing was changed.
type Error struct {
	Note
	Err error
	// Passing: the cause is what a node said last, which may be over already. Who has a moment asks once more.
	Passing bool
}

func (e *Error) Error() string {
	if e.Cause != "" {
		return e.Message + ": " + e.Cause
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// Why is the message and its cause, as sentences, for a reason that is shown elsewhere.
func Why(err error) string {
	e := Of(err)
	return strings.TrimSpace(e.Message + " " + e.Cause)
}

// New makes a refusal.
func New(k Kind, o Object, format string, args ...any) *Error {
	return &Error{Note: Note{Severity: Failure, Kind: k, Object: o, Message: fmt.Sprintf(format, args...)}}
}

// Field names the offending field.
func (e *Error) In(field string) *Error { e.Note.Field = field; return e }

// Because adds the cause.
func (e *Error) Because(format string, args ...any) *Error {
	e.Cause = fmt.Sprintf(format, args...)
	return e
}

// Do adds the correction.
func (e *Error) Do(format string, args ...any) *Error {
	e.Correction = fmt.Sprintf(format, args...)
	return e
}

// Detail adds details.
func (e *Error) Detail(format string, args ...any) *Error {
	e.Details = fmt.Sprintf(format, args...)
	return e
}

// MayPass says that the cause may be over already.
func (e *Error) MayPass() *Error { e.Passing = true; return e }

// Ref adds an object reference.
func (e *Error) Ref(key, value string) *Error {
	if e.Refs == nil {
		e.Refs = map[string]string{}
	}
	e.Refs[key] = value
	return e
}

// Of returns the refusal inside err, or one of kind Internal that wraps it. Of(nil) is nil.
func Of(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Note: Note{Severity: Failure, Kind: Internal, Message: err.Error(),
		Correction: "This is a defect of Holdfast: please report it with the controller's log."}, Err: err}
}

// Is tells whether err is a refusal of kind k.
func Is(err error, k Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == k
}
