package sim

import (
	"bytes"
	"net"
	"time"
)

// loopback is a connection to itself: what is written can be read.
type loopback struct{ bytes.Buffer }

func (*loopback) Close() error                     { return nil }
func (*loopback) LocalAddr() net.Addr              { return nil }
func (*loopback) RemoteAddr() net.Addr             { return nil }
func (*loopback) SetDeadline(time.Time) error      { return nil }
func (*loopback) SetReadDeadline(time.Time) error  { return nil }
func (*loopback) SetWriteDeadline(time.Time) error { return nil }
