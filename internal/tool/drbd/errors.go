package drbd

import (
	"errors"
	"regexp"
	"strings"

	"holdfast/internal/tool/run"
)

// What the texts of drbd-utils and the kernel mean.
var (
	// ErrNoModule: the kernel has no DRBD.
	ErrNoModule = errors.New("no DRBD module")
	// ErrParse: drbdadm doesn't understand the file.
	ErrParse = errors.New("configuration not understood by drbdadm")
	// ErrNoFile: the configuration file isn't there.
	ErrNoFile = errors.New("no such configuration file")
	// ErrUnknownResource: not in the file for this host, or not in the kernel.
	ErrUnknownResource = errors.New("unknown resource")
	// ErrNoMetadata: the backing device holds no metadata of the wanted format.
	ErrNoMetadata = errors.New("no DRBD metadata")
	// ErrHasMetadata: create-md without force met something.
	ErrHasMetadata = errors.New("device holds data or DRBD metadata")
	// ErrHasData: create-md met a file system that its metadata would overwrite.
	ErrHasData = errors.New("device holds a file system")
	// ErrPortInUse: another connection has the local address and port; on 8.4
	// also a connect of what is connecting already.
	ErrPortInUse = errors.New("address and port in use")
	// ErrNotConnected: 8.4, disconnect of what is StandAlone already.
	ErrNotConnected = errors.New("no such connection")
	// ErrConnectionThere: 9, forget-peer of a node-id to which there is a connection still.
	ErrConnectionThere = errors.New("a connection to that peer is configured")
	// ErrNoDevice: the backing device isn't there.
	ErrNoDevice = errors.New("no such backing device")
	// ErrAttached: the metadata can't be touched, DRBD or another holds the device.
	ErrAttached = errors.New("backing device is attached or busy")
	// ErrInUse: somebody has the DRBD device open (mounted, a virtual machine ...).
	ErrInUse = errors.New("device is held open")
	// ErrNeedUpToDate: the step needs an UpToDate disk within reach.
	ErrNeedUpToDate = errors.New("needs an UpToDate disk")
	// ErrOtherPrimary: a connected peer is Primary.
	ErrOtherPrimary = errors.New("another node is Primary")
	// ErrNeedPrimary: 8.4 resizes only while one node is Primary.
	ErrNeedPrimary = errors.New("needs a Primary")
	// ErrWrongState: new-current-uuid --clear-bitmap, and the volume isn't
	// connected and Inconsistent on both sides (any more).
	ErrWrongState = errors.New("not allowed in this state")
	// ErrTransient: a connection is being made or a bitmap exchanged; the same passes in a moment.
	ErrTransient = errors.New("DRBD is in the midst of a change of state")
	// ErrNoPeer: 8.4, and the file names no second host.
	ErrNoPeer = errors.New("no peer in the configuration")
	// ErrAlreadyExists: up of what is up; adjust is the step for that.
	ErrAlreadyExists = errors.New("already configured")
	// ErrBadName: an argument that can't be put on a command line or in a
	// file. Nothing was run.
	ErrBadName = errors.New("not usable for DRBD")
	// ErrUnsupported: the generation can't do it. Nothing was run.
	ErrUnsupported = errors.New("not supported by this DRBD generation")
)

// patterns in order of trial. Numbers in brackets are the kernel's codes
// (drbd.h, drbd_limits.h: enum drbd_ret_code, enum drbd_state_rv), the same in
// 8.4 and 9; texts from drbd-utils 9.22.0. Seen in the lab unless it says
// "documented".
var patterns = []struct {
	re   *regexp.Regexp
	kind error
}{
	{regexp.MustCompile(`(?m)^modprobe: FATAL: Module drbd not found`), ErrNoModule},
	{regexp.MustCompile(`(?m)^Could not stat /proc/drbd`), ErrNoModule},
	{regexp.MustCompile(`(?m)^\S*:[0-9]+: Parse error: `), ErrParse},
	{regexp.MustCompile(`(?m)^Can not open '.*'\.$`), ErrNoFile},
	{regexp.MustCompile(`(?m)^'.*' not defined in your config \(for this host\)\.$`), ErrUnknownResource},
	{regexp.MustCompile(`(?m): No such resource$`), ErrUnknownResource},
	{regexp.MustCompile(`: Failure: \(127\) `), ErrUnknownResource}, // Device minor not allocated
	{regexp.MustCompile(`: Failure: \(158\) `), ErrUnknownResource}, // documented, 9: Unknown resource
	{regexp.MustCompile(`(?m)^No valid meta data found$`), ErrNoMetadata},
	{regexp.MustCompile(`(?m)^open\(.*\) failed: No such (file or directory|device)`), ErrNoDevice},
	{regexp.MustCompile(`(?m)^open\(.*\) failed: Device or resource busy$`), ErrAttached},
	{regexp.MustCompile(`(?m)^Device '[0-9]+' is configured!$`), ErrAlreadyExists},
	{regexp.MustCompile(`: Failure: \((124|161)\) `), ErrAlreadyExists}, // documented: disk attached already; minor exists
	{regexp.MustCompile(`: Failure: \(102\) `), ErrPortInUse},
	{regexp.MustCompile(`: Failure: \(162\) [^\n]*\n(?:additional info from kernel:\n)?unknown connection`), ErrNotConnected},
	{regexp.MustCompile(`: Failure: \(125\) `), ErrConnectionThere}, // documented: Device has a net-config (use disconnect first)
	{regexp.MustCompile(`: Failure: \(131\) `), ErrNeedPrimary},
	{regexp.MustCompile(`: State change failed: \(-12\) `), ErrInUse},
	{regexp.MustCompile(`: State change failed: \(-1\) `), ErrOtherPrimary},
	{regexp.MustCompile(`: State change failed: \(-2\) `), ErrNeedUpToDate},
	{regexp.MustCompile(`: State change failed: \(-18\) `), ErrTransient}, // "In transient state, retry after next state change"
	{regexp.MustCompile(`: Failure: \(151\) `), ErrWrongState},            // "Need to be StandAlone"
	{regexp.MustCompile(`(?m)^resource .*: cannot configure network without knowing my peer\.$`), ErrNoPeer},
	{regexp.MustCompile(`(?m)^stdin not a TTY, not waiting for confirmation$`), ErrHasMetadata},
}

func classify(r run.Result) error {
	if r.Exit == 40 && strings.Contains(string(r.Stdout), "\nOperation refused.\n") { // drbdmeta create-md
		return ErrHasData
	}
	for _, p := range patterns {
		if p.re.Match(r.Stderr) {
			return p.kind
		}
	}
	return nil
}

func isMissing(err error) bool { return errors.Is(err, run.ErrNotFound) }
