// Demo shows Holdfast on virtual machines with the real kernel, LVM and DRBD. The first act, on two: the tutorial, an upgrade
// pause of the controller under load, a change while a node is off, a power cut with failover, and a removal that leaves
// nothing. The second act, on three with thin pools: snapshot, rollback, clone, growth, encryption, evacuation. -act plays one.
// Its exit status tells whether all of it held.
package main

import (
	"context"
	"errors"
	"flag"
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
	act := flag.Int("act", 0, "play only the first act, or the second")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	ctx, stop := context.WithTimeout(ctx, 40*time.Minute)
	defer stop()
	if err := run(ctx, *act); err != nil {
		fmt.Fprintf(os.Stderr, "\n%s\n%v\n", red("The demo failed:"), err)
		os.Exit(1)
	}
}

func run(ctx context.Context, act int) (err error) {
	d := &demo{start: time.Now()}
	machines, who := 2, "alpha and bravo"
	if act != 1 {
		machines, who = 3, "alpha, bravo and charlie"
	}
	d.title([]string{"", "", "Two machines", "Three machines"}[machines])
	d.say("Building Holdfast, booting %s (QEMU, Debian's own kernel; the first time the image is made, which takes a minute).", who)
	d.Cluster, err = cluster.Up(ctx, cluster.Config{Lab: lab.Config{Machines: machines, Log: os.Stdout}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if out, err := d.Machine("alpha").Sh(ctx, "uname -r; sed -n 's/^version: \\([^ ]*\\).*/\\1/p' /proc/drbd"); err == nil {
		v := strings.Fields(out)
		if len(v) == 2 {
			d.say("All run kernel %s with DRBD %s. On each: Holdfast's satellite, and the volume group %s on a disk of its own. The controller is on alpha.", v[0], v[1], cluster.VG)
		}
	}
	var scenes []func(context.Context) error
	if act != 2 {
		scenes = append(scenes, d.tutorial, d.files, d.controllerAway, d.changeWhileAway, d.powerCut, d.removal)
	}
	if act != 1 {
		scenes = append(scenes, d.thin, d.rollback, d.clone, d.grow, d.encrypt, d.evacuate, d.end)
	}
	for _, scene := range scenes {
		if err := scene(ctx); err != nil {
			d.logs()
			return err
		}
	}
	d.summary()
	return nil
}
