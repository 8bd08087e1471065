package scenario

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast/lab"
)

// LVM_THIN: the tutorial on thin pools that zero what they give out, so the first sync is skipped; more is promised than
// there is, up to the ratio; a volume grows under a writer; a node's power is cut; a pool that is nearly full says so and takes nothing new.
func TestThin(t *testing.T) {
	w := shared(t)
	w.each(func(m *lab.Machine) error {
		_, err := m.Sh(w.ctx, "lvcreate -q -y -T -Zy -L 256M --poolmetadatasize 4M sw_ssd/thin && sync /dev/vda")
		return err
	})
	for i, m := range w.Machines {
		if i == 0 {
			w.lin("storage-pool create lvmthin " + m.Name + " thin sw_ssd/thin")
		} else {
			w.lin("storage-pool create " + m.Name + " thin lvmthin sw_ssd/thin")
		}
	}
	if out := w.lin("storage-pool list -s thin"); strings.Count(out, "LVM_THIN") != 2 || strings.Count(out, "sw_ssd/thin") != 2 ||
		strings.Count(out, "256 MiB") != 4 || strings.Count(out, "True") != 2 || strings.Count(out, "Ok") != 2 {
		t.Errorf("storage-pool list:\n%s", out)
	}
	w.define("r0", "128M")
	w.lin("resource create r0 --auto-place 2 -s thin")
	w.upToDate("r0", 2)
	if out := w.on("bravo", "drbdsetup status r0 --verbose --statistics"); !strings.Contains(out, "received:0") {
		t.Errorf("the first sync wasn't skipped:\n%s", out)
	}
	dev := w.device("r0")
	w.on("alpha", "drbdadm primary r0")
	sum := w.write("alpha", dev, 8)
	goesOn, stop := w.beyond("alpha", dev)
	w.lin("volume-definition set-size r0 0 160M")
	if got := w.kib("alpha", dev); got < 160<<10 || got >= 164<<10 {
		t.Errorf("the volume has %d KiB", got)
	}
	goesOn()
	stop()
	w.check("alpha", dev, 8, sum)
	w.define("r1", "4G") // 256 MiB twenty times are 5 GiB
	w.lin("resource create bravo r1 -s thin")
	w.define("r2", "8G")
	w.refused("resource create r2 --auto-place 2 -s thin", "free")

	w.kill("alpha")
	w.connected("bravo", "r0", false)
	w.on("bravo", "drbdadm primary r0")
	w.check("bravo", dev, 8, sum)
	sum = w.write("bravo", dev, 4)
	w.powerOn("alpha")
	w.online()
	w.upToDate("r0", 2)
	w.on("bravo", "drbdadm secondary r0")
	w.on("alpha", "drbdadm primary r0")
	w.check("alpha", dev, 4, sum)
	w.on("alpha", "drbdadm secondary r0")

	var used float64
	if _, err := fmt.Sscan(w.on("bravo", "lvs --noheadings -o data_percent sw_ssd/thin"), &used); err != nil || used > 20 {
		t.Fatalf("%g %% of the thin pool are used: %v", used, err)
	}
	w.on("bravo", fmt.Sprintf("lvcreate -q -y -n filler -V 256M --thinpool thin sw_ssd 2>/dev/null; dd if=/dev/zero of=/dev/sw_ssd/filler bs=1M count=%d oflag=direct status=none", int((98.6-used)*256/100)))
	w.define("r3", "16M")
	w.lin("resource create bravo r3 -s thin") // nobody has noticed yet; the pool is looked at after each change
	w.until(time.Minute, "the list says that the pool on bravo is full", func() (bool, string) {
		out := w.lin("storage-pool list -s thin")
		return strings.Count(out, "Error") == 1 && strings.Contains(out, "takes no new volumes"), out
	})
	w.define("r4", "16M")
	w.refused("resource create bravo r4 -s thin", "98 %")
	w.on("bravo", "lvremove -q -y sw_ssd/filler && sync /dev/vda")
	w.lin("resource-definition delete r3")
	w.until(time.Minute, "the list says that it has room again", func() (bool, string) {
		out := w.lin("storage-pool list -s thin")
		return strings.Count(out, "Ok") == 2, out
	})
	w.check("bravo", "/dev/sw_ssd/r0_00000", 4, sum)

	w.lin("resource-definition delete r0 r1 r2 r4")
	for _, m := range w.Machines {
		w.until(time.Minute, "no thin volume is left on "+m.Name, func() (bool, string) {
			out, err := m.Sh(w.ctx, "lvs --noheadings -o name sw_ssd; ls /var/lib/holdfast.d | grep '[.]res$'; true")
			return err == nil && strings.TrimSpace(out) == "thin", out
		})
		w.lin("storage-pool delete " + m.Name + " thin")
	}
	w.each(func(m *lab.Machine) error {
		_, err := m.Sh(w.ctx, "lvremove -q -y sw_ssd/thin && sync /dev/vda")
		return err
	})
}
