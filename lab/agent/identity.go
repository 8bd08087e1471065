package main

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"unsafe"

	"holdfast/lab/agentapi"
)

func serveIdentity(w http.ResponseWriter, r *http.Request) {
	q, ok := decode[agentapi.Identity](w, r)
	if !ok {
		return
	}
	if err := become(q); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	reply(w, q)
}

// become sets clock, randomness, host name and data address of a copy.
func become(q agentapi.Identity) error {
	tv := syscall.NsecToTimeval(q.UnixNano)
	if err := syscall.Settimeofday(&tv); err != nil {
		return fmt.Errorf("set clock: %w", err)
	}
	if err := reseed(q.Seed); err != nil {
		return fmt.Errorf("seed randomness: %w", err)
	}
	if err := syscall.Sethostname([]byte(q.Name)); err != nil {
		return fmt.Errorf("set host name: %w", err)
	}
	c := exec.Command("ip", "-batch", "-") // one program: each takes its time under emulation
	c.Stdin = strings.NewReader(fmt.Sprintf("link set data0 down\nlink set data0 address %s\naddr flush dev data0\n"+
		"addr add %s brd + dev data0\nlink set data0 up\n", q.MAC, q.Address))
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("set data address: %w: %s", err, out)
	}
	return nil
}

// Requests of random(4).
const (
	rndAddEntropy = 0x40085203
	rndReseedCRNG = 0x5207
)

// reseed mixes seed into the kernel's pool and makes it count at once.
func reseed(seed []byte) error {
	f, err := os.OpenFile("/dev/urandom", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info := make([]byte, 8+len(seed)) // struct rand_pool_info: bits, bytes, data
	binary.NativeEndian.PutUint32(info, uint32(len(seed)*8))
	binary.NativeEndian.PutUint32(info[4:], uint32(len(seed)))
	copy(info[8:], seed)
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), rndAddEntropy, uintptr(unsafe.Pointer(&info[0]))); e != 0 {
		return e
	}
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), rndReseedCRNG, 0); e != 0 {
		return e
	}
	return nil
}
