package controller

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"holdfast/internal/model"
	"holdfast/internal/pki"
	"holdfast/internal/wire"
)

const (
	dialLimit = 5 * time.Second // to connect, and for the handshake
	// inFlight bounds the messages of one satellite that the loop hasn't looked at yet.
	inFlight = 16
	// outQueue bounds those on their way to it; Brain sends few before it has an answer.
	outQueue = 64
)

// link is one connection to a satellite.
type link struct {
	node    string
	session uint64
	conn    *wire.Conn
	out     chan wire.Message
	done    chan struct{}
	once    sync.Once
}

func (l *link) close() {
	l.once.Do(func() {
		close(l.done)
		_ = l.conn.Close() //nolint:errcheck // nothing of it is needed any more
	})
}

// hand passes what Brain says to the session's connection.
func (c *Controller) hand(o Out) {
	l := c.links[o.Session]
	if l == nil {
		return
	}
	if !o.Close {
		select {
		case l.out <- o.Msg:
			return
		default:
			c.brain.Lost(o.Node, o.Session, "it doesn't take what is sent", time.Now())
		}
	}
	delete(c.links, o.Session)
	go l.close() // TLS says good-bye, which may take its time
}

// dial connects to a satellite and serves the session to its end.
func (c *Controller) dial(ctx context.Context, d DialRequest) {
	l, print, welcome, err := c.greet(ctx, d)
	if err != nil {
		var no *refusal
		c.post(func(now time.Time) {
			if errors.As(err, &no) {
				c.brain.Refused(d.Node, d.Session, no.Refused, now)
				return
			}
			c.brain.DialFailed(d.Node, d.Session, dialStatus(err), err.Error(), now)
		})
		return
	}
	defer l.close()
	c.post(func(now time.Time) {
		c.links[d.Session] = l
		c.brain.Connected(d.Node, d.Session, print, welcome, now)
	})
	go l.write(func(err error) { c.lost(d, err) })
	go func() { // a stop ends a Recv under way
		select {
		case <-ctx.Done():
			l.close()
		case <-l.done:
		}
	}()
	credit := make(chan struct{}, inFlight)
	for {
		m, err := l.conn.Recv()
		if err != nil {
			c.lost(d, err)
			return
		}
		select {
		case credit <- struct{}{}:
		case <-ctx.Done():
			return
		}
		c.post(func(now time.Time) {
			<-credit
			c.brain.Message(d.Node, d.Session, m, now)
		})
	}
}

func (c *Controller) lost(d DialRequest, err error) {
	c.post(func(now time.Time) {
		if l := c.links[d.Session]; l != nil {
			delete(c.links, d.Session)
			go l.close()
		}
		c.brain.Lost(d.Node, d.Session, "the connection ended: "+err.Error(), now)
	})
}

// refusal is a satellite that answered Hello with Refused.
type refusal struct{ wire.Refused }

func (r *refusal) Error() string { return r.Text }

// greet dials, checks who answers, and says Hello.
func (c *Controller) greet(ctx context.Context, d DialRequest) (_ *link, print string, _ wire.Welcome, err error) {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	pin, err := pki.ParsePin(d.Fingerprint)
	if err != nil {
		return nil, "", wire.Welcome{}, fmt.Errorf("%w: %w", pki.ErrWrongFingerprint, err)
	}
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", d.Address)
	if err != nil {
		return nil, "", wire.Welcome{}, err
	}
	defer func() {
		if err != nil {
			_ = raw.Close() //nolint:errcheck // the session didn't come about
		}
	}()
	t := tls.Client(raw, pki.DialConfig(c.deps.Cluster, pin))
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, "", wire.Welcome{}, err
	}
	fp, err := pki.PeerFingerprint(t.ConnectionState())
	if err != nil {
		return nil, "", wire.Welcome{}, err
	}
	conn := wire.NewConn(t)
	conn.Idle(dialLimit)
	if err := conn.Send(d.Hello); err != nil {
		return nil, "", wire.Welcome{}, err
	}
	m, err := conn.Recv()
	if err != nil {
		return nil, "", wire.Welcome{}, err
	}
	switch m := m.(type) {
	case wire.Welcome:
		conn.Trust()
		conn.Idle(SilenceLimit + PingEvery) // Brain looks closer
		return &link{node: d.Node, session: d.Session, conn: conn, out: make(chan wire.Message, outQueue), done: make(chan struct{})}, fp.String(), m, nil
	case wire.Refused:
		return nil, "", wire.Welcome{}, &refusal{m}
	}
	return nil, "", wire.Welcome{}, fmt.Errorf("it answered Hello with %T", m)
}

// dialStatus tells a satellite that isn't the right one from one that isn't there.
func dialStatus(err error) model.ConnectionStatus {
	var alert tls.AlertError
	if errors.Is(err, pki.ErrWrongFingerprint) || errors.Is(err, pki.ErrBadPeer) || errors.As(err, &alert) {
		return model.StatusAuthError
	}
	return model.StatusOffline
}

// write sends what is queued until the session ends.
func (l *link) write(lost func(error)) {
	for {
		select {
		case m := <-l.out:
			if err := l.conn.Send(m); err != nil {
				lost(err)
				return
			}
		case <-l.done:
			return
		}
	}
}
