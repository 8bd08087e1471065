package store

import (
	"errors"
	"fmt"
)

// The ways a store fails that its users tell apart. Back ends wrap them with what happened.
var (
	ErrStaleEpoch     = errors.New("a newer controller has written to the store")
	ErrConflict       = errors.New("the store isn't at the expected revision")
	ErrOutcomeUnknown = errors.New("it is unknown whether the commit was stored")
	ErrNeedsLoad      = errors.New("the store must be loaded again first")
	ErrBadChange      = errors.New("the change breaks the store's rules")
	ErrNewerSchema    = errors.New("the store was written by a newer release")
	ErrCorrupt        = errors.New("the store is damaged")
	ErrOtherCluster   = errors.New("the store belongs to another cluster")
	ErrInUse          = errors.New("the store is in use by another process")
	ErrFull           = errors.New("the disk is full")
	ErrReadOnly       = errors.New("the store is open for reading only")
	ErrClosed         = errors.New("the store is closed")
)

// StaleEpoch is ErrStaleEpoch with the numbers.
func StaleEpoch(have, stored uint64) error {
	return fmt.Errorf("%w: this one's epoch is %d, the stored one %d", ErrStaleEpoch, have, stored)
}

// Conflict is ErrConflict with the numbers.
func Conflict(have, stored uint64) error {
	return fmt.Errorf("%w: expected %d, it is at %d", ErrConflict, have, stored)
}

// Reused is ErrBadChange for a new record under an ID that was given before.
func Reused(c Change, nextID int64) error {
	return fmt.Errorf("%w: %s %d doesn't exist, and ids below %d aren't given again", ErrBadChange, c.Kind, c.ID, nextID)
}

// OtherKind is ErrBadChange for a change whose kind isn't the record's.
func OtherKind(c Change, stored Kind) error {
	return fmt.Errorf("%w: record %d is a %s, not a %s", ErrBadChange, c.ID, stored, c.Kind)
}

// NewerSchema is ErrNewerSchema with the numbers and what to do.
func NewerSchema(schema int, writtenBy string) error {
	return fmt.Errorf("%w: its schema is %d (written by %s), this program knows up to %d; run that release or a later one, or restore a backup made before the upgrade",
		ErrNewerSchema, schema, orUnknown(writtenBy), Schema)
}

func orUnknown(s string) string {
	if s == "" {
		return "an unknown version"
	}
	return s
}
