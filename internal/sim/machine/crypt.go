package machine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// header is a LUKS header, with what lies behind it as it is in the clear.
type header struct {
	slots     []string // keys that open it
	offsetKiB int64
	inner     *Disk
}

// mapping is an open encrypted device.
type mapping struct {
	name  string
	outer *Disk
	inner *Disk
}

func (h *header) clone() *header {
	c := *h
	c.slots, c.inner = slices.Clone(h.slots), h.inner.clone()
	return &c
}

// content is what the disk holds in the clear.
func (d *Disk) content() *Disk {
	if d.luks != nil {
		return d.luks.inner
	}
	return d
}

func (m *Machine) mapping(name string) *mapping {
	i := slices.IndexFunc(m.crypts, func(c *mapping) bool { return c.name == name })
	if i < 0 {
		return nil
	}
	return m.crypts[i]
}

// Mappings names the encrypted devices that are open, for checkers.
func (m *Machine) Mappings() []string {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	var out []string
	for _, c := range m.crypts {
		out = append(out, c.name)
	}
	slices.Sort(out)
	return out
}

// dropMappings is a power cut's.
func (m *Machine) dropMappings() {
	for _, c := range m.crypts {
		c.inner.holder = ""
	}
	m.crypts = nil
}

func (x *call) noKey() { x.fail(2, "No key available with this passphrase.") }

// cryptsetup knows the commands that the satellite gives.
func (x *call) cryptsetup() {
	if x.take("--version") {
		x.out.WriteString("cryptsetup 2.6.1 flags: UDEV BLKID KEYRING KERNEL_CAPI\n")
		return
	}
	x.take("-q")
	kind, keyFile := x.value("--type"), x.value("--key-file")
	test := x.take("--test-passphrase")
	x.take("--allow-discards")
	sector, offset := x.value("--sector-size"), x.value("--offset")
	x.value("--pbkdf")
	x.value("--pbkdf-force-iterations")
	if len(x.argv) < 2 {
		x.fail(1, "cryptsetup: the model doesn't know: %s", strings.Join(x.argv, " "))
		return
	}
	cmd, arg := x.argv[0], x.argv[1]
	key := string(x.stdin)
	if (keyFile == "-") == (cmd == "luksChangeKey" || cmd == "close") {
		x.fail(1, "cryptsetup: the model takes the key of %s from elsewhere", cmd)
		return
	}
	switch {
	case cmd == "luksFormat" && kind == "luks2" && sector == "512":
		x.luksFormat(arg, key, offset)
	case cmd == "open" && kind == "luks" && test && len(x.argv) == 2:
		if _, h := x.luks(arg); h != nil && !slices.Contains(h.slots, key) {
			x.noKey()
		}
	case cmd == "open" && kind == "luks" && len(x.argv) == 3:
		x.luksOpen(arg, x.argv[2], key)
	case cmd == "close":
		x.luksClose(arg)
	case cmd == "resize":
		x.luksResize(arg, key)
	case cmd == "luksChangeKey":
		x.luksChangeKey(arg, strings.Split(key, "\n"))
	default:
		x.fail(1, "cryptsetup: the model doesn't know: %s", strings.Join(x.argv, " "))
	}
}

// luks finds a device and its header, or fails.
func (x *call) luks(dev string) (*Disk, *header) {
	d := x.m.device(dev)
	switch {
	case d == nil:
		x.fail(4, "Device %s does not exist or access denied.", dev)
	case d.luks == nil:
		x.fail(1, "Device %s is not a valid LUKS device.", dev)
	default:
		return d, d.luks
	}
	return nil, nil
}

func (x *call) luksFormat(dev, key, offset string) {
	d := x.m.device(dev)
	sectors, err := strconv.ParseInt(offset, 10, 64)
	switch {
	case d == nil:
		x.fail(4, "Device %s does not exist or access denied.", dev)
		return
	case d.holder != "":
		x.fail(5, "Cannot format device %s in use.", dev)
		return
	case err != nil || key == "" || d.sizeKiB <= sectors/2:
		x.fail(1, "Device %s is too small.", dev)
		return
	}
	x.m.net.garbage++
	h := &header{slots: []string{key}, offsetKiB: sectors / 2}
	h.inner = newDisk(d.sizeKiB-h.offsetKiB, x.m.net.garbage)
	d.blocks, d.md, d.left, d.fs, d.luks = map[int]bool{}, nil, nil, false, h
	x.m.effect("luksFormat %s", dev)
}

func (x *call) luksOpen(dev, name, key string) {
	d, h := x.luks(dev)
	switch {
	case d == nil:
	case x.m.mapping(name) != nil:
		x.fail(5, "Device %s already exists.", name)
	case !slices.Contains(h.slots, key):
		x.noKey()
	case d.holder != "":
		x.fail(5, "Cannot use device %s which is in use (already mapped or mounted).", dev)
	default:
		d.holder, h.inner.sizeKiB = "crypt "+name, d.sizeKiB-h.offsetKiB
		x.m.crypts = append(x.m.crypts, &mapping{name, d, h.inner})
		x.m.effect("open %s as %s", dev, name)
	}
}

func (x *call) luksClose(name string) {
	c := x.m.mapping(name)
	switch {
	case c == nil:
		x.fail(4, "Device %s is not active.", name)
	case c.inner.holder != "":
		x.fail(5, "Device %s is still in use.", name)
	default:
		x.m.crypts = slices.DeleteFunc(x.m.crypts, func(o *mapping) bool { return o == c })
		x.m.release(c.outer)
		x.m.effect("close %s", name)
	}
}

func (x *call) luksResize(name, key string) {
	c := x.m.mapping(name)
	switch {
	case c == nil:
		x.fail(4, "Device %s is not active.", name)
	case !slices.Contains(c.outer.luks.slots, key):
		x.noKey()
	default:
		c.inner.sizeKiB = c.outer.sizeKiB - c.outer.luks.offsetKiB
		x.m.effect("resize %s", name)
	}
}

func (x *call) luksChangeKey(dev string, lines []string) {
	_, h := x.luks(dev)
	if h == nil {
		return
	}
	i := slices.Index(h.slots, lines[0])
	if i < 0 || len(lines) < 2 {
		x.noKey()
		return
	}
	h.slots = append(h.slots, lines[1])
	x.m.effect("add a key to %s", dev)
	h.slots = slices.Delete(h.slots, i, i+1)
	x.m.effect("remove a key from %s", dev)
}

func (x *call) dmsetup() {
	if x.take("--version", "version") {
		x.out.WriteString("Library version:   1.02.185 (2022-05-18)\nDriver version:    4.47.0\n")
		return
	}
	if strings.Join(x.argv, " ") != "table --target crypt" {
		x.fail(1, "dmsetup: the model doesn't know: %s", strings.Join(x.argv, " "))
		return
	}
	if len(x.m.crypts) == 0 {
		x.out.WriteString("No devices found\n")
	}
	for _, c := range x.m.crypts {
		fmt.Fprintf(&x.out, "%s: 0 %d crypt aes-xts-plain64 :64:logon:cryptsetup:3bd0cb1d-0000-4000-8000-000000000000-d0 0 254:0 %d\n", c.name, c.inner.sizeKiB*2, c.outer.luks.offsetKiB*2)
	}
}
