package rest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits bound what a client can take. Zero fields get the defaults.
type Limits struct {
	Body   int64         // bytes of a request's body; 4 MiB
	Header int           // bytes of a request's header; 64 KiB
	Conns  int           // connections at once; further ones wait to be accepted; 1024
	Read   time.Duration // for a request to arrive; 30 s
	Write  time.Duration // for a request to be answered, the wait for nodes (60 s) included; 3 min
	Idle   time.Duration // between the requests of a connection; 2 min
	Events time.Duration // between two looks for server-sent events; 250 ms
}

func (l Limits) withDefaults() Limits {
	or := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	if l.Body == 0 {
		l.Body = 4 << 20
	}
	if l.Header == 0 {
		l.Header = 64 << 10
	}
	if l.Conns == 0 {
		l.Conns = 1024
	}
	or(&l.Read, 30*time.Second)
	or(&l.Write, 3*time.Minute)
	or(&l.Idle, 2*time.Minute)
	or(&l.Events, 250*time.Millisecond)
	return l
}

// Serve answers on ln until ctx ends, then lets running requests end for at most 5 s. Waiting requests are cut short: what
// they asked for is stored.
func Serve(ctx context.Context, ln net.Listener, h http.Handler, limits Limits, log *slog.Logger) error {
	limits = limits.withDefaults()
	base, stop := context.WithCancel(context.Background())
	defer stop()
	srv := &http.Server{Handler: h, ReadHeaderTimeout: min(limits.Read, 10*time.Second), ReadTimeout: limits.Read,
		WriteTimeout: limits.Write, IdleTimeout: limits.Idle, MaxHeaderBytes: limits.Header,
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return base }}
	log.Warn("the REST API is plain HTTP, and open to everybody who reaches this address", "address", ln.Addr().String())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(newLimiter(ln, limits.Conns)) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve the REST API: %w", err)
	case <-ctx.Done():
	}
	stop()
	end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := srv.Shutdown(end)
	if errors.Is(err, context.DeadlineExceeded) {
		err = srv.Close()
	}
	<-done
	return err
}

// limiter accepts a connection only while fewer than its size are open.
type limiter struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
}

func newLimiter(ln net.Listener, n int) net.Listener {
	return &limiter{Listener: ln, slots: make(chan struct{}, n), closed: make(chan struct{})}
}

func (l *limiter) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limited{Conn: c, free: sync.OnceFunc(func() { <-l.slots })}, nil
}

func (l *limiter) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type limited struct {
	net.Conn
	free func()
}

func (c *limited) Close() error {
	err := c.Conn.Close()
	c.free()
	return err
}
