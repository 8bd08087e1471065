package nbd

import (
	"bytes"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func serve(t *testing.T, d *Disk) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", socket)
	must(t, err)
	s := Serve(ln, d)
	t.Cleanup(func() { s.Close() })
	return socket
}

// client speaks the protocol as far as the tests need it.
type client struct {
	t *testing.T
	net.Conn
	size  uint64
	flags uint16
}

func (c *client) recv(n int) []byte {
	c.t.Helper()
	b := make([]byte, n)
	_, err := io.ReadFull(c, b)
	must(c.t, err)
	return b
}

func (c *client) option(opt uint32, data []byte) {
	c.t.Helper()
	b := be.AppendUint64(nil, magicOption)
	b = be.AppendUint32(b, opt)
	b = be.AppendUint32(b, uint32(len(data)))
	_, err := c.Write(append(b, data...))
	must(c.t, err)
}

func (c *client) reply(opt uint32) (kind uint32, data []byte) {
	c.t.Helper()
	h := c.recv(20)
	if be.Uint64(h) != magicReply || be.Uint32(h[8:]) != opt {
		c.t.Fatalf("reply % x", h)
	}
	return be.Uint32(h[12:]), c.recv(int(be.Uint32(h[16:])))
}

func dial(t *testing.T, socket string) *client {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	c := &client{t: t, Conn: conn}
	if h := c.recv(18); be.Uint64(h) != magicServer || be.Uint64(h[8:]) != magicOption || be.Uint16(h[16:]) != 3 {
		t.Fatalf("hello % x", h)
	}
	_, err = conn.Write([]byte{0, 0, 0, 3})
	must(t, err)
	return c
}

func (c *client) start() *client {
	c.t.Helper()
	c.option(optGo, []byte{0, 0, 0, 0, 0, 0})
	for {
		kind, data := c.reply(optGo)
		if kind == repAck {
			return c
		}
		if be.Uint16(data) == infoExport {
			c.size, c.flags = be.Uint64(data[2:]), be.Uint16(data[10:])
		}
	}
}

func (c *client) send(cmd, flags uint16, handle uint64, off, n int, data []byte) {
	c.t.Helper()
	b := be.AppendUint32(nil, magicReq)
	b = be.AppendUint16(b, flags)
	b = be.AppendUint16(b, cmd)
	b = be.AppendUint64(b, handle)
	b = be.AppendUint64(b, uint64(off))
	b = be.AppendUint32(b, uint32(n))
	_, err := c.Write(append(b, data...))
	must(c.t, err)
}

func (c *client) answer(handle uint64, code uint32, n int) []byte {
	c.t.Helper()
	h := c.recv(16)
	if be.Uint32(h) != magicAnswer || be.Uint32(h[4:]) != code || be.Uint64(h[8:]) != handle {
		c.t.Fatalf("answer % x, want code %d handle %d", h, code, handle)
	}
	return c.recv(n)
}

func TestProtocol(t *testing.T) {
	d := open(t, Config{Size: 1 << 20})
	c := dial(t, serve(t, d))
	c.option(99, []byte("x"))
	if kind, _ := c.reply(99); kind != repErrUnsup {
		t.Errorf("unknown option: %x", kind)
	}
	c.option(optList, nil)
	if kind, data := c.reply(optList); kind != repServer || len(data) != 4 {
		t.Errorf("list: %x %x", kind, data)
	}
	c.reply(optList)
	c.start()
	if c.size != 1<<20 || c.flags != txFlags {
		t.Errorf("size %d flags %x", c.size, c.flags)
	}
	c.send(cmdWrite, 0, 1, 4096, 1024, sectors(2, 8)) // sent together, answered in order
	c.send(cmdRead, 0, 2, 4096, 512, nil)
	c.send(cmdRead, 0, 3, 1<<20, 512, nil)
	c.send(cmdTrim, 0, 4, 4096, 512, nil)
	c.send(cmdWriteZeroes, cmdFlagFUA, 5, 8192, 512, nil)
	c.send(cmdFlush, 0, 6, 0, 0, nil)
	c.send(77, 0, 7, 0, 0, nil)
	c.send(cmdRead, 0, 8, 4096, 1024, nil)
	c.answer(1, 0, 0)
	if !bytes.Equal(c.answer(2, 0, 512), sectors(1, 8)) {
		t.Error("read something else")
	}
	c.answer(3, errInval, 0)
	c.answer(4, 0, 0)
	c.answer(5, 0, 0)
	c.answer(6, 0, 0)
	c.answer(7, errInval, 0)
	if !bytes.Equal(c.answer(8, 0, 1024), append(make([]byte, 512), sectors(1, 8)...)) {
		t.Error("trim or write is lost")
	}
	if s := d.Stats(); s.Flushes != 1 || s.FUAs != 1 || s.Unflushed != 0 {
		t.Errorf("%+v", s)
	}
	c.send(cmdDisc, 0, 9, 0, 0, nil)
	if n, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Error("not hung up", n, err)
	}
}

func TestNoPowerIsSilence(t *testing.T) {
	d := open(t, Config{Size: 1 << 20})
	c := dial(t, serve(t, d)).start()
	d.Off()
	c.send(cmdWrite, 0, 1, 0, 512, sectors(1, 1))
	if n, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Error("answered without power", n, err)
	}
}

func TestAbortAndOldNames(t *testing.T) {
	d := open(t, Config{Size: 1 << 20})
	socket := serve(t, d)
	c := dial(t, socket)
	c.option(optAbort, nil)
	if kind, _ := c.reply(optAbort); kind != repAck {
		t.Error(kind)
	}
	c = dial(t, socket)
	c.option(optExportName, []byte("any"))
	if b := c.recv(10); be.Uint64(b) != 1<<20 {
		t.Errorf("% x", b)
	}
	c.send(cmdFlush, 0, 4, 0, 0, nil)
	c.answer(4, 0, 0)
}

// TestQEMU lets QEMU's own client have a go.
func TestQEMU(t *testing.T) {
	if _, err := exec.LookPath("qemu-io"); err != nil {
		t.Skip("qemu-io is not installed (package qemu-utils)")
	}
	d := open(t, Config{Size: 8 << 20})
	url := "nbd+unix:///?socket=" + serve(t, d)
	qemu := func(cmds ...string) string {
		t.Helper()
		argv := []string{"-f", "raw", "-t", "writeback", "-d", "unmap"}
		for _, c := range cmds {
			argv = append(argv, "-c", c)
		}
		out, err := exec.Command("qemu-io", append(argv, url)...).CombinedOutput()
		if err != nil || strings.Contains(string(out), "rror") || strings.Contains(string(out), "ailed") {
			t.Fatalf("qemu-io %q: %v %s", cmds, err, out)
		}
		return string(out)
	}
	qemu("write -P 17 0 2M", "write -P 34 2M 64k", "discard 1M 512k", "write -z 4k 4k", "flush", "read -P 17 0 4k", "read -P 0 4k 4k", "read -P 0 1M 512k", "read -P 34 2M 64k")
	qemu("write -f -P 51 3M 4k", "read -P 51 3M 4k")
	if s := d.Stats(); s.Flushes == 0 || s.FUAs == 0 || s.Zeroed < 512<<10 {
		t.Errorf("%+v", s)
	}
	d.Off()
	must(t, d.Lose(0))
	d.On()
	qemu("read -P 17 0 4k", "read -P 0 1M 512k", "read -P 51 3M 4k")
}
