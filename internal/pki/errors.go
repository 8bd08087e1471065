package pki

import "errors"

// The ways that keys and claims fail which callers tell apart.
var (
	ErrOwned            = errors.New("the satellite belongs to another cluster")
	ErrClosed           = errors.New("the satellite isn't open for a claim")
	ErrWrongFingerprint = errors.New("the fingerprint is wrong")
	ErrBadRequest       = errors.New("the claim isn't valid")
	ErrBadPeer          = errors.New("the other side's certificate isn't acceptable")
	ErrBadFile          = errors.New("the file is damaged")
)
