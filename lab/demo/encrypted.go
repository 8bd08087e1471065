package main

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"time"

	"holdfast/lab/cluster"
)

const secret = "the launch code is 0000"

// encrypt makes a volume whose disks hold nothing in plain text, and lets a machine come back without the passphrase.
func (d *demo) encrypt(ctx context.Context) error {
	d.title("An encrypted volume")
	for _, line := range []string{
		"encryption create-passphrase -p sesame",
		"resource-definition create vault --layer-list drbd,luks,storage",
		"resource-definition drbd-options vault" + options,
		"volume-definition create vault 64M",
		"resource create alpha bravo vault -s thin",
	} {
		if err := d.linstor(ctx, line); err != nil {
			return err
		}
	}
	if err := d.good(ctx, "vault", 2); err != nil {
		return err
	}
	dev, lv := d.path(ctx, "vault"), "/dev/"+cluster.VG+"/vault_00000"
	if err := d.lines(ctx, "alpha",
		"drbdadm primary vault",
		"mkfs.ext4 -q -E nodiscard "+dev,
		"mkdir -p "+vault+" && mount "+dev+" "+vault,
		"echo '"+secret+"' >"+vault+"/note && sync"); err != nil {
		return err
	}
	d.say("How often do these words lie on the volume, and how often on the disks beneath it?")
	if err := d.count(ctx, "alpha", dev, true); err != nil {
		return err
	}
	for _, node := range []string{"alpha", "bravo"} {
		if err := d.count(ctx, node, lv, false); err != nil {
			return err
		}
	}
	d.shown("what is written to the encrypted volume is not on the disk of either machine")
	return d.locked(ctx)
}

// count shows how often the secret is on a device, and wants it there or not.
func (d *demo) count(ctx context.Context, node, dev string, want bool) error {
	out, err := d.on(ctx, node, "grep -a -o '"+secret+"' "+dev+" | wc -l")
	if err != nil {
		return err
	}
	if got := strings.TrimSpace(out) != "0"; got != want {
		return fmt.Errorf("the secret is on %s of %s: %v", dev, node, got)
	}
	return nil
}

// locked starts the controller and bravo anew: nobody has typed the passphrase then.
func (d *demo) locked(ctx context.Context) error {
	d.say("\nThe controller is started anew, and bravo's power is cut.")
	if err := d.Machine("bravo").Kill(); err != nil {
		return err
	}
	if err := d.StopController(ctx, syscall.SIGTERM); err != nil {
		return err
	}
	if err := d.StartController(ctx); err != nil {
		return err
	}
	if err := d.PowerOn(ctx, "bravo"); err != nil {
		return err
	}
	if err := d.linstor(ctx, "encryption status"); err != nil {
		return err
	}
	if err := d.good(ctx, "data", 2); err != nil { // comes up without a passphrase
		return err
	}
	if err := cluster.Wait(ctx, time.Minute, "bravo waits for the key", func() (bool, string) {
		out, err := d.Command(ctx, "resource", "list", "-r", "vault").CombinedOutput()
		return err == nil && strings.Contains(string(out), "waits for its key"), string(out)
	}); err != nil {
		return err
	}
	if err := d.lines(ctx, "alpha", "cat "+vault+"/note"); err != nil {
		return err
	}
	for _, line := range []string{"resource list", "encryption enter-passphrase -p sesame"} {
		if err := d.linstor(ctx, line); err != nil {
			return err
		}
	}
	if err := d.good(ctx, "vault", 2); err != nil {
		return err
	}
	if err := d.lines(ctx, "alpha", "umount "+vault); err != nil {
		return err
	}
	if err := d.unused(ctx, "alpha", "vault"); err != nil {
		return err
	}
	if err := d.lines(ctx, "bravo", "drbdadm primary vault", "mkdir -p "+vault+" && mount "+d.path(ctx, "vault")+" "+vault); err != nil {
		return err
	}
	if out, err := d.on(ctx, "bravo", "cat "+vault+"/note"); err != nil || strings.TrimSpace(out) != secret {
		return fmt.Errorf("the secret on bravo is %q: %w", out, err)
	}
	if err := d.lines(ctx, "bravo", "umount "+vault); err != nil {
		return err
	}
	if err := d.unused(ctx, "bravo", "vault"); err != nil {
		return err
	}
	d.shown("bravo opened its encrypted disk only after the passphrase was typed; alpha went on meanwhile, and unencrypted volumes came up alone")
	return nil
}
