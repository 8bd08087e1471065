package lab

import (
	"fmt"
	"io"
	"os"
)

// network is the data network: a switch with a port per machine.
type network interface {
	kind() string
	mtu() int // bytes
	// attach plugs a machine in: what to say after -netdev, with %d for the number of the file that QEMU inherits.
	attach(id int) (netdev string, file *os.File, err error)
	// cut drops every frame between these pairs of machines, both ways, and no others.
	cut(pairs [][2]int) error
	close() error
}

// newNetwork makes the wanted kind, or the best one that this machine permits.
func newNetwork(kind string, log io.Writer) (network, error) {
	switch kind {
	case "tap":
		return newTapNetwork()
	case "dgram":
		return newDgramNetwork(), nil
	case "":
		n, err := newTapNetwork()
		if err == nil {
			return n, nil
		}
		fmt.Fprintf(log, "lab: no bridge here (%v), using the slower switch\n", err)
		return newDgramNetwork(), nil
	}
	return nil, fmt.Errorf("make network: unknown kind %q; tap and dgram are known", kind)
}

// dataMAC is the hardware address of a machine's data0.
func dataMAC(id int) string { return fmt.Sprintf("52:54:00:d0:00:%02x", id) }

// controlMAC is the hardware address of a machine's ctl0.
func controlMAC(id int) string { return fmt.Sprintf("52:54:00:c0:00:%02x", id) }
