package steps

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"holdfast/internal/model"
)

// MayVerify tells why DRBD can't compare blocks now; "" if it can: every peer with a disk is connected, all volumes are
// UpToDate here and there, and nothing else is on its way.
func MayVerify(k *Kernel) string {
	if k == nil {
		return "it isn't up"
	}
	numbers := slices.Sorted(maps.Keys(k.Volumes))
	for _, n := range numbers {
		if v := k.Volumes[n]; v.Disk != model.DiskUpToDate {
			return fmt.Sprintf("volume %d is %s here", n, v.Disk)
		}
	}
	others := 0
	for _, kp := range k.Peers {
		if kp.State != model.Connected {
			return "the connection to " + peerName(kp) + " is " + kp.State
		}
		for _, n := range numbers {
			switch pv := kp.Volumes[n]; {
			case pv.Disk == model.DiskDiskless:
				continue
			case pv.Disk != model.DiskUpToDate:
				return fmt.Sprintf("volume %d of %s is %s", n, peerName(kp), pv.Disk)
			case pv.Replication != "Established":
				return fmt.Sprintf("volume %d is %s with %s", n, pv.Replication, peerName(kp))
			}
			others++
		}
	}
	if others == 0 {
		return "no peer has a disk"
	}
	return ""
}

func peerName(kp KernelPeer) string {
	if kp.Name != "" {
		return kp.Name
	}
	return "the peer"
}

// Verifying tells where a verify that was begun is by what the kernel shows: it goes on, it ended, or it was broken off.
func Verifying(k *Kernel) (model.VerifyPhase, string) {
	if k == nil {
		return model.VerifyBroken, "the resource was taken down"
	}
	runs := false
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
	if runs {
		return model.VerifyBegun, ""
	}
	return model.VerifyEnded, ""
}
