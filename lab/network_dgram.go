package lab

import (
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// dgramNetwork is a switch in this process: each machine's QEMU has one end of a pair of datagram sockets. It needs no
// rights at all, and is slower.
type dgramNetwork struct {
	mu    sync.RWMutex
	ports map[int]*net.UnixConn
	cuts  map[[2]int]bool
	wg    sync.WaitGroup
}

func newDgramNetwork() *dgramNetwork { return &dgramNetwork{ports: map[int]*net.UnixConn{}} }

func (n *dgramNetwork) kind() string { return "dgram" }

// mtu: the fewer frames the better, since each passes through this process.
func (n *dgramNetwork) mtu() int { return 60000 }

func (n *dgramNetwork) attach(id int) (string, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", nil, fmt.Errorf("make socket pair: %w", err)
	}
	theirs, ours := os.NewFile(uintptr(fds[0]), "data"), os.NewFile(uintptr(fds[1]), "switch")
	defer ours.Close()
	c, err := net.FileConn(ours)
	if err != nil {
		theirs.Close()
		return "", nil, fmt.Errorf("make socket pair: %w", err)
	}
	port := c.(*net.UnixConn)
	for _, f := range []func(int) error{port.SetReadBuffer, port.SetWriteBuffer} {
		if err := f(4 << 20); err != nil {
			theirs.Close()
			port.Close()
			return "", nil, fmt.Errorf("make socket pair: %w", err)
		}
	}
	n.mu.Lock()
	if old := n.ports[id]; old != nil {
		old.Close()
	}
	n.ports[id] = port
	n.mu.Unlock()
	n.wg.Go(func() { n.forward(id, port) })
	return "dgram,id=data,local.type=fd,local.str=%d", theirs, nil
}

// patience is how long a frame waits for a machine that does not take it.
const patience = 50 * time.Millisecond

func (n *dgramNetwork) forward(id int, from *net.UnixConn) {
	frame := make([]byte, 1<<17)
	for {
		l, err := from.Read(frame)
		if err != nil {
			return
		}
		if l < 14 {
			continue
		}
		for _, to := range n.route(id, frame[:l]) {
			to.SetWriteDeadline(time.Now().Add(patience))
			to.Write(frame[:l]) // a machine that is off or slow loses it, as on a real network
		}
	}
}

// route tells where a frame goes: the last byte of a machine's hardware address is its id.
func (n *dgramNetwork) route(from int, frame []byte) (to []*net.UnixConn) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if id := int(frame[5]); frame[0]&1 == 0 {
		if c := n.ports[id]; c != nil && id != from && !n.cuts[pair(from, id)] {
			to = append(to, c)
		}
		return to
	}
	for id, c := range n.ports {
		if id != from && !n.cuts[pair(from, id)] {
			to = append(to, c)
		}
	}
	return to
}

func (n *dgramNetwork) cut(pairs [][2]int) error {
	m := map[[2]int]bool{}
	for _, p := range pairs {
		m[pair(p[0], p[1])] = true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cuts = m
	return nil
}

func (n *dgramNetwork) close() error {
	n.mu.Lock()
	for _, c := range n.ports {
		c.Close()
	}
	n.mu.Unlock()
	n.wg.Wait()
	return nil
}

// pair is the two ids in order.
func pair(a, b int) [2]int { return [2]int{min(a, b), max(a, b)} }
