package machine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"holdfast/internal/tool/drbd"
)

func (x *call) drbdsetup() {
	now, _ := x.take("--now"), x.take("--statistics")
	x.take("--verbose")
	assume, forced := x.take("--assume-peer-has-space"), x.take("--force-resync")
	if !x.load() {
		return
	}
	if len(x.argv) == 0 {
		x.fail(20, "drbdsetup: command missing")
		return
	}
	cmd, args := x.argv[0], x.argv[1:]
	m := x.m
	need := map[string]int{"down": 1, "suspend-io": 1, "resume-io": 1, "resize": 1, "new-current-uuid": 1, "del-peer": 2, "forget-peer": 2, "events2": 0}
	if n, ok := need[cmd]; !ok || n != len(args) {
		x.fail(20, "drbdsetup: the model doesn't know: %s", strings.Join(x.argv, " "))
		return
	}
	switch cmd {
	case "events2":
		if !now {
			x.fail(20, "drbdsetup: events2 without --now is a stream")
			return
		}
		for _, o := range m.objects(true) {
			x.out.WriteString(o.line("exists") + "\n")
		}
		x.out.WriteString("exists -\n")
	case "down":
		if r := m.kernel[args[0]]; r != nil {
			m.stop(x, r)
		}
	case "suspend-io", "resume-io", "resize", "new-current-uuid":
		v, r := m.minor(args[0])
		if v == nil {
			x.fail(10, "%s: Failure: (127) Device minor not allocated\nadditional info from kernel:\nunknown minor", args[0])
			return
		}
		switch {
		case r.stuck:
			x.hung = true
		case cmd == "resize":
			x.resize(r, v, assume)
		case cmd == "new-current-uuid":
			x.forceSync(r, v, forced)
		default:
			x.freeze(r, v, cmd == "suspend-io")
		}
	case "del-peer", "forget-peer":
		r := m.kernel[args[0]]
		id, err := strconv.Atoi(args[1])
		if r == nil || err != nil || generation(m.loaded) == drbd.Gen8 {
			x.fail(10, "%s: Failure: (158) Unknown resource", args[0])
			return
		}
		i := slices.IndexFunc(r.conns, func(c *conn) bool { return c.peerID == id })
		if cmd == "del-peer" {
			if i < 0 {
				x.fail(10, "%s: Failure: (162) Invalid configuration request\nunknown connection", args[0])
				return
			}
			if why := m.net.part(m, r, r.conns[i]); why != "" {
				x.fail(11, "%s: State change failed: (-10) %s", args[0], why)
				return
			}
			r.conns = slices.Delete(r.conns, i, i+1)
			m.effect("del-peer %s %d", r.name, id)
			return
		}
		if i >= 0 {
			x.fail(10, "%s: Failure: (125) Device has a net-config (use disconnect first)", args[0])
			return
		}
		for _, v := range r.vols {
			if v.disk != nil {
				delete(v.disk.md.slots, id)
			}
		}
		m.effect("forget-peer %s %d", r.name, id)
	}
}

// freeze suspends or resumes I/O. 8.4 hangs for ever where there's no disk.
func (x *call) freeze(r *resource, v *volume, on bool) {
	switch {
	case on && r.gen == drbd.Gen8 && v.disk == nil && !r.frozen:
		r.stuck, x.hung = true, true
	case on && !r.frozen:
		if r.frozen = true; !r.underWay { // else the standstill before isn't over
			x.m.net.standstills++
			r.standstill = x.m.net.standstills
		}
		// Whether a user was just writing: one in two.
		r.underWay = r.gen == drbd.Gen8 && r.role == "Primary" && (r.underWay || x.m.net.writes%2 == 1)
		x.m.effect("suspend-io %s", r.name)
	case !on && r.frozen:
		r.frozen = false
		r.unanswered()
		x.m.effect("resume-io %s", r.name)
	}
}

func (x *call) drbdmeta() {
	force := x.take("--force")
	if len(x.argv) < 5 || x.argv[3] != "internal" {
		x.fail(20, "drbdmeta: USAGE: drbdmeta MINOR FORMAT DEVICE internal COMMAND")
		return
	}
	minor, format, dev, cmd := x.argv[0], drbd.Format(x.argv[1]), x.argv[2], x.argv[4]
	d := x.m.device(dev)
	if d == nil {
		x.fail(20, "open(%s) failed: No such file or directory", dev)
		return
	}
	if v, _ := x.m.minor(minor); v != nil && v.disk != nil && cmd == "create-md" {
		x.fail(20, "Device '%s' is configured!", minor)
		return
	}
	if d.holder != "" {
		x.fail(20, "open(%s) failed: Device or resource busy\n\nExclusive open failed. Do it anyways?\nstdin not a TTY, not waiting for confirmation", dev)
		return
	}
	if v, _ := x.m.minor(minor); v != nil && v.disk != nil {
		x.fail(20, "Device '%s' is configured!", minor)
		return
	}
	has := d.md != nil && d.md.format == format
	switch cmd {
	case "dump-md":
		switch {
		case !has:
			x.fail(1, "No valid meta data found")
		case d.md.unclean:
			x.fail(1, `Found meta data is "unclean", please apply-al first`)
		default:
			x.dump(d.md)
		}
	case "wipe-md":
		if !has {
			x.fail(1, "No valid meta data found")
			return
		}
		if !force {
			x.fail(1, "\nDo you really want to wipe out the DRBD meta data?\nstdin not a TTY, not waiting for confirmation")
			return
		}
		d.md = nil
		x.m.effect("wipe-md %s", dev)
		x.out.WriteString("Wiping meta data...\nDRBD meta data block successfully wiped out.\n")
	case "create-md":
		peers := 1
		if format == drbd.V09 {
			if len(x.argv) < 6 {
				x.fail(20, "USAGE: drbdmeta MINOR v09 ... create-md MAX_PEERS\n\n  MAX_PEERS argument missing")
				return
			}
			peers, _ = strconv.Atoi(x.argv[5])
		}
		if d.fs {
			x.exit = 40
			x.out.WriteString("Found ext3 filesystem\n\nDevice size would be truncated, which\nwould corrupt data and result in\n'access beyond end of device' errors.\nOperation refused.\n\n")
			return
		}
		if d.md != nil && !force {
			x.fail(1, "There appears to be a %s flexible-size internal meta data block\nalready in place on %s\n\nDo you really want to overwrite the existing meta-data?\nstdin not a TTY, not waiting for confirmation", d.md.format, dev)
			return
		}
		if len(d.blocks) > 0 && !force {
			x.exit = 1
			x.out.WriteString("\nFound some data\n\n ==> This might destroy existing data! <==\nOperation canceled.\n")
			x.err.WriteString("\nDo you want to proceed?\nstdin not a TTY, not waiting for confirmation\n")
			return
		}
		if d.md != nil && d.md.format != format { // converts, and keeps the generation
			old := *d.md
			old.format, old.maxPeers, old.nodeID = format, 1, -1
			d.md = &old
			x.out.WriteString("Warning: setting max_peers to 1 instead of " + itoa(peers) + "\n\n")
		} else {
			d.md = &metadata{format: format, maxPeers: peers, nodeID: -1, current: justCreated, slots: map[int]*slot{}}
		}
		d.md.atKiB, d.left = d.sizeKiB, nil
		x.m.effect("create-md %s %s", format, dev)
		if n, err := strconv.Atoi(minor); err == nil {
			x.m.notePlace(n, d, dev)
		}
		x.out.WriteString("initializing activity log\nWriting meta data...\nNew drbd meta data block successfully created.\n")
	default:
		x.fail(20, "drbdmeta: the model doesn't know: %s", cmd)
	}
}

func (x *call) dump(md *metadata) {
	fmt.Fprintf(&x.out, "# DRBD meta data dump\n#\n\nversion %q;\n\n", string(md.format))
	if md.format == drbd.V09 {
		fmt.Fprintf(&x.out, "max-peers %d;\n\nnode-id %d;\ncurrent-uuid 0x%016X;\nflags 0x00000080;\n", md.maxPeers, md.nodeID, md.current)
		return
	}
	fmt.Fprintf(&x.out, "uuid {\n    0x%016X; 0x%016X; 0x0000000000000000; 0x0000000000000000;\n    flags 0x00000000;\n}\nla-size-sect 0;\n", md.current, md.slot(0).uuid)
}

func itoa(n int) string { return strconv.Itoa(n) }
