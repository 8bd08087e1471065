package controller

import (
	"io"
	"log/slog"
	"time"

	"holdfast/internal/model"
)

// Times of the channel and of answers (design, "When a change answers").
const (
	PingEvery    = 2 * time.Second
	SilenceLimit = 10 * time.Second
	AnswerLimit  = 60 * time.Second
	// BlockedGrace is how long a replica may wait for something that isn't its node's to do before the command that
	// wanted it is answered with that reason.
	BlockedGrace = 2 * time.Second

	redialMin = time.Second
	redialMax = 60 * time.Second

	// A node is told at once, but at most sendBurst times in sendWindow, and never faster than sendGap.
	sendBurst  = 4
	sendWindow = 800 * time.Millisecond
	sendGap    = 20 * time.Millisecond
	// unackedLimit is how many Desired may be without an answer; what changes meanwhile waits and is sent as one.
	unackedLimit = 2
	// ackLimit ends a session that answers pings and doesn't take its desired state.
	ackLimit = 60 * time.Second

	// retryCommit is when rules that a report set off are tried again after a commit failed.
	retryCommit = time.Second
	// queueLimit is how many inputs may wait for a store that hangs before reports are refused by ending their sessions.
	queueLimit = 10_000
	// slowCommit is when a commit is worth a line in the log.
	slowCommit = 5 * time.Second

	// batchLimit bounds the inputs that share a commit.
	batchLimit = 512
)

// Config of a Brain.
type Config struct {
	Instance  model.UUID // of this process; must differ between any two
	ClusterID model.UUID // the pki's
	ClusterCA []byte     // PEM, for satellites that belong to nobody
	Version   string
	Rand      io.Reader // ids, secrets and jitter come from it
	Log       *slog.Logger
	// MinEpoch raises the epoch above it at the start: a take-over after a restore.
	MinEpoch uint64
}
