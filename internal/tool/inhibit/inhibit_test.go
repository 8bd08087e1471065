package inhibit

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
)

type streamer struct {
	argv []string
	err  error
	r    *io.PipeReader
	w    *io.PipeWriter
}

func (s *streamer) Stream(_ context.Context, argv []string) (io.ReadCloser, error) {
	s.argv = argv
	s.r, s.w = io.Pipe()
	return s.r, s.err
}

func TestShutdown(t *testing.T) {
	s := &streamer{}
	l, err := Shutdown(t.Context(), s, Block, "backups would lose its last copy")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(s.argv, "--why=backups would lose its last copy") || !slices.Contains(s.argv, "--mode=block") || !slices.Contains(s.argv, "--what=shutdown") {
		t.Errorf("argv %q", s.argv)
	}
	select {
	case <-l.Lost():
		t.Error("lost at once")
	default:
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	<-l.Lost()
}

func TestLost(t *testing.T) {
	s := &streamer{}
	l, err := Shutdown(t.Context(), s, Delay, "x")
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("no logind")
	s.w.CloseWithError(broken)
	<-l.Lost()
	if !errors.Is(l.Err(), broken) {
		t.Errorf("%v", l.Err())
	}
	if _, err := Shutdown(t.Context(), &streamer{err: broken}, Delay, "x"); !errors.Is(err, broken) {
		t.Errorf("not started: %v", err)
	}
}
