// Package inhibit takes systemd's locks against a shutdown of the machine: it runs systemd-inhibit(1), which holds the lock
// for as long as it lives.
package inhibit

import (
	"context"
	"fmt"
	"io"
	"sync"

	"holdfast/internal/tool/run"
)

// Modes of a lock (systemd-inhibit(1)).
const (
	Block = "block" // until it is let go
	Delay = "delay" // for logind's InhibitDelayMaxSec at most
)

// Lock is held until Close, or until Lost is closed: then the program that held it ended by itself.
type Lock struct {
	stream io.ReadCloser
	once   sync.Once
	lost   chan struct{}
	err    error
}

// Shutdown takes the lock. why is shown to whoever is refused.
func Shutdown(ctx context.Context, r run.Streamer, mode, why string) (*Lock, error) {
	s, err := r.Stream(ctx, []string{"systemd-inhibit", "--what=shutdown", "--mode=" + mode, "--who=Holdfast", "--why=" + why, "sleep", "infinity"})
	if err != nil {
		return nil, fmt.Errorf("take the lock against a shutdown: %w", err)
	}
	l := &Lock{stream: s, lost: make(chan struct{})}
	go func() {
		defer close(l.lost)
		_, l.err = io.Copy(io.Discard, s)
	}()
	return l, nil
}

// Lost is closed when the lock isn't held any more.
func (l *Lock) Lost() <-chan struct{} { return l.lost }

// Err says why it was lost; nil before Lost is closed, and after Close.
func (l *Lock) Err() error {
	select {
	case <-l.lost:
		return l.err
	default:
		return nil
	}
}

// Close lets go of it.
func (l *Lock) Close() (err error) {
	l.once.Do(func() { err = l.stream.Close() })
	<-l.lost
	return err
}
