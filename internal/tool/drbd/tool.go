package drbd

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"holdfast/internal/tool/run"
)

// statusTimeout bounds commands that only ask the kernel.
const statusTimeout = 10 * time.Second

// Tool runs drbd-utils.
type Tool struct{ Run run.Runner }

// Target names a resource and the one file that describes it. Every drbdadm
// call reads that file alone, so that another resource's bad file can't stop
// this one.
type Target struct {
	File     string // absolute path
	Resource string
}

func (g Target) volume(n int) string { return g.Resource + "/" + strconv.Itoa(n) }

func (t Tool) adm(ctx context.Context, g Target, what string, args ...string) error {
	if !nameRE.MatchString(g.Resource) || len(g.File) == 0 || g.File[0] != '/' {
		return fmt.Errorf("%s resource %q of file %q: %w", what, g.Resource, g.File, ErrBadName)
	}
	argv := append([]string{"drbdadm", "-c", g.File}, args...)
	if _, err := run.Check(ctx, t.Run, run.Cmd{Argv: argv}, classify); err != nil {
		return fmt.Errorf("%s resource %s: %w", what, g.Resource, err)
	}
	return nil
}

// CheckFile lets drbdadm read the file and do nothing. ErrParse, ErrNoFile. It
// doesn't touch the kernel, so it works without a module, but then with 9's
// dialect.
func (t Tool) CheckFile(ctx context.Context, g Target) error {
	return t.adm(ctx, g, "check file of", "sh-nop")
}

// Up creates, attaches and connects. ErrNoMetadata, ErrNoDevice,
// ErrAlreadyExists. What it could do stays done when it fails: without
// metadata the resource exists, its volume Diskless and the connection
// StandAlone. Adjust does all that Up does and may be repeated.
func (t Tool) Up(ctx context.Context, g Target) error { return t.adm(ctx, g, "up", "up", g.Resource) }

// Adjust brings the kernel to what the file says, from any state, and
// reconnects a StandAlone connection. ErrNoMetadata, ErrNoDevice; see Up.
func (t Tool) Adjust(ctx context.Context, g Target) error {
	return t.adm(ctx, g, "adjust", "adjust", g.Resource)
}

// AdjustPlan gives the commands that Adjust would run, one a line; empty: it
// has nothing to do. (8.4 always lists `drbdsetup-84 ...-options` lines where
// only defaults differ.)
func (t Tool) AdjustPlan(ctx context.Context, g Target) (string, error) {
	r, err := run.Check(ctx, t.Run, run.Cmd{Argv: []string{"drbdadm", "-c", g.File, "-d", "adjust", g.Resource}}, classify)
	if err != nil {
		return "", fmt.Errorf("plan adjust of resource %s: %w", g.Resource, err)
	}
	return string(r.Stdout), nil
}

// Down stops the resource; one that isn't up is no error. It demotes first:
// ErrInUse if the device is open, and then nothing has happened.
func (t Tool) Down(ctx context.Context, g Target) error {
	return t.adm(ctx, g, "stop", "down", g.Resource)
}

// DownByName stops a resource that has no file any more. ErrInUse; one that
// isn't up is no error.
func (t Tool) DownByName(ctx context.Context, resource string) error {
	return t.setup(ctx, resource, "stop", "down", resource)
}

// Primary promotes. force makes an Inconsistent or Outdated disk UpToDate as
// it is, which may lose data: the caller must have permission. ErrNeedUpToDate,
// ErrOtherPrimary, ErrUnknownResource.
func (t Tool) Primary(ctx context.Context, g Target, force bool) error {
	args := []string{"primary"}
	if force {
		args = append(args, "--force")
	}
	return t.adm(ctx, g, "promote", append(args, g.Resource)...)
}

// PrimaryVolume promotes one volume. Only with 8.4, where each volume has a role
// of its own (seen in the lab); the others keep theirs, and their data
// generation. force and errors as for Primary.
func (t Tool) PrimaryVolume(ctx context.Context, g Target, volume int, force bool) error {
	args := []string{"primary"}
	if force {
		args = append(args, "--force")
	}
	return t.adm(ctx, g, "promote a volume of", append(args, g.volume(volume))...)
}

// SecondaryVolume demotes one volume, with 8.4 only. ErrInUse,
// ErrUnknownResource.
func (t Tool) SecondaryVolume(ctx context.Context, g Target, volume int) error {
	return t.adm(ctx, g, "demote a volume of", "secondary", g.volume(volume))
}

// Secondary demotes. ErrInUse, ErrUnknownResource.
func (t Tool) Secondary(ctx context.Context, g Target) error {
	return t.adm(ctx, g, "demote", "secondary", g.Resource)
}

// SkipInitialSync declares a fresh volume equal on all connected nodes: all
// must be connected and Inconsistent, or it fails with ErrWrongState (8.4) and
// has done nothing. Only one node runs it.
func (t Tool) SkipInitialSync(ctx context.Context, g Target, volume int) error {
	return t.adm(ctx, g, "skip first sync of", "new-current-uuid", "--clear-bitmap", g.volume(volume))
}

// ForceSync (9) declares a fresh volume good here, in use or not, and makes it the source for all others, those that connect
// later too. The role and the resource's other volumes stay as they are (drbdsetup(8): new-current-uuid). ErrWrongState if
// its metadata isn't as made while somebody is connected, ErrUnknownResource.
func (t Tool) ForceSync(ctx context.Context, minor int) error {
	return t.setup(ctx, strconv.Itoa(minor), "start first sync of", "new-current-uuid", strconv.Itoa(minor), "--force-resync")
}

// NewGeneration (8.4) gives the volume's data a new name, StandAlone only; the old one moves to the bitmap's place and from there
// to the history. After two of them a peer that has the old data gets all of them at the next handshake (by the kernel's
// source, drbd_adm_new_c_uuid). ErrUnknownResource.
func (t Tool) NewGeneration(ctx context.Context, minor int) error {
	return t.setup(ctx, strconv.Itoa(minor), "rename the data of", "new-current-uuid", strconv.Itoa(minor))
}

// Resize takes over a backing device that has grown, on all nodes.
// ErrUnknownResource, ErrNeedPrimary. Without a connection 8.4 exits 0 and grows
// nothing; ResizeAlone is for a volume that has no peer. Afterwards drbdadm
// notes the device's size as the place of the metadata, on 9 also where a peer
// hasn't grown and nothing was moved: TakeSize leaves the note alone.
func (t Tool) Resize(ctx context.Context, g Target, volume int) error {
	return t.adm(ctx, g, "resize", "resize", g.volume(volume))
}

// TakeSize is Resize without the note (see Place).
func (t Tool) TakeSize(ctx context.Context, minor int) error {
	return t.setup(ctx, strconv.Itoa(minor), "resize", "resize", strconv.Itoa(minor))
}

// ResizeAlone grows a volume without asking peers, of which there must be
// none with a disk. (8.4's drbdadm doesn't know the option, so drbdsetup.)
func (t Tool) ResizeAlone(ctx context.Context, minor int) error {
	return t.setup(ctx, strconv.Itoa(minor), "resize", "resize", strconv.Itoa(minor), "--assume-peer-has-space")
}

// Detach lets go of a volume's backing device. ErrNeedUpToDate if it's the
// last good disk of a Primary, ErrUnknownResource. An unused Secondary gives
// up its last good disk without a word: the guard is the caller's.
func (t Tool) Detach(ctx context.Context, g Target, volume int) error {
	return t.adm(ctx, g, "detach", "detach", g.volume(volume))
}

// Attach takes a volume's backing device again. ErrNoMetadata, ErrNoDevice.
func (t Tool) Attach(ctx context.Context, g Target, volume int) error {
	return t.adm(ctx, g, "attach", "attach", g.volume(volume))
}

// Verify starts to compare the blocks of all volumes with those of all peers; it returns when that is under way. What
// differs is marked in the bitmap, and nothing is copied. The resource's verify-alg must be set.
func (t Tool) Verify(ctx context.Context, g Target) error {
	return t.adm(ctx, g, "verify", "verify", g.Resource)
}

// Connect starts all connections, or 9: the one to peer.
func (t Tool) Connect(ctx context.Context, g Target, peer string) error {
	arg, err := g.peer(peer)
	if err != nil {
		return err
	}
	return t.adm(ctx, g, "connect", "connect", arg)
}

// Disconnect ends all connections, or 9: the one to peer. They stay
// StandAlone.
func (t Tool) Disconnect(ctx context.Context, g Target, peer string) error {
	arg, err := g.peer(peer)
	if err != nil {
		return err
	}
	return t.adm(ctx, g, "disconnect", "disconnect", arg)
}

func (g Target) peer(name string) (string, error) {
	if name == "" {
		return g.Resource, nil
	}
	if !nameRE.MatchString(name) {
		return "", fmt.Errorf("resource %s: peer %q: %w", g.Resource, name, ErrBadName)
	}
	return g.Resource + ":" + name, nil
}

// DelPeer (9) removes the connection to a peer from the kernel. By id, since
// the file may not have the peer any more.
func (t Tool) DelPeer(ctx context.Context, resource string, nodeID int) error {
	return t.setup(ctx, resource, "delete peer of", "del-peer", resource, strconv.Itoa(nodeID))
}

// ForgetPeer (9) frees the bitmap slot that the local metadata keep for a
// peer. The connection must be gone. Only after all nodes have done so may the
// node-id be given to another.
func (t Tool) ForgetPeer(ctx context.Context, resource string, nodeID int) error {
	return t.setup(ctx, resource, "forget peer of", "forget-peer", resource, strconv.Itoa(nodeID))
}

// SuspendIO holds all I/O of a volume. Never for a device without a disk on
// 8.4: it hangs in the kernel for ever. The caller checks, and holds a lease.
func (t Tool) SuspendIO(ctx context.Context, minor int) error {
	return t.setup(ctx, strconv.Itoa(minor), "suspend I/O of", "suspend-io", strconv.Itoa(minor))
}

// ResumeIO lets I/O go on; one that isn't suspended is no error.
func (t Tool) ResumeIO(ctx context.Context, minor int) error {
	return t.setup(ctx, strconv.Itoa(minor), "resume I/O of", "resume-io", strconv.Itoa(minor))
}

func (t Tool) setup(ctx context.Context, name, what string, args ...string) error {
	if !nameRE.MatchString(name) {
		return fmt.Errorf("%s resource %q: %w", what, name, ErrBadName)
	}
	argv := append([]string{"drbdsetup"}, args...)
	if _, err := run.Check(ctx, t.Run, run.Cmd{Argv: argv, Timeout: statusTimeout}, classify); err != nil {
		return fmt.Errorf("%s resource %s: %w", what, name, err)
	}
	return nil
}

// EventsArgv is the command whose output ParseEvent reads, without end.
func EventsArgv() []string { return []string{"drbdsetup", "events2", "--statistics"} }

// Snapshot asks the kernel once for everything. It's what guards look at, and
// how progress is read (8.4 sends no event for it). ErrNoModule.
func (t Tool) Snapshot(ctx context.Context) (*State, error) {
	argv := []string{"drbdsetup", "events2", "--now", "--statistics"}
	r, err := run.Check(ctx, t.Run, run.Cmd{Argv: argv, Timeout: statusTimeout}, classify)
	if err != nil {
		return nil, fmt.Errorf("ask the kernel for DRBD's state: %w", err)
	}
	return ParseSnapshot(r.Stdout)
}
