package lab

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"holdfast/lab/agentapi"
)

// Config says what to bring up. The zero value of a field is its default.
type Config struct {
	Machines int       // how many, 1 to 26; default 2
	Memory   int       // MiB each; default 512, with ZFS 768
	CPUs     int       // each; default 1
	Disks    []int64   // sizes of the data disks (/dev/vda, /dev/vdb ...), bytes, whole MiB; default two of 2 GiB
	Modules  []string  // kernel modules loaded at boot; default dm-mod, dm-thin-pool, dm-snapshot, loop, drbd and its TCP transport if there
	Network  string    // "tap", "dgram" or "" (tap where this machine permits it)
	Keep     float64   // how likely an unflushed page survives Kill, 0 to 1; default 0.5. For none at all: KillKeeping(0).
	Seed     uint64    // of what a power cut loses; default 1
	Cold     bool      // boot instead of starting from a template
	Home     string    // what the lab keeps; default $HOLDFAST_LAB_DIR, else .lab in the checkout
	Source   string    // the checkout; default: found from the working directory upwards
	Extra    string    // folder of extra kernel modules; default $HOLDFAST_LAB_MODULES
	ZFS      bool      // machines with ZFS and udevd; its module is compiled the first time, which takes minutes. Zpools are imported by hand
	Log      io.Writer // progress of slow things, a line each; nil: none
}

// defaultDisk is the size of a data disk, bytes.
const defaultDisk = 2 << 30

func (c Config) filled() (Config, error) {
	if c.Machines == 0 {
		c.Machines = 2
	}
	if c.Memory == 0 {
		c.Memory = 512
		if c.ZFS {
			c.Memory = 768
		}
	}
	if c.CPUs == 0 {
		c.CPUs = 1
	}
	if c.Disks == nil {
		c.Disks = []int64{defaultDisk, defaultDisk}
	}
	if c.Keep == 0 {
		c.Keep = 0.5
	}
	if c.Seed == 0 {
		c.Seed = 1
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	if c.Extra == "" {
		c.Extra = os.Getenv("HOLDFAST_LAB_MODULES")
	}
	if c.Modules == nil {
		c.Modules = []string{"dm-mod", "dm-thin-pool", "dm-snapshot", "loop", "drbd"}
		if c.Extra != "" {
			c.Modules = append(c.Modules, "drbd_transport_tcp")
		}
		if c.ZFS {
			c.Modules = append(c.Modules, "zfs")
		}
	}
	var errs []error
	if c.Source == "" {
		dir, err := findSource()
		errs = append(errs, err)
		c.Source = dir
	}
	if c.Home == "" {
		c.Home = homeIn(c.Source)
	}
	home, err := filepath.Abs(c.Home)
	errs = append(errs, err)
	c.Home = home
	if c.Machines < 1 || c.Machines > agentapi.MaxID {
		errs = append(errs, fmt.Errorf("%d machines; 1 to %d are possible", c.Machines, agentapi.MaxID))
	}
	if len(c.Disks) > 8 {
		errs = append(errs, fmt.Errorf("%d data disks; at most 8 are possible", len(c.Disks)))
	}
	for _, d := range c.Disks {
		if d <= 0 || d%(1<<20) != 0 {
			errs = append(errs, fmt.Errorf("a disk of %d bytes; whole MiB are wanted", d))
		}
	}
	return c, errors.Join(errs...)
}

// findSource looks for the checkout from the working directory upwards.
func findSource() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for d := dir; ; d = filepath.Dir(d) {
		b, err := os.ReadFile(filepath.Join(d, "go.mod"))
		if err == nil && strings.HasPrefix(string(b), "module holdfast\n") {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("find the checkout of holdfast: not in or above %s", dir)
		}
	}
}

// Home is the folder for all that the lab keeps where a Config names none.
func Home() (string, error) {
	source, err := findSource()
	if err != nil {
		return "", err
	}
	return filepath.Abs(homeIn(source))
}

func homeIn(source string) string {
	if d := os.Getenv("HOLDFAST_LAB_DIR"); d != "" {
		return d
	}
	return filepath.Join(source, ".lab")
}
