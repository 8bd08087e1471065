package steps

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"holdfast/internal/model"
)

// MayVerify tells why DRBD can't compare blocks now; "" if it can: every peer is connected, all volumes are UpToDate here and
// on each of the n peers that are to have a disk, and nothing else is on its way.
func MayVerify(k *Kernel, n int) string {
	if k == nil {
		return "it isn't up"
	}
	if n == 0 {
		return "no peer has a disk"
	}
	numbers := slices.Sorted(maps.Keys(k.Volumes))
	for _, i := range numbers {
		if v := k.Volumes[i]; v.Disk != model.DiskUpToDate {
			return fmt.Sprintf("volume %d is %s here", i, v.Disk)
		}
	}
	for _, kp := range k.Peers {
		if kp.State != model.Connected {
			return "the connection to " + peerName(kp) + " is " + kp.State
		}
		for _, i := range numbers {
			switch pv := kp.Volumes[i]; {
			case pv.Disk == model.DiskDiskless:
				continue
			case pv.Disk != model.DiskUpToDate:
				return fmt.Sprintf("volume %d of %s is %s", i, peerName(kp), pv.Disk)
			case pv.Replication != "Established":
				return fmt.Sprintf("volume %d is %s with %s", i, pv.Replication, peerName(kp))
			}
		}
	}
	return lacksDisk(k, n)
}

// lacksDisk names a volume of which fewer than n connected peers have a good disk; "": there is none.
func lacksDisk(k *Kernel, n int) string {
	for _, i := range slices.Sorted(maps.Keys(k.Volumes)) {
		good := 0
		for _, kp := range k.Peers {
			if kp.State == model.Connected && kp.Volumes[i].Disk == model.DiskUpToDate {
				good++
			}
		}
		if good < n {
			return fmt.Sprintf("volume %d: a replica that is to have a disk has none, or isn't connected", i)
		}
	}
	return ""
}

func peerName(kp KernelPeer) string {
	if kp.Name != "" {
		return kp.Name
	}
	return "the peer"
}

// Verifying tells where a verify that was begun is by what the kernel shows: it goes on, it ended, or it was broken off: a
// disk, of this replica or of the n peers that are to have one, isn't there any more.
func Verifying(k *Kernel, n int) (model.VerifyPhase, string) {
	if k == nil {
		return model.VerifyBroken, "the resource was taken down"
	}
	runs := false
	for _, i := range slices.Sorted(maps.Keys(k.Volumes)) {
		if d := k.Volumes[i].Disk; d != model.DiskUpToDate {
			return model.VerifyBroken, fmt.Sprintf("volume %d became %s here", i, d)
		}
	}
	for _, kp := range k.Peers {
		disks := len(kp.Volumes) == 0
		for _, n := range slices.Sorted(maps.Keys(kp.Volumes)) {
			pv := kp.Volumes[n]
			runs = runs || strings.HasPrefix(pv.Replication, "Verify")
			if pv.Disk != model.DiskDiskless {
				disks = true
			}
			if kp.State == model.Connected && pv.Disk != model.DiskDiskless && !strings.HasPrefix(pv.Replication, "Verify") && pv.Replication != "Established" {
				return model.VerifyBroken, fmt.Sprintf("volume %d became %s with %s", n, pv.Replication, peerName(kp))
			}
		}
		if disks && kp.State != model.Connected {
			return model.VerifyBroken, "the connection to " + peerName(kp) + " was lost"
		}
	}
	if why := lacksDisk(k, n); why != "" {
		return model.VerifyBroken, why
	}
	if runs {
		return model.VerifyBegun, ""
	}
	return model.VerifyEnded, ""
}
