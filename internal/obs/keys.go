package obs

import (
	"log/slog"
	"time"
)

// Keys of log lines. Other code uses these and no others, so that one search finds everything about an object.
const (
	KeyNode        = "node"
	KeyPool        = "pool"
	KeyResource    = "resource"
	KeyVolume      = "volume" // number
	KeyIncarnation = "incarnation"
	KeyPeer        = "peer"
	KeyAddress     = "address"
	KeyCluster     = "cluster"
	KeyFingerprint = "fingerprint"

	KeyEpoch      = "epoch"
	KeyInstance   = "instance"
	KeyGeneration = "generation"
	KeyRevision   = "revision" // the store's

	KeyState  = "state" // the new one
	KeyFrom   = "from"  // the state it was in
	KeyStep   = "step"
	KeyReason = "reason"
	KeyError  = "error"

	KeyArgv     = "argv"
	KeyPID      = "pid"
	KeyExit     = "exit"
	KeyDuration = "ms" // a time taken, in ms
	KeySize     = "kib"
	KeyCount    = "count"

	KeyMethod  = "method"
	KeyPath    = "path"
	KeyStatus  = "status"
	KeyVersion = "version"
	KeyFile    = "file"
)

// Err is the attribute of an error.
func Err(err error) slog.Attr {
	if err == nil {
		return slog.Attr{}
	}
	return slog.String(KeyError, err.Error())
}

// Took is the attribute of a time taken.
func Took(d time.Duration) slog.Attr {
	return slog.Float64(KeyDuration, float64(d.Microseconds())/1000)
}
