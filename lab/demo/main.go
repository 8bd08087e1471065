// Demo shows Holdfast on two virtual machines with the real kernel, LVM and DRBD: the tutorial, an upgrade pause of the
// controller under load, a change while a node is off, a power cut with failover, and a removal that leaves nothing.
// Its exit status tells whether all of it held.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"holdfast/lab"
	"holdfast/lab/cluster"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	ctx, stop := context.WithTimeout(ctx, 15*time.Minute)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "\n%s\n%v\n", red("The demo failed:"), err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	d := &demo{start: time.Now()}
	d.title("Two machines")
	d.say("Building Holdfast, booting alpha and bravo (QEMU, Debian's own kernel; the first time the image is made, which takes a minute).")
	d.Cluster, err = cluster.Up(ctx, cluster.Config{Lab: lab.Config{Log: os.Stdout}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if out, err := d.Machine("alpha").Sh(ctx, "uname -r; sed -n 's/^version: \\([^ ]*\\).*/\\1/p' /proc/drbd"); err == nil {
		v := strings.Fields(out)
		if len(v) == 2 {
			d.say("Both run kernel %s with DRBD %s. On each: Holdfast's satellite, and the volume group %s on a disk of its own. The controller is on alpha.", v[0], v[1], cluster.VG)
		}
	}
	for _, act := range []func(context.Context) error{d.tutorial, d.files, d.controllerAway, d.changeWhileAway, d.powerCut, d.removal} {
		if err := act(ctx); err != nil {
			d.logs()
			return err
		}
	}
	d.summary()
	return nil
}
