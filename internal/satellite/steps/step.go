package steps

import (
	"fmt"

	"holdfast/internal/model"
)

// Kind of a step.
type Kind uint8

const (
	// CreateDevice in Pool: Device of SizeKiB with Label.
	CreateDevice Kind = iota + 1
	// ActivateDevice gives Device a path.
	ActivateDevice
	// RemoveDevice destroys Device if it carries Label.
	RemoveDevice
	// VerifyDevice looks at Pool again: Device carries Label and has Path.
	VerifyDevice
	// CreateMetadata writes DRBD's metadata to Path of volume Number. Only for an incarnation that holds nothing.
	CreateMetadata
	// WriteRecord keeps Record, that this incarnation is what the kernel has under the resource's name.
	WriteRecord
	// RemoveRecord forgets it.
	RemoveRecord
	// WriteConfig replaces the resource's config file, if the new one parses.
	WriteConfig
	// RemoveConfig deletes it if it is this incarnation's.
	RemoveConfig
	// Adjust makes the kernel as the config file says. New: as Config says, which replaces the config file if it parses.
	Adjust
	// GuardSeed looks at the kernel again: volume Number is Inconsistent here and on every connected peer, and the resource is
	// Primary here as InUse says.
	GuardSeed
	// SeedSync makes Number UpToDate alone: with 8.4 by making it Primary for a moment, with 9 by a word of its own.
	SeedSync
	// Demote makes volume Number Secondary; 8.4 only.
	Demote
	// GuardSkip looks at the kernel again: Peers are all connected and Number is Inconsistent on each and here.
	GuardSkip
	// SeedSkip declares Number equal on all.
	SeedSkip
	// ForgetPeer gives back the bitmap slot of the removed peer NodeID.
	ForgetPeer
	// GuardGone looks at the kernel again: not Primary, and if Volumes isn't empty, another connected peer is UpToDate for
	// each of them, or Held, and nothing was written here that the peer didn't get (Unwritten).
	GuardGone
	// Down takes the resource out of the kernel.
	Down
	// GuardDrop looks at the kernel again: another connected peer is UpToDate for each of Volumes.
	GuardDrop
	// GuardIdle looks at the kernel again: not Primary.
	GuardIdle
	// TakeDown takes the resource out of the kernel, where nothing is to be removed.
	TakeDown
	// HoldIO starts a guard that resumes I/O by itself, then holds the I/O of Minors. The record says so beforehand.
	HoldIO
	// ResumeIO lets I/O of Minors go on.
	ResumeIO
	// RestoreDevice in Pool: Device of at least SizeKiB with Label, with the content of the snapshot From.
	RestoreDevice
	// TakeSnapshot of Device, which has the label Of, under the name Path with Label, in Pool.
	TakeSnapshot
	// RemoveSnapshot destroys the snapshot Device if it carries Label.
	RemoveSnapshot
	// GrowDevice makes Device of SizeKiB. With DRBD on it, it looks at the kernel again (GuardGrow), and what is on disk
	// about the place of DRBD's metadata is made right before. Alone: they are moved to its new end. Record says while it runs
	// which metadata are the volume's.
	GrowDevice
	// GuardGrow looks at the kernel again: Number is UpToDate here and on all Peers diskful ones, connected, and no sync runs.
	GuardGrow
	// Promote makes volume Number Primary, with 8.4 only.
	Promote
	// TakeSize lets DRBD take over what the backing devices of Number have grown by.
	TakeSize
	// RollbackDevice gives Device, with Label, the content of the snapshot From. Of is the rollback.
	RollbackDevice
	// FormatCrypt makes a LUKS header on Path. Only for an incarnation that holds nothing.
	FormatCrypt
	// OpenCrypt opens Path as the mapping of Label, if it isn't open, and sees to it that the first of its keys opens it.
	OpenCrypt
	// CloseCrypt closes the mapping of Label.
	CloseCrypt
	// StartVerify lets DRBD compare the replica's blocks with its peers'. Label names the verify; the kernel is asked again
	// before (MayVerify).
	StartVerify
	// GuardFileSystem looks at the kernel again (MayMake), and whether the program is there that MakeFileSystem runs.
	GuardFileSystem
	// MakeFileSystem on Path, as FileSystem says, if nothing is there. With DRBD the kernel is asked again before. Without Fresh it
	// only looks whether the one that is there is whole.
	MakeFileSystem
	// Throttle limits Path as Throttle says. It never fails.
	Throttle
	// LeavePeer notes in Record how much was written, before the peer is exchanged for the one whose replica is Label. Returns: it
	// was this replica's peer before, and gets all data if anything was written since; 8.4 only.
	LeavePeer
	// CopyData copies SizeKiB from FromKiB on of the snapshot From to the unfinished Device, durably. It takes its time, and holds
	// no pool's queue.
	CopyData
	// FinishCopy makes the unfinished Device, with Label, one like any other.
	FinishCopy
	// DropPeers ends the connections to those who are to be met anew, by what the kernel says when asked again (ToMeet); 9 only.
	// An Adjust makes them anew.
	DropPeers
	// LookOnly asks the kernel, for a snapshot that holds no I/O. Label is the lease.
	LookOnly
	// ClearEnd takes away what others left of DRBD's metadata at the end of Path; those of volume Number itself are Own.
	ClearEnd
)

var kindNames = [...]string{"", "create device", "activate device", "remove device", "verify device", "create metadata",
	"write record", "remove record", "write config", "remove config", "adjust", "check before first sync",
	"start first sync", "demote", "check before skipping sync", "skip first sync", "forget peer", "check before removal", "down",
	"check before detaching", "check before deactivating", "take down",
	"hold I/O", "resume I/O", "restore device", "take snapshot", "remove snapshot",
	"grow device", "check before growing", "promote", "take over the size", "roll back device",
	"format encrypted device", "open encrypted device", "close encrypted device", "start verify", "check before making a file system", "make file system", "limit device", "leave peer", "copy data", "finish copy", "part from peers", "look at DRBD", "clear device's end"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", k)
}

// Step is one thing to do, as data.
type Step struct {
	Kind Kind
	// Resource is the DRBD name, ID the incarnation.
	Resource string
	ID       model.UUID
	DRBD     model.DRBDGeneration

	Pool    string
	Device  string
	Path    string
	Label   model.UUID
	SizeKiB int64
	FromKiB int64 // CopyData

	Number int // of the volume
	Minor  int
	Slots  int // peer slots in v09 metadata

	Config  []byte
	Record  Record
	NodeID  int
	Volumes []int
	Alone   bool // GrowDevice: without a connection, see MayGrowAlone
	Peers   int  // how many diskful peers must be connected
	InUse   bool // it was Primary here when this was planned
	Minors  []int
	From    *model.Source
	Of      model.UUID
	Returns bool
	Held    bool // GuardGone: another is known to hold all that is here
	New     bool
	LUKS    bool // the device is encrypted
	// Discards pass through the mapping that is opened.
	Discards bool
	Throttle model.Throttle
	// Own tells the volume's metadata from others (drbd.SuperblockID).
	Own uint64
	// FileSystem to be made.
	FileSystem *model.FileSystemSpec
	Fresh      bool // nobody has written to the volume, as far as is known
	Settle     bool // what looks at a changed device by itself is waited for
}

// Pooled tells whether the step runs a storage command and so waits in Pool's queue.
func (s Step) Pooled() bool {
	switch s.Kind {
	case CreateDevice, ActivateDevice, RemoveDevice, VerifyDevice, RestoreDevice, TakeSnapshot, RemoveSnapshot, GrowDevice, RollbackDevice, FinishCopy, ClearEnd:
		return true
	}
	return false
}

// String is for traces and for people.
func (s Step) String() string {
	switch s.Kind {
	case GrowDevice:
		if s.Alone {
			return fmt.Sprintf("%s %s/%s of %d KiB, label %s, alone", s.Kind, s.Pool, s.Device, s.SizeKiB, s.Label)
		}
		fallthrough
	case CreateDevice:
		return fmt.Sprintf("%s %s/%s of %d KiB, label %s", s.Kind, s.Pool, s.Device, s.SizeKiB, s.Label)
	case RollbackDevice:
		return fmt.Sprintf("%s %s/%s, label %s, to %s", s.Kind, s.Pool, s.Device, s.Label, s.From.Device)
	case RestoreDevice:
		return fmt.Sprintf("%s %s/%s of %d KiB, label %s, from %s", s.Kind, s.Pool, s.Device, s.SizeKiB, s.Label, s.From.Device)
	case CopyData:
		return fmt.Sprintf("%s %s/%s, label %s, from %s: %d KiB from %d KiB on", s.Kind, s.Pool, s.Device, s.Label, s.From.Device, s.SizeKiB, s.FromKiB)
	case TakeSnapshot:
		return fmt.Sprintf("%s %s/%s of %s, label %s", s.Kind, s.Pool, s.Path, s.Device, s.Label)
	case HoldIO, ResumeIO:
		return fmt.Sprintf("%s of %s, minors %v", s.Kind, s.Resource, s.Minors)
	case ActivateDevice, RemoveDevice, VerifyDevice, RemoveSnapshot, FinishCopy:
		return fmt.Sprintf("%s %s/%s, label %s", s.Kind, s.Pool, s.Device, s.Label)
	case FormatCrypt, OpenCrypt, CloseCrypt:
		return fmt.Sprintf("%s %s, label %s", s.Kind, s.Path, s.Label)
	case CreateMetadata:
		return fmt.Sprintf("%s of %s/%d on %s", s.Kind, s.Resource, s.Number, s.Path)
	case WriteConfig, Adjust:
		if s.New {
			return fmt.Sprintf("%s of %s to a new config (%s)", s.Kind, s.Resource, Sum(s.Config))
		}
		return fmt.Sprintf("%s of %s (%s)", s.Kind, s.Resource, Sum(s.Config))
	case WriteRecord:
		return fmt.Sprintf("%s of %s: applied %q, minors %v, seeding %v, met %v, quiet %q, fresh %v, making %v, growing %x, in sync %v", s.Kind, s.Resource, s.Record.Applied, s.Record.Minors, s.Record.Seeding, s.Record.Met, s.Record.Quiet, s.Record.Fresh, s.Record.Making, s.Record.Growing, len(s.Record.Exchange.Synced))
	case GuardSeed, SeedSync, GuardSkip, SeedSkip, GuardGrow, Promote, TakeSize, ClearEnd:
		return fmt.Sprintf("%s of %s/%d", s.Kind, s.Resource, s.Number)
	case Throttle:
		return fmt.Sprintf("%s %s: %+v", s.Kind, s.Path, s.Throttle)
	case GuardFileSystem, MakeFileSystem:
		return fmt.Sprintf("%s of %s/%d: %s %s, fresh %v", s.Kind, s.Resource, s.Number, s.FileSystem.Type, s.FileSystem.Params, s.Fresh)
	case LeavePeer:
		return fmt.Sprintf("%s of %s for %s, returns %v", s.Kind, s.Resource, s.Label, s.Returns)
	case StartVerify:
		return fmt.Sprintf("%s %s of %s", s.Kind, s.Label, s.Resource)
	case ForgetPeer:
		return fmt.Sprintf("%s %d of %s", s.Kind, s.NodeID, s.Resource)
	case GuardGone, GuardDrop:
		return fmt.Sprintf("%s of %s, volumes %v", s.Kind, s.Resource, s.Volumes)
	}
	return fmt.Sprintf("%s of %s", s.Kind, s.Resource)
}
