package rest

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The third connection is accepted when one of two has ended.
func TestConnectionsAreBounded(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := newLimiter(ln, 2)
	accepted := make(chan net.Conn, 8)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	for range 3 {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	first := <-accepted
	<-accepted
	if n := len(l.(*limiter).slots); n != 2 {
		t.Errorf("%d slots are taken", n)
	}
	first.Close()
	first.Close() // gives one slot back, not two
	<-accepted
	if n := len(l.(*limiter).slots); n != 2 {
		t.Errorf("%d slots are taken", n)
	}
	l.Close()
	for range accepted {
	}
}

func TestServeEndsWithItsContextAndWarnsAtStart(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Serve(ctx, ln, New(newCluster(t), Info{}, Limits{}, discard()), Limits{}, slog.New(slog.NewTextHandler(&log, nil)))
	}()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 15)
	if _, err := c.Read(buf); err != nil || string(buf) != "HTTP/1.1 200 OK" {
		t.Fatalf("%q %v", buf, err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "open to everybody") {
		t.Error(log.String())
	}
}

// A client that sends its header byte by byte is cut off.
func TestSlowHeaderIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipeListener()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- Serve(ctx, ln, New(newCluster(t), Info{}, Limits{}, discard()), Limits{Read: 5 * time.Second}, discard())
		}()
		c, s := net.Pipe()
		ln.conns <- s
		if _, err := c.Write([]byte("GET /health HT")); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, _ = c.Read(make([]byte, 100))
		if d := time.Since(began); d < 4*time.Second || d > 6*time.Second {
			t.Errorf("cut off after %v", d)
		}
		c.Close()
		stop()
		<-done
	})
}

type pipeListener struct {
	conns chan net.Conn
	end   chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{make(chan net.Conn), make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.end:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	select {
	case <-l.end:
	default:
		close(l.end)
	}
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }
