package scenario

import (
	"strings"
	"testing"
	"time"

	"holdfast/lab/cluster"
)

// Empty disks by the real lsblk and wipefs: what is in use or written on isn't offered and isn't taken, whatever is ordered;
// an empty one becomes a volume group with a storage pool over it.
func TestPhysicalStorage(t *testing.T) {
	w := up(t, 1, func(c *cluster.Config) { c.Lab.Disks = []int64{1 << 30, 2 << 30, 2 << 30} })
	w.lin("node create --node-type Combined alpha " + w.Machines[0].Address)
	disks := strings.Fields(w.on("alpha", "lsblk --nodeps --noheadings --paths --output NAME --include 254,252,253 | sort"))
	used := strings.TrimSpace(w.on("alpha", "vgs --noheadings -o pv_name "+cluster.VG))
	var empty []string
	for _, d := range disks {
		if strings.TrimSpace(w.on("alpha", "lsblk --bytes --nodeps --noheadings --output SIZE "+d)) == "2147483648" {
			empty = append(empty, d)
		}
	}
	if len(empty) != 2 {
		t.Fatalf("disks %v, empty %v", disks, empty)
	}
	first, second := empty[0], empty[1]
	offered := func(d string) bool { return strings.Contains(w.lin("physical-storage list"), d) }
	w.until(30*time.Second, "both are offered", func() (bool, string) { return offered(first) && offered(second), w.lin("physical-storage list") })
	if offered(used) {
		t.Errorf("%s of the volume group %s is offered", used, cluster.VG)
	}

	// Somebody has begun to use the second one.
	w.on("alpha", "pvcreate -y "+second)
	sum := w.on("alpha", "dd if="+second+" bs=1M count=4 | sha256sum")
	w.refused("physical-storage create-device-pool lvm alpha "+second+" --pool-name fast --storage-pool fastpool", "LVM2_member")
	w.refused("physical-storage create-device-pool lvm alpha "+first+" "+second+" --pool-name fast", "LVM2_member")
	w.refused("physical-storage create-device-pool lvm alpha "+used+" --pool-name fast", "LVM2_member")
	w.refused("physical-storage create-device-pool lvm alpha /dev/nothing --pool-name fast", "not a block device")
	if again := w.on("alpha", "dd if="+second+" bs=1M count=4 | sha256sum"); again != sum {
		t.Error("something was written on a device that isn't empty")
	}
	if out := w.on("alpha", "wipefs "+first); strings.TrimSpace(out) != "" {
		t.Errorf("something was written on %s: %s", first, out)
	}

	w.lin("physical-storage create-device-pool lvm alpha " + first + " --pool-name fast --storage-pool fastpool")
	if out := w.on("alpha", "vgs --noheadings -o vg_name,pv_name,vg_tags fast"); !strings.Contains(out, first) || !strings.Contains(out, "holdfast.made.") {
		t.Error(out)
	}
	w.until(30*time.Second, "the storage pool has its space", func() (bool, string) {
		out := w.lin("storage-pool list")
		return strings.Contains(out, "fastpool") && strings.Contains(out, "2.00 GiB") && !strings.Contains(out, "Error"), out
	})
	w.until(30*time.Second, first+" isn't offered any more", func() (bool, string) { return !offered(first), w.lin("physical-storage list") })

	// Once the second one is empty, it becomes a thin pool.
	w.on("alpha", "pvremove "+second)
	w.lin("physical-storage create-device-pool lvmthin alpha " + second + " --pool-name thin --storage-pool thinpool")
	if out := w.on("alpha", "lvs --noheadings -o lv_name,lv_attr,zero linstor_thin"); !strings.Contains(out, "thin") || !strings.Contains(out, "twi-a-tz") {
		t.Errorf("no thin pool: %s", out)
	}
	w.until(30*time.Second, "the thin pool has its space", func() (bool, string) {
		out := w.lin("storage-pool list")
		return strings.Contains(out, "linstor_thin/thin") && !strings.Contains(out, "Error"), out
	})
	w.refused("physical-storage create-device-pool lvm alpha "+first+" --pool-name fast", "there already")
	w.lin("storage-pool delete alpha thinpool")
	w.on("alpha", "vgremove -y linstor_thin")
	w.lin("storage-pool delete alpha fastpool")
	w.on("alpha", "vgremove -y fast")
}
