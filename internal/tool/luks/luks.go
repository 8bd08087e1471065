package luks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"holdfast/internal/tool/run"
)

var (
	// ErrWrongKey: no key slot opens with it.
	ErrWrongKey = errors.New("the key doesn't open the encrypted device")
	// ErrNotLUKS: there is no LUKS header on the device.
	ErrNotLUKS = errors.New("the device has no LUKS header")
	// ErrInUse: the device or the mapping is open.
	ErrInUse = errors.New("encrypted device in use")
	// ErrNotFound: no such mapping, or no such device.
	ErrNotFound = errors.New("encrypted device not found")
	// ErrExists: a mapping of that name is open.
	ErrExists = errors.New("encrypted device is open already")
	// ErrBadName: a device, name or key that can't be given to cryptsetup. Nothing was run.
	ErrBadName = errors.New("name or key not usable for cryptsetup")
)

// Tool runs cryptsetup and dmsetup.
type Tool struct{ Run run.Runner }

// Mapping is an open device.
type Mapping struct {
	Name      string
	SizeKiB   int64 // of what is in it
	OffsetKiB int64 // where that begins on the device below
}

// slow is the limit for what derives a key, which takes memory and time on purpose.
const slow = 2 * time.Minute

var (
	nameRE = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
	devRE  = regexp.MustCompile(`^/dev/[A-Za-z0-9_+:.=@#/-]+$`)
)

// Source of the codes: cryptsetup(8), "return codes": 1 wrong parameters, 2 no permission (bad passphrase), 3 out of memory, 4
// wrong device specified, 5 device already exists or device is busy.
func classify(r run.Result) error {
	s := string(r.Stderr)
	switch {
	case r.Exit == 2:
		return ErrWrongKey
	case strings.Contains(s, "is not a valid LUKS device"):
		return ErrNotLUKS
	case r.Exit == 5 && strings.Contains(s, "already exists"):
		return ErrExists
	case r.Exit == 5, strings.Contains(s, "is still in use"), strings.Contains(s, "in use"):
		return ErrInUse
	case r.Exit == 4 && (strings.Contains(s, "is not active") || strings.Contains(s, "does not exist")):
		return ErrNotFound
	}
	return nil
}

func (t Tool) cryptsetup(ctx context.Context, stdin []byte, args ...string) error {
	_, err := run.Check(ctx, t.Run, run.Cmd{Argv: append([]string{"cryptsetup"}, args...), Stdin: stdin, Timeout: slow}, classify)
	return err
}

func check(device, name string, keys ...[]byte) error {
	if device != "" && (!devRE.MatchString(device) || strings.Contains(device, "/../")) || name != "" && !nameRE.MatchString(name) {
		return fmt.Errorf("%q %q: %w", device, name, ErrBadName)
	}
	for _, k := range keys {
		if len(k) == 0 || bytes.ContainsAny(k, "\n\x00") {
			return fmt.Errorf("a key of %d bytes: %w", len(k), ErrBadName)
		}
	}
	return nil
}

// Format makes a LUKS2 header that takes offsetKiB; what the device held is lost. Typed keys get cryptsetup's slow derivation;
// of one that was drawn at random nothing is to be guessed. Sectors are of 512 bytes whatever the device has, so that all
// replicas are alike.
func (t Tool) Format(ctx context.Context, device string, offsetKiB int64, key []byte, typed bool) error {
	if err := check(device, "", key); err != nil {
		return fmt.Errorf("format encrypted device: %w", err)
	}
	args := []string{"-q", "luksFormat", "--type", "luks2", "--sector-size", "512", "--offset", strconv.FormatInt(offsetKiB*2, 10)}
	if !typed {
		args = append(args, "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000")
	}
	if err := t.cryptsetup(ctx, key, append(args, "--key-file", "-", device)...); err != nil {
		return fmt.Errorf("format encrypted device %s: %w", device, err)
	}
	return nil
}

// Open maps the device as /dev/mapper/<name>, with discards passing through if told so. ErrWrongKey, ErrNotLUKS, ErrExists.
func (t Tool) Open(ctx context.Context, device, name string, key []byte, discards bool) error {
	if err := check(device, name, key); err != nil {
		return fmt.Errorf("open encrypted device: %w", err)
	}
	args := []string{"open", "--type", "luks", "--key-file", "-"}
	if discards {
		args = append(args, "--allow-discards")
	}
	if err := t.cryptsetup(ctx, key, append(args, device, name)...); err != nil {
		return fmt.Errorf("open encrypted device %s: %w", device, err)
	}
	return nil
}

// Try tells by ErrWrongKey whether the key would open the device.
func (t Tool) Try(ctx context.Context, device string, key []byte) error {
	if err := check(device, "", key); err != nil {
		return fmt.Errorf("try the key of an encrypted device: %w", err)
	}
	if err := t.cryptsetup(ctx, key, "open", "--type", "luks", "--test-passphrase", "--key-file", "-", device); err != nil {
		return fmt.Errorf("try the key of the encrypted device %s: %w", device, err)
	}
	return nil
}

// Close takes the mapping away. ErrInUse; ErrNotFound if there is none.
func (t Tool) Close(ctx context.Context, name string) error {
	if err := check("", name); err != nil {
		return fmt.Errorf("close encrypted device: %w", err)
	}
	if err := t.cryptsetup(ctx, nil, "close", name); err != nil {
		return fmt.Errorf("close encrypted device %s: %w", name, err)
	}
	return nil
}

// Resize lets the mapping have all of its device.
func (t Tool) Resize(ctx context.Context, name string, key []byte) error {
	if err := check("", name, key); err != nil {
		return fmt.Errorf("resize encrypted device: %w", err)
	}
	if err := t.cryptsetup(ctx, key, "resize", "--key-file", "-", name); err != nil {
		return fmt.Errorf("resize encrypted device %s: %w", name, err)
	}
	return nil
}

// ChangeKey replaces a key by another. Both go in as lines, as cryptsetup reads them where standard input is no terminal
// (cryptsetup(8), "passphrase processing").
func (t Tool) ChangeKey(ctx context.Context, device string, old, key []byte, typed bool) error {
	if err := check(device, "", old, key); err != nil {
		return fmt.Errorf("change the key of an encrypted device: %w", err)
	}
	args := []string{"-q", "luksChangeKey"}
	if !typed {
		args = append(args, "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000")
	}
	stdin := bytes.Join([][]byte{old, key, nil}, []byte("\n"))
	defer clear(stdin)
	if err := t.cryptsetup(ctx, stdin, append(args, device)...); err != nil {
		return fmt.Errorf("change the key of the encrypted device %s: %w", device, err)
	}
	return nil
}

// List gives the mappings of the machine that encrypt, by name.
func (t Tool) List(ctx context.Context) (map[string]Mapping, error) {
	r, err := run.Check(ctx, t.Run, run.Cmd{Argv: []string{"dmsetup", "table", "--target", "crypt"}}, nil)
	if err != nil {
		return nil, fmt.Errorf("list encrypted devices: %w", err)
	}
	return Parse(r.Stdout)
}

// Parse reads `dmsetup table --target crypt`: NAME: START LENGTH crypt CIPHER KEY IV_OFFSET DEVICE OFFSET [...], in sectors of 512
// bytes (kernel, dm-crypt.rst). Without any it says "No devices found".
func Parse(out []byte) (map[string]Mapping, error) {
	all := map[string]Mapping{}
	for line := range strings.Lines(string(out)) {
		name, rest, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		f := strings.Fields(rest)
		if len(f) < 8 || f[2] != "crypt" {
			return nil, fmt.Errorf("list encrypted devices: %q isn't what dmsetup prints", name)
		}
		size, err := strconv.ParseInt(f[1], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("list encrypted devices: %s: %w", name, err)
		}
		offset, err := strconv.ParseInt(f[7], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("list encrypted devices: %s: %w", name, err)
		}
		all[name] = Mapping{Name: name, SizeKiB: size / 2, OffsetKiB: offset / 2}
	}
	return all, nil
}
