package lab

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// tapNetwork is a Linux bridge in a network namespace without a name, which only one thread of this process is in. It
// ends with the process, and two labs do not see each other. QEMU stays outside and gets the open tap device.
type tapNetwork struct {
	work chan func() // run by the thread inside
}

func newTapNetwork() (*tapNetwork, error) {
	n := &tapNetwork{work: make(chan func())}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread, and with it the namespace, ends with this goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		ready <- err
		if err != nil {
			return
		}
		for f := range n.work {
			f()
		}
	}()
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("make network namespace: %w", err)
	}
	err := n.inside(func() error {
		for _, s := range []string{
			"link set lo up", "link add br0 type bridge stp_state 0 forward_delay 0", "addr add 10.77.0.254/24 dev br0", "link set br0 up",
		} {
			if err := tool("", "ip", strings.Fields(s)...); err != nil {
				return err
			}
		}
		f, _, err := openTap("probe")
		if err == nil {
			f.Close()
		}
		return err
	})
	if err == nil {
		err = n.cut(nil)
	}
	if err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// inside runs f on the thread in the namespace; programs that f starts are in it too.
func (n *tapNetwork) inside(f func() error) error {
	done := make(chan error)
	n.work <- func() { done <- f() }
	return <-done
}

func tool(stdin, name string, args ...string) error {
	c := exec.Command(name, args...)
	c.Stdin = strings.NewReader(stdin)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("run %s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

func (n *tapNetwork) kind() string { return "tap" }
func (n *tapNetwork) mtu() int     { return 1500 }
func (n *tapNetwork) close() error { close(n.work); return nil }

func (n *tapNetwork) attach(id int) (string, *os.File, error) {
	var file *os.File
	err := n.inside(func() error {
		f, name, err := openTap(fmt.Sprintf("tap%d", id))
		if err != nil {
			return err
		}
		if err := tool("", "ip", "link", "set", name, "master", "br0", "up"); err != nil {
			f.Close()
			return err
		}
		file = f
		return nil
	})
	return "tap,id=data,fd=%d", file, err
}

// openTap makes a tap device in the namespace of the calling thread.
func openTap(name string) (*os.File, string, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, "", fmt.Errorf("open /dev/net/tun: %w", err)
	}
	r, err := unix.NewIfreq(name)
	if err == nil {
		r.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, r)
	}
	if err != nil {
		unix.Close(fd)
		return nil, "", fmt.Errorf("make tap device: %w", err)
	}
	return os.NewFile(uintptr(fd), name), name, nil
}

func (n *tapNetwork) cut(pairs [][2]int) error {
	rules := cutRules(pairs)
	return n.inside(func() error { return tool(rules, "nft", "-f", "-") })
}

// cutRules replaces all that was cut before.
func cutRules(pairs [][2]int) string {
	var b strings.Builder
	b.WriteString("table bridge lab\ndelete table bridge lab\ntable bridge lab {\n chain cuts {\n  type filter hook forward priority 0; policy accept;\n")
	for _, p := range pairs {
		fmt.Fprintf(&b, "  iifname tap%d oifname tap%d drop\n  iifname tap%d oifname tap%d drop\n", p[0], p[1], p[1], p[0])
	}
	b.WriteString(" }\n}\n")
	return b.String()
}
