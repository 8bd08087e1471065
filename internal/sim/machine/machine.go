package machine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"path"
	"slices"
	"strings"

	"holdfast/internal/tool/drbd"
	"holdfast/internal/tool/run"
)

// Machine is one machine, and the run.Host of the process on it.
type Machine struct {
	net  *Network
	name string
	addr netip.Addr
	more []netip.Addr // AddAddress
	on   bool

	// On its disks.
	module  string // version of the module that a boot or modprobe takes
	files   map[string]*file
	dirs    map[string]bool
	vgs     []*vg
	spare   []*spare
	limits  map[string]string // of block devices; nil: cgroup v2
	zpools  []*zpool
	diskKiB int64

	// Gone at a power cut.
	loaded  string // version of the loaded module
	loops   []*loopDev
	crypts  []*mapping
	kernel  map[string]*resource
	streams []*Stream
	told    []object // what streams have been told
	guards  []guard

	// Faults.
	effects   int
	stopAt    int // effect after which to stop; 0: none
	stopHard  bool
	quiet     bool // effects don't count
	dead      bool // the process; its calls get ErrCrashed
	fail      map[string]int
	hang      map[string]bool
	mute      bool           // see LoseAnswers
	hung      map[int]string // programs that hang, by pid: what makes them
	full      bool
	noReflink bool // the file system shares no blocks
	log       []string
}

var _ run.Host = (*Machine)(nil)

// sortedKeys is how a map is walked here.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// Name is what `uname -n` says.
func (m *Machine) Name() string { return m.name }

// Address is where it listens.
func (m *Machine) Address() netip.Addr { return m.addr }

// AddAddress gives it one more, on the same network.
func (m *Machine) AddAddress(a netip.Addr) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	m.more = append(m.more, a)
}

func (m *Machine) answers(a netip.Addr) bool { return m.addr == a || slices.Contains(m.more, a) }

// stopped is thrown right after the effect that was chosen.
type stopped struct{}

// effect counts a change that has just been made, and stops there if told to.
func (m *Machine) effect(format string, args ...any) {
	if m.quiet {
		return
	}
	m.effects++
	m.net.version++
	m.log = append(m.log, fmt.Sprintf(format, args...))
	if m.stopAt > 0 && m.effects >= m.stopAt {
		m.stopAt = 0
		m.saveFlags()
		if m.stopHard {
			m.powerCut()
		}
		m.killProcess()
		panic(stopped{})
	}
}

// enter takes the lock for one call of the process. Its result must be
// deferred; a stop in the middle becomes ErrCrashed.
func (m *Machine) enter(err *error) func() {
	m.net.mu.Lock()
	return func() {
		if x := recover(); x != nil {
			if _, ok := x.(stopped); !ok {
				m.net.mu.Unlock()
				panic(x)
			}
			*err = run.ErrCrashed
			m.net.stirred = true
		}
		if m.net.stirred {
			m.net.stirred = false
			m.net.settle()
		}
		m.net.mu.Unlock()
	}
}

// Effects is how many changes programs and file operations have made so far.
func (m *Machine) Effects() int {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	return m.effects
}

// Log lists the effects and commands so far, for a readable trace.
func (m *Machine) Log() []string {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	return slices.Clone(m.log)
}

// CrashAfter stops the process right after its nth effect from now (1 = the
// next); programs that it runs stop there too. n 0: not any more.
func (m *Machine) CrashAfter(n int) { m.stopAfter(n, false) }

// CutAfter cuts the machine's power right after its nth effect from now.
func (m *Machine) CutAfter(n int) { m.stopAfter(n, true) }

func (m *Machine) stopAfter(n int, hard bool) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	m.stopAt, m.stopHard = 0, hard
	if n > 0 {
		m.stopAt = m.effects + n
	}
}

// Crash stops the process now.
func (m *Machine) Crash() {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	m.killProcess()
	m.net.settle()
}

// RestartProcess lets a new process call again, if the machine is on.
func (m *Machine) RestartProcess() {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	m.dead = !m.on
}

// Running says whether the machine is on and its process alive.
func (m *Machine) Running() bool {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	return m.on && !m.dead
}

func (m *Machine) killProcess() {
	m.dead = true
	for _, s := range m.streams {
		s.ended = true
	}
	m.streams = nil
}

// PowerCut switches the machine off. Peers notice at the next Tick.
func (m *Machine) PowerCut() {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	m.saveFlags()
	m.powerCut()
	m.net.settle()
}

func (m *Machine) powerCut() {
	m.on = false
	m.killProcess()
	m.loaded = ""
	m.loops = nil
	m.dropMappings()
	clear(m.limits)
	m.kernel = map[string]*resource{}
	m.told, m.guards = nil, nil
	m.hang, m.hung = map[string]bool{}, map[int]string{}
	for _, g := range m.vgs {
		for _, v := range g.lvs {
			v.active = false
			v.disk.holder = ""
		}
	}
	for _, f := range m.files {
		f.disk.holder = ""
	}
	for _, p := range m.zpools {
		for _, v := range p.vols { // imported again at the boot
			v.disk.holder = ""
		}
	}
	m.loseUnsynced()
	for _, p := range sortedKeys(m.files) {
		if volatile(p) {
			delete(m.files, p)
		}
	}
	for d := range m.dirs {
		if volatile(d) {
			delete(m.dirs, d)
		}
	}
}

func volatile(p string) bool {
	for _, d := range []string{"/run/", "/dev/", "/proc/", "/tmp/"} {
		if strings.HasPrefix(p, d) {
			return true
		}
	}
	return false
}

// PowerOn boots the machine and starts its process. Nothing else starts by
// itself: no volume is active, no module loaded.
func (m *Machine) PowerOn() {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	m.on, m.dead = true, false
}

// SetModule changes the DRBD module on disk (empty: none). A loaded one stays
// until the next boot.
func (m *Machine) SetModule(version string) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	m.module = version
}

// Fail makes the next n runs of a program fail with exit status 1, before any
// effect. program is its name, or its name and first word: "drbdadm adjust". Of that one the last
// two say with DRBD 8.4 that a change of state is under way.
func (m *Machine) Fail(program string, n int) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	m.fail[program] = n
}

// Hang makes a program hang, or end again. program as for Fail.
func (m *Machine) Hang(program string, on bool) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	m.hang[program] = on
}

// HangDisk makes the disk beneath a volume group answer nothing, or answer again. Every program of LVM that may read it hangs.
func (m *Machine) HangDisk(vgName string, on bool) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	for _, g := range m.vgs {
		if g.name == vgName {
			m.hang[g.disk()] = on
		}
	}
}

// DiskFull makes every write to a file fail, or work again.
func (m *Machine) DiskFull(on bool) {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	m.full = on
}

// Run implements run.Runner.
func (m *Machine) Run(ctx context.Context, c run.Cmd) (res run.Result, err error) {
	if err := ctx.Err(); err != nil {
		return run.Result{}, err
	}
	defer m.enter(&err)()
	if m.dead {
		return run.Result{}, run.ErrCrashed
	}
	if len(c.Argv) == 0 {
		return run.Result{}, fmt.Errorf("start program: empty argv")
	}
	prog := path.Base(c.Argv[0])
	word := ""
	switch prog {
	case "drbdadm", "drbdsetup", "drbdmeta", "lvm":
		word = prog + " " + firstWord(c.Argv[1:])
	}
	f := program(prog)
	if f == nil {
		return run.Result{}, fmt.Errorf("%s: %w", c.Argv[0], run.ErrNotFound)
	}
	m.log = append(m.log, "$ "+strings.Join(c.Argv, " "))
	limit := c.Timeout
	if limit == 0 {
		limit = run.DefaultTimeout
	}
	hung := &run.HungError{Pid: 1000 + len(m.log), Argv: c.Argv, After: limit}
	for _, k := range []string{prog, word} {
		if m.hang[k] {
			m.hung[hung.Pid] = k
			return run.Result{}, hung
		}
	}
	for _, k := range []string{prog, word} {
		if m.fail[k] > 0 {
			m.fail[k]--
			if k == "drbdadm adjust" && generation(m.loaded) == drbd.Gen8 && m.fail[k] < 2 { // as while a bitmap is exchanged
				return run.Result{Exit: 1, Stderr: []byte("??: State change failed: (-18) In transient state, retry after next state change\n" +
					"Command 'drbdsetup-84 disconnect ipv4:10.77.0.1:7000 ipv4:127.27.88.1:1' terminated with exit code 11\n")}, nil
			}
			return run.Result{Exit: 1, Stderr: []byte(prog + ": injected failure\n")}, nil
		}
	}
	m.net.stirred = prog == "drbdadm" || prog == "drbdsetup" && word != "drbdsetup events2" || prog == "modprobe"
	x := &call{m: m, prog: prog, argv: slices.Clone(c.Argv[1:]), stdin: c.Stdin, detach: c.Detach}
	f(x)
	if x.hung {
		if x.hungBy != "" {
			m.hung[hung.Pid] = x.hungBy
		}
		return run.Result{}, hung
	}
	return run.Result{Exit: x.exit, Stdout: []byte(x.out.String()), Stderr: []byte(x.err.String())}, nil
}

// firstWord is the sub-command: the first argument that's no option, nor an
// option's value, nor (drbdmeta) minor, format, device and place.
func firstWord(args []string) string {
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "-c" || a == "--config":
			i++
		case strings.HasPrefix(a, "-"):
		case len(args) > i+4 && (args[i+1] == string(drbd.V08) || args[i+1] == string(drbd.V09)):
			return args[i+4]
		default:
			return a
		}
	}
	return ""
}

// call is one program on its way.
type call struct {
	m        *Machine
	prog     string
	argv     []string // without the program
	stdin    []byte
	out, err strings.Builder
	exit     int
	hung     bool
	detach   bool
	sees     func(*vg) bool // LVM: whether the filter lets it
	hungBy   string         // what makes it hang, as in Machine.hang; "": nothing ends that
}

func (x *call) fail(exit int, format string, args ...any) {
	x.exit = exit
	fmt.Fprintf(&x.err, format+"\n", args...)
}

// take removes a flag and says whether it was there.
func (x *call) take(names ...string) bool {
	n := len(x.argv)
	x.argv = slices.DeleteFunc(x.argv, func(s string) bool { return slices.Contains(names, s) })
	return len(x.argv) < n
}

// value removes an option and its value, or gives "".
func (x *call) value(name string) string {
	for i, a := range x.argv {
		if a == name && i+1 < len(x.argv) {
			v := x.argv[i+1]
			x.argv = slices.Delete(slices.Clone(x.argv), i, i+2)
			return v
		}
	}
	return ""
}

// values removes all of one option.
func (x *call) values(name string) []string {
	var vs []string
	for {
		v := x.value(name)
		if v == "" {
			return vs
		}
		vs = append(vs, v)
	}
}

// program gives what is installed under a name, or nil.
func program(name string) func(*call) {
	switch name {
	case "lvm":
		return (*call).lvm
	case "vgs", "lvs", "pvs":
		return (*call).report
	case "lvcreate":
		return (*call).lvcreate
	case "lvremove":
		return (*call).lvremove
	case "lvchange":
		return (*call).lvchange
	case "lvrename":
		return (*call).lvrename
	case "lvextend":
		return (*call).lvextend
	case "vgcreate":
		return (*call).vgcreate
	case "lsblk":
		return (*call).lsblk
	case "wipefs":
		return (*call).wipefs
	case "mkfs.ext4", "mkfs.xfs":
		return (*call).mkfs
	case "tee":
		return (*call).tee
	case "fsck.ext4", "xfs_repair":
		return (*call).fsck
	case "losetup":
		return (*call).losetup
	case "cryptsetup":
		return (*call).cryptsetup
	case "dmsetup":
		return (*call).dmsetup
	case "blockdev":
		return (*call).blockdev
	case "df":
		return (*call).df
	case "cp":
		return (*call).cp
	case "ionice":
		return (*call).ionice
	case "dd":
		return (*call).dd
	case "zfs":
		return (*call).zfs
	case "udevadm":
		return (*call).udevadm
	case "thin_check":
		return (*call).thinCheck
	case "fallocate":
		return (*call).fallocate
	case "sync":
		return (*call).syncFile
	case "findmnt":
		return (*call).findmnt
	case "uname":
		return (*call).uname
	case "modinfo":
		return (*call).modinfo
	case "modprobe":
		return (*call).modprobe
	case "drbdadm":
		return (*call).drbdadm
	case "drbdsetup":
		return (*call).drbdsetup
	case "drbdmeta":
		return (*call).drbdmeta
	case "holdfast":
		return (*call).guard
	}
	return nil
}
