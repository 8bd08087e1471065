package wire

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"

	"holdfast/internal/wire/pb"
)

const (
	// MaxFrame bounds a frame, in bytes.
	MaxFrame = 64 << 20
	// FirstFrame bounds a frame from a side that hasn't introduced itself, in bytes.
	FirstFrame = 1 << 20
	// WriteTimeout is how long a frame may take to leave.
	WriteTimeout = 10 * time.Second
	// bufferSize of each direction, in bytes. Most frames are smaller; what is larger goes past the buffer. A controller has
	// two of them for every node.
	bufferSize = 4 << 10
)

// Conn carries messages over one connection. Send may be called from any goroutine, Recv from one; Close ends both.
type Conn struct {
	c    net.Conn
	r    *bufio.Reader
	max  int
	idle time.Duration

	mu sync.Mutex // of writes
	w  *bufio.Writer
}

// NewConn takes c over. It takes frames up to FirstFrame until Trust is called.
func NewConn(c net.Conn) *Conn {
	return &Conn{c: c, r: bufio.NewReaderSize(c, bufferSize), w: bufio.NewWriterSize(c, bufferSize), max: FirstFrame}
}

// Trust lets frames be as large as MaxFrame: the other side is who it should be. Not during Recv.
func (c *Conn) Trust() { c.max = MaxFrame }

// Idle makes each following Recv fail when nothing comes for d > 0. Not during Recv.
func (c *Conn) Idle(d time.Duration) { c.idle = d }

// Net is the connection underneath.
func (c *Conn) Net() net.Conn { return c.c }

// Send writes m and flushes. After an error the connection is of no more use: part of the frame may have left.
func (c *Conn) Send(m Message) error {
	e, err := encode(m)
	if err != nil {
		return err
	}
	if n := proto.Size(e); n > MaxFrame {
		return fmt.Errorf("send %T: it has %d bytes, more than %d", m, n, MaxFrame)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.c.SetWriteDeadline(time.Now().Add(WriteTimeout)); err != nil {
		return fmt.Errorf("send %T: %w", m, err)
	}
	if _, err := protodelim.MarshalTo(c.w, e); err != nil {
		return fmt.Errorf("send %T: %w", m, err)
	}
	if err := c.w.Flush(); err != nil {
		return fmt.Errorf("send %T: %w", m, err)
	}
	return nil
}

// Recv waits for the next message that this release knows. Its error ends the session: the peer is gone (io.EOF), or
// silent, or sent what isn't a frame.
func (c *Conn) Recv() (Message, error) {
	for {
		if c.idle > 0 {
			if err := c.c.SetReadDeadline(time.Now().Add(c.idle)); err != nil {
				return nil, fmt.Errorf("receive: %w", err)
			}
		}
		var e pb.Envelope
		if err := (protodelim.UnmarshalOptions{MaxSize: int64(c.max)}).UnmarshalFrom(c.r, &e); err != nil {
			return nil, fmt.Errorf("receive: %w", err)
		}
		m, err := decode(&e)
		if errors.Is(err, errUnknown) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("receive: %w", err)
		}
		return m, nil
	}
}

// Close ends the connection; a Recv or Send under way fails.
func (c *Conn) Close() error { return c.c.Close() }
