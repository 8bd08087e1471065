package satellite

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"holdfast/internal/config"
	"holdfast/internal/model"
	"holdfast/internal/obs"
	"holdfast/internal/pki"
	"holdfast/internal/tool/run"
	"holdfast/internal/wire"
)

const (
	tick        = 250 * time.Millisecond
	silence     = 10 * time.Second // of the controller, ends a session; also a connection that doesn't say hello
	sendQueue   = 256              // messages that may wait to be sent before a session counts as stuck
	maxConns    = 16
	stopWait    = 5 * time.Second // for jobs under way, when told to stop
	claimEvery  = 5 * time.Second
	inputsAhead = 1024
)

// Server is the shell around an Agent: connections, goroutines, the clock. One goroutine, in Serve, owns the Agent; the
// others hand it functions to run.
type Server struct {
	agent    *Agent
	host     run.Host
	id       *pki.Identity
	stateDir string
	log      *slog.Logger

	in      chan func(now time.Time)
	open    *serverSession // owned by Serve's goroutine
	lastID  uint64
	stream  context.CancelFunc
	streams uint64 // number of the stream that runs
	claimAt time.Time
}

// serverSession is an accepted connection, as Serve's goroutine knows it.
type serverSession struct {
	id      uint64
	cluster model.UUID
	out     chan wire.Message
	stop    func()
}

// Run is `holdfast satellite`: until ctx ends.
func Run(ctx context.Context, cfg config.Satellite, version string, log *slog.Logger) error {
	id, created, err := pki.OpenSatellite(cfg.StateDir, time.Now(), rand.Reader)
	if err != nil {
		return err
	}
	node, err := cfg.Name()
	if err != nil {
		return fmt.Errorf("read the node's name: %w", err)
	}
	log.Info("satellite starts", obs.KeyNode, node, obs.KeyVersion, version, obs.KeyFingerprint, id.Fingerprint().Short())
	if created {
		log.Info("this is its first start: it belongs to nobody, a controller may claim it within the hour", obs.KeyNode, node)
	}
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen for controllers: %w", err)
	}
	host := run.OS{Log: log}
	if err := writeInclude(host, cfg.DRBDConfigDir); err != nil {
		log.Warn("people's drbdadm won't know our resources", obs.KeyReason, err.Error())
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	s, err := NewServer(host, Config{Node: node, StateDir: cfg.StateDir, ConfigDir: cfg.DRBDConfigDir, Program: program, Version: version}, id, log)
	if err != nil {
		l.Close()
		return err
	}
	return s.Serve(ctx, l)
}

// NewServer makes the shell. The claim is kept in cfg.StateDir on this machine, whatever host is.
func NewServer(host run.Host, cfg Config, id *pki.Identity, log *slog.Logger) (*Server, error) {
	a, err := New(host, cfg, time.Now())
	if err != nil {
		return nil, err
	}
	for _, p := range a.Problems {
		log.Warn("start", obs.KeyReason, p)
	}
	return &Server{agent: a, host: host, id: id, stateDir: cfg.StateDir, log: log, in: make(chan func(time.Time), inputsAhead)}, nil
}

// Serve takes controllers' connections from l and works until ctx ends. It closes l. Programs under way are left to their
// end, DRBD's resources as they are.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer func() {
		cancel()
		l.Close()
		if s.open != nil {
			s.open.stop()
		}
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(stopWait):
		}
	}()
	accepting := make(chan error, 1)
	wg.Go(func() { accepting <- s.accept(ctx, tls.NewListener(l, pki.ServeConfig(s.id)), &wg) })
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		s.pump(ctx, &wg)
		select {
		case <-ctx.Done():
			return nil
		case err := <-accepting:
			return fmt.Errorf("listen for controllers: %w", err)
		case f := <-s.in:
			f(time.Now())
			for more := true; more; {
				select {
				case f := <-s.in:
					f(time.Now())
				default:
					more = false
				}
			}
		case <-t.C:
		}
	}
}

// tell runs f in Serve's goroutine.
func (s *Server) tell(ctx context.Context, f func(now time.Time)) {
	select {
	case s.in <- f:
	case <-ctx.Done():
	}
}

// pump starts what is due and sends what is to be said.
func (s *Server) pump(ctx context.Context, wg *sync.WaitGroup) {
	now := time.Now()
	for _, j := range s.agent.Due(now) {
		wg.Go(func() {
			began := time.Now()
			r := s.agent.RunJob(context.WithoutCancel(ctx), j)
			s.tell(ctx, func(now time.Time) {
				s.agent.Finish(j, r, now)
				s.logJob(j, r, now.Sub(began))
			})
		})
	}
	if s.agent.StreamOld(now) && s.stream != nil {
		s.stream()
	}
	if s.agent.StreamDue(now) {
		s.watch(ctx, wg, now)
	}
	for _, c := range s.agent.Changes() {
		level := slog.LevelInfo
		if c.From == c.To && c.To == model.Working {
			level = slog.LevelDebug
		}
		s.log.Log(ctx, level, "replica", obs.KeyResource, c.Resource, obs.KeyIncarnation, c.ID, obs.KeyFrom, phaseName(c.From), obs.KeyState, phaseName(c.To), obs.KeyReason, c.Reason)
	}
	if s.open != nil && now.Sub(s.claimAt) >= claimEvery {
		s.claimAt = now
		// `satellite release` on this node ends the session too.
		if c, err := pki.LoadClaim(s.stateDir); err == nil && model.UUID(c.ClusterID) != s.open.cluster {
			s.log.Info("released", obs.KeyCluster, s.open.cluster)
			s.open.stop()
		}
	}
	if s.open != nil {
		for _, m := range s.agent.Outbox(now) {
			s.send(m)
		}
	}
}

func phaseName(p model.Phase) string {
	switch p {
	case model.Working:
		return "working"
	case model.Done:
		return "done"
	case model.Failed:
		return "failed"
	case model.Blocked:
		return "blocked"
	}
	return fmt.Sprintf("phase %d", p)
}

func (s *Server) logJob(j Job, r Result, took time.Duration) {
	if j.Kind == ReplicaJob {
		for _, st := range j.Steps {
			s.log.Debug("step", obs.KeyResource, st.Resource, obs.KeyStep, st.String(), obs.Took(took))
		}
	}
	if h := r.Hung(); h != nil {
		s.log.Error("a program hangs", obs.KeyPID, h.Pid, obs.KeyArgv, h.Argv)
	}
}

// send puts m into the open session's queue; a session that doesn't drain it ends.
func (s *Server) send(m wire.Message) {
	select {
	case s.open.out <- m:
	default:
		s.open.stop()
	}
}

// watch follows DRBD's events.
func (s *Server) watch(ctx context.Context, wg *sync.WaitGroup, now time.Time) {
	s.agent.StreamStarted(now)
	s.streams++
	n := s.streams
	ctx, cancel := context.WithCancel(ctx)
	s.stream = cancel
	wg.Go(func() {
		defer cancel()
		err := s.follow(ctx, n, cancel)
		s.tell(context.WithoutCancel(ctx), func(now time.Time) {
			if s.streams == n {
				s.agent.StreamEnded(now)
				s.stream = nil
			}
			if err != nil && ctx.Err() == nil {
				s.log.Warn("DRBD's events ended, they are started again", obs.Err(err))
			}
		})
	})
}

func (s *Server) follow(ctx context.Context, n uint64, stop func()) error {
	r, err := s.host.Stream(ctx, EventsArgv())
	if err != nil {
		return err
	}
	defer r.Close()
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		s.tell(ctx, func(now time.Time) {
			if s.streams != n {
				return
			}
			if err := s.agent.OnEvent(line, now); err != nil {
				s.log.Warn("DRBD's events aren't understood, they are read anew", obs.Err(err))
				stop()
			}
		})
	}
	return lines.Err()
}

// accept takes connections until the listener is closed.
func (s *Server) accept(ctx context.Context, l net.Listener, wg *sync.WaitGroup) error {
	slots := make(chan struct{}, maxConns)
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			var ne net.Error
			if errors.As(err, &ne) && ne.Timeout() {
				continue
			}
			return err
		}
		select {
		case slots <- struct{}{}:
		default:
			c.Close()
			continue
		}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := s.connection(ctx, c.(*tls.Conn)); err != nil && ctx.Err() == nil {
				s.log.Info("session ended", obs.KeyAddress, c.RemoteAddr().String(), obs.Err(err))
			}
		})
	}
}

// connection is one controller's, from its handshake to its end.
func (s *Server) connection(ctx context.Context, c *tls.Conn) error {
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	hctx, cancel := context.WithTimeout(ctx, silence)
	err := c.HandshakeContext(hctx)
	cancel()
	if err != nil {
		return fmt.Errorf("shake hands: %w", err)
	}
	conn := wire.NewConn(c)
	conn.Idle(silence)
	m, err := conn.Recv()
	if err != nil {
		return err
	}
	hello, ok := m.(wire.Hello)
	if !ok {
		return fmt.Errorf("expect hello, got %T", m)
	}
	if refused := s.admit(hello, c.ConnectionState(), time.Now()); refused != nil {
		s.log.Warn("controller refused", obs.KeyAddress, c.RemoteAddr().String(), obs.KeyReason, refused.Text)
		return conn.Send(*refused)
	}
	conn.Trust()
	return s.session(ctx, conn, hello)
}

// session is for a controller of the cluster that owns this satellite.
func (s *Server) session(ctx context.Context, conn *wire.Conn, hello wire.Hello) error {
	sess := &serverSession{cluster: hello.ClusterID, out: make(chan wire.Message, sendQueue), stop: sync.OnceFunc(func() { conn.Close() })}
	opened := make(chan bool, 1)
	var answer wire.Message
	s.tell(ctx, func(now time.Time) {
		s.lastID++
		sess.id = s.lastID
		var ok bool
		if answer, ok = s.agent.Hello(sess.id, hello, now); ok {
			if s.open != nil {
				s.open.stop()
			}
			s.open = sess
			s.log.Info("controller is here", obs.KeyEpoch, hello.Order.Epoch, obs.KeyInstance, hello.Order.Instance, obs.KeyAddress, conn.Net().RemoteAddr().String())
		}
		opened <- ok
	})
	var ok bool
	select {
	case ok = <-opened:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := conn.Send(answer); err != nil || !ok {
		if r, refused := answer.(wire.Refused); refused {
			s.log.Warn("controller refused", obs.KeyReason, r.Text)
		}
		if ok {
			s.lost(ctx, sess)
		}
		return err
	}
	defer s.lost(ctx, sess)
	done := make(chan struct{})
	defer close(done)
	go s.sender(conn, sess, done)
	for {
		m, err := conn.Recv()
		if err != nil {
			return err
		}
		failed := make(chan error, 1)
		s.tell(ctx, func(now time.Time) {
			answer, err := s.agent.Message(sess.id, m, now)
			if answer != nil && s.open == sess {
				if err != nil {
					// The last word: it must leave before the connection is closed.
					go func() { conn.Send(answer); failed <- err }()
					return
				}
				s.send(answer)
			}
			failed <- err
		})
		select {
		case err := <-failed:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Server) lost(ctx context.Context, sess *serverSession) {
	sess.stop()
	s.tell(ctx, func(time.Time) {
		s.agent.Lost(sess.id)
		if s.open == sess {
			s.open = nil
		}
	})
}

func (s *Server) sender(conn *wire.Conn, sess *serverSession, done <-chan struct{}) {
	for {
		select {
		case m := <-sess.out:
			if err := conn.Send(m); err != nil {
				sess.stop()
				return
			}
		case <-done:
			return
		}
	}
}
