package nbd

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Server offers one disk under any export name.
type Server struct {
	disk *Disk
	ln   net.Listener
	wg   sync.WaitGroup
	mu   sync.Mutex
	open map[net.Conn]bool // nil: closed
}

// Serve answers on a listener until Close.
func Serve(ln net.Listener, d *Disk) *Server {
	s := &Server{disk: d, ln: ln, open: map[net.Conn]bool{}}
	s.wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			closed := s.open == nil
			if !closed {
				s.open[c] = true
			}
			s.mu.Unlock()
			if closed {
				c.Close()
				return
			}
			s.wg.Go(func() {
				serveConn(c, d)
				c.Close()
				s.mu.Lock()
				delete(s.open, c)
				s.mu.Unlock()
			})
		}
	})
	return s
}

// Close ends listener and connections and waits for them. The disk stays open.
func (s *Server) Close() error {
	err := s.ln.Close()
	s.mu.Lock()
	for c := range s.open {
		c.Close()
	}
	s.open = nil
	s.mu.Unlock()
	s.wg.Wait()
	return err
}

var be = binary.BigEndian

// serveConn greets a client and answers its requests, in order.
func serveConn(c net.Conn, d *Disk) error {
	r, w := bufio.NewReaderSize(c, 256<<10), bufio.NewWriterSize(c, 256<<10)
	if ok, err := negotiate(r, w, d.Size()); !ok || err != nil {
		return err
	}
	t := &transmission{r: r, w: w, d: d}
	for {
		if err := t.one(); err != nil {
			w.Flush()
			return err
		}
	}
}

// negotiate is the handshake; ok if the client wants to go on to requests.
func negotiate(r io.Reader, w *bufio.Writer, size int64) (ok bool, err error) {
	hello := be.AppendUint64(nil, magicServer)
	hello = be.AppendUint64(hello, magicOption)
	hello = be.AppendUint16(hello, flagFixedNewstyle|flagNoZeroes)
	w.Write(hello)
	if err := w.Flush(); err != nil {
		return false, err
	}
	var flags [4]byte
	if _, err := io.ReadFull(r, flags[:]); err != nil {
		return false, err
	}
	noZeroes := be.Uint32(flags[:])&flagNoZeroes != 0
	export := be.AppendUint16(be.AppendUint64(nil, uint64(size)), txFlags)
	for {
		var h [16]byte
		if _, err := io.ReadFull(r, h[:]); err != nil {
			return false, err
		}
		opt, n := be.Uint32(h[8:]), be.Uint32(h[12:])
		if be.Uint64(h[:]) != magicOption || n > maxOption {
			return false, errors.New("bad option")
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(r, body); err != nil {
			return false, err
		}
		answer := func(kind uint32, data []byte) {
			b := be.AppendUint64(nil, magicReply)
			b = be.AppendUint32(b, opt)
			b = be.AppendUint32(b, kind)
			b = be.AppendUint32(b, uint32(len(data)))
			w.Write(b)
			w.Write(data)
		}
		switch opt {
		case optExportName:
			w.Write(export)
			if !noZeroes {
				w.Write(make([]byte, 124))
			}
			return true, w.Flush()
		case optGo, optInfo:
			answer(repInfo, append(be.AppendUint16(nil, infoExport), export...))
			sizes := be.AppendUint16(nil, infoBlockSize)
			for _, s := range []uint32{sectorSize, pageSize, maxRequest} { // least, best, most
				sizes = be.AppendUint32(sizes, s)
			}
			answer(repInfo, sizes)
			answer(repAck, nil)
			if err := w.Flush(); err != nil || opt == optGo {
				return err == nil, err
			}
		case optList:
			answer(repServer, be.AppendUint32(nil, 0)) // one export, without a name
			answer(repAck, nil)
		case optAbort:
			answer(repAck, nil)
			return false, w.Flush()
		default:
			answer(repErrUnsup, nil)
		}
		if err := w.Flush(); err != nil {
			return false, err
		}
	}
}

type transmission struct {
	r   *bufio.Reader
	w   *bufio.Writer
	d   *Disk
	buf []byte
}

func (t *transmission) space(n uint32) []byte {
	if uint32(cap(t.buf)) < n {
		t.buf = make([]byte, n)
	}
	return t.buf[:n]
}

var errDone = errors.New("client has gone")

// one answers one request. After ErrCut it answers nothing: a disk without power is silent.
func (t *transmission) one() error {
	var h [28]byte
	if _, err := io.ReadFull(t.r, h[:]); err != nil {
		return err
	}
	if be.Uint32(h[:]) != magicReq {
		return errors.New("bad request")
	}
	flags, cmd := be.Uint16(h[4:]), be.Uint16(h[6:])
	off, n := int64(be.Uint64(h[16:])), be.Uint32(h[24:])
	fua := flags&cmdFlagFUA != 0
	var data []byte
	var err error
	switch cmd {
	case cmdRead:
		if n > maxRequest {
			return fmt.Errorf("request of %d bytes", n)
		}
		data = t.space(n)
		err = t.d.ReadAt(data, off)
	case cmdWrite:
		if n > maxRequest {
			return fmt.Errorf("request of %d bytes", n)
		}
		b := t.space(n)
		if _, err := io.ReadFull(t.r, b); err != nil {
			return err
		}
		err = t.d.WriteAt(b, off, fua)
	case cmdFlush:
		err = t.d.Flush()
	case cmdTrim, cmdWriteZeroes:
		err = t.d.Zero(off, int64(n), fua)
	case cmdDisc:
		return errDone
	default:
		err = ErrRange
	}
	code := uint32(0)
	switch {
	case err == nil:
	case errors.Is(err, ErrCut):
		return err
	case errors.Is(err, ErrRange):
		code = errInval
	default:
		code = errIO
	}
	a := be.AppendUint32(make([]byte, 0, 16), magicAnswer)
	a = be.AppendUint32(a, code)
	a = append(a, h[8:16]...)
	t.w.Write(a)
	if code == 0 && data != nil {
		t.w.Write(data)
	}
	if t.r.Buffered() > 0 {
		return nil // more to answer: send together
	}
	return t.w.Flush()
}
