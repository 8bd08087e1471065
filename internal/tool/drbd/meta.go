package drbd

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"holdfast/internal/tool/run"
)

// Format is a metadata format.
type Format string

const (
	V08 Format = "v08" // 8.4's
	V09 Format = "v09" // 9's
)

// Format gives the generation's own.
func (g Generation) Format() Format {
	if g == Gen8 {
		return V08
	}
	return V09
}

// MaxPeersLimit is the highest number of bitmap slots that v09 can have.
const MaxPeersLimit = 31

// Meta is a backing device with internal metadata. drbdmeta is called itself,
// not through drbdadm, so that the format is named on the command line and
// doesn't follow the module that happens to be there. (drbdadm runs the same
// command.)
type Meta struct {
	Minor  int    // drbdmeta refuses while this minor is attached
	Format Format // never left open
	Device string // backing device
}

func (m Meta) argv(args ...string) ([]string, error) {
	if !deviceRE.MatchString(m.Device) || m.Minor < 0 || m.Format != V08 && m.Format != V09 {
		return nil, fmt.Errorf("metadata %s of %q (minor %d): %w", m.Format, m.Device, m.Minor, ErrBadName)
	}
	return append([]string{"drbdmeta", strconv.Itoa(m.Minor), string(m.Format), m.Device, "internal"}, args...), nil
}

// CreateMetadata writes fresh metadata: the disk is Inconsistent then, and
// belongs to no data generation. maxPeers (v09 only, 1..31) is how many peers
// with a disk it can ever have.
//
// First it asks drbdmeta without --force, which writes only where it finds
// neither metadata of any format nor data, and so can't convert any: that it
// says "successfully created" is enough, and takes one program. Anything found
// there gives ErrHasMetadata, or with force is given up, so only for an
// incarnation that was never initialised. Old metadata are wiped first then:
// over those of the other format `create-md --force` converts, keeping the old
// data generation, and silently makes 1 slot of 7 (seen in the lab); and what
// was written is read back, and is no error only if it is fresh. Even with
// force drbdmeta refuses where it finds a file system that reaches into the
// place of the metadata (ErrHasData): the volume is to be wiped then, not to
// be argued with. ErrAttached, ErrNoDevice.
func (t Tool) CreateMetadata(ctx context.Context, m Meta, maxPeers int, force bool) error {
	fail := func(err error) error { return fmt.Errorf("create metadata on %s: %w", m.Device, err) }
	args := []string{"create-md"}
	if m.Format == V09 {
		if maxPeers < 1 || maxPeers > MaxPeersLimit {
			return fail(fmt.Errorf("%d peers: %w", maxPeers, ErrBadName))
		}
		args = append(args, strconv.Itoa(maxPeers))
	}
	argv, err := m.argv(args...)
	if err != nil {
		return err
	}
	r, err := run.Check(ctx, t.Run, run.Cmd{Argv: argv}, classify)
	switch {
	case err == nil && plainlyCreated(r):
		return nil
	case err == nil: // look
	case errors.Is(err, ErrAlreadyExists):
		return fail(fmt.Errorf("%w: %w", ErrAttached, err))
	case !force || !errors.Is(err, ErrHasMetadata):
		return fail(err)
	default:
		argv = append(argv, "--force")
		if onlyData(r) { // as on a disk that was used before, beyond the first blocks that LVM wipes
			if err := t.create(ctx, m, maxPeers, argv); !errors.Is(err, errStale) {
				return err
			}
		}
		if err := t.wipe(ctx, m); err != nil {
			return fail(err)
		}
		return t.create(ctx, m, maxPeers, argv)
	}
	return t.fresh(ctx, m, maxPeers)
}

// errStale: metadata are there after create-md that it didn't make anew.
var errStale = errors.New("what was written isn't fresh")

// create runs create-md and reads back what it wrote.
func (t Tool) create(ctx context.Context, m Meta, maxPeers int, argv []string) error {
	if _, err := run.Check(ctx, t.Run, run.Cmd{Argv: argv}, classify); err != nil {
		return fmt.Errorf("create metadata on %s: %w", m.Device, err)
	}
	return t.fresh(ctx, m, maxPeers)
}

func (t Tool) fresh(ctx context.Context, m Meta, maxPeers int) error {
	in, err := t.ReadMetadata(ctx, m)
	if err != nil {
		return fmt.Errorf("create metadata on %s: %w", m.Device, err)
	}
	if !in.Fresh || m.Format == V09 && in.MaxPeers != maxPeers {
		return fmt.Errorf("create metadata on %s: %w (current UUID %016X, %d slots)", m.Device, errStale, in.Current, in.MaxPeers)
	}
	return nil
}

// onlyData: drbdmeta looked for metadata first, found none, and stopped at the data.
func onlyData(r run.Result) bool {
	return strings.Contains(string(r.Stdout), " ==> This might destroy existing data! <==\n") &&
		!strings.Contains(string(r.Stderr), "meta data") && !strings.Contains(string(r.Stderr), "meta-data")
}

// plainlyCreated: drbdmeta made them where nothing was, as asked.
func plainlyCreated(r run.Result) bool {
	return strings.Contains(string(r.Stdout), "\nNew drbd meta data block successfully created.\n") &&
		!strings.Contains(string(r.Stdout), "Warning: ") && !strings.Contains(string(r.Stderr), "meta data block\nalready in place") &&
		!strings.Contains(string(r.Stderr), "meta-data found")
}

// wipe takes away metadata of either format; a device can hold both.
func (t Tool) wipe(ctx context.Context, m Meta) error {
	for range 2 {
		f, _, err := t.HasMetadata(ctx, m.Minor, m.Device)
		if err != nil || f == "" {
			return err
		}
		argv := []string{"drbdmeta", "--force", strconv.Itoa(m.Minor), string(f), m.Device, "internal", "wipe-md"}
		if _, err := run.Check(ctx, t.Run, run.Cmd{Argv: argv}, classify); err != nil {
			return err
		}
	}
	return nil
}

// MetaInfo is what a look at the metadata tells.
type MetaInfo struct {
	// Unclean: the activity log has to be applied first (attach does it), and
	// nothing else is known. That is the normal case after a first attach, also
	// after a clean stop.
	Unclean bool
	// Fresh: made, and never part of any data generation.
	Fresh    bool
	Current  uint64 // current UUID
	MaxPeers int    // v09
}

// uuidJustCreated is what create-md writes (UUID_JUST_CREATED in DRBD's
// headers).
const uuidJustCreated = 4

var (
	currentRE  = regexp.MustCompile(`(?m)^(?:uuid \{\s*|current-uuid )0x([0-9A-Fa-f]{16});`)
	maxPeersRE = regexp.MustCompile(`(?m)^max-peers ([0-9]+);`)
)

// ReadMetadata looks for metadata of the given format. ErrNoMetadata: there is
// none *of that format*; drbdmeta says the same of the other format's, so look
// for both before you call a disk empty. ErrAttached: there is some, and it's
// in use (a backing device that something else holds says so too). ErrNoDevice.
func (t Tool) ReadMetadata(ctx context.Context, m Meta) (MetaInfo, error) {
	argv, err := m.argv("dump-md")
	if err != nil {
		return MetaInfo{}, err
	}
	r, err := run.Check(ctx, t.Run, run.Cmd{Argv: argv}, classify)
	var x *run.ExitError
	if errors.As(err, &x) && x.Kind == nil && strings.Contains(string(x.Stderr), `Found meta data is "unclean", please apply-al first`) {
		return MetaInfo{Unclean: true}, nil // exit 1, as for none at all
	}
	if err != nil {
		return MetaInfo{}, fmt.Errorf("read metadata on %s: %w", m.Device, err)
	}
	return parseDump(r.Stdout, m)
}

func parseDump(out []byte, m Meta) (MetaInfo, error) {
	bad := func() (MetaInfo, error) {
		return MetaInfo{}, fmt.Errorf("read metadata on %s: drbdmeta's dump isn't understood", m.Device)
	}
	if !strings.Contains(string(out), `version "`+string(m.Format)+`";`) {
		return bad()
	}
	c := currentRE.FindSubmatch(out)
	if c == nil {
		return bad()
	}
	var in MetaInfo
	var err error
	if in.Current, err = strconv.ParseUint(string(c[1]), 16, 64); err != nil {
		return bad()
	}
	in.Fresh = in.Current == uuidJustCreated
	if p := maxPeersRE.FindSubmatch(out); p != nil {
		in.MaxPeers, _ = strconv.Atoi(string(p[1]))
	}
	return in, nil
}

// HasMetadata looks for metadata of either format, and tells which. The empty
// format means none. An attached disk has some: ErrAttached.
func (t Tool) HasMetadata(ctx context.Context, minor int, device string) (Format, MetaInfo, error) {
	for _, f := range []Format{V08, V09} {
		in, err := t.ReadMetadata(ctx, Meta{Minor: minor, Format: f, Device: device})
		if err == nil {
			return f, in, nil
		}
		if !errors.Is(err, ErrNoMetadata) {
			return "", MetaInfo{}, err
		}
	}
	return "", MetaInfo{}, nil
}
