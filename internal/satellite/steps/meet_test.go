package steps

import (
	"strings"
	"testing"

	"holdfast/internal/model"
)

// Who is behind, connected to a good one, and isn't synced, meets it anew; nobody else does.
func TestAdrift(t *testing.T) {
	const good = model.DiskUpToDate
	bravo := func(state, disk, replication string) KernelPeer {
		return KernelPeer{Name: "bravo", NodeID: 1, Role: secondary, State: state, Volumes: map[int]KernelPeerVolume{0: {Disk: disk, Replication: replication}, 1: {Disk: good, Replication: "Established"}}}
	}
	charlie := func(state, disk, replication string) KernelPeer {
		return KernelPeer{Name: "charlie", NodeID: 2, Role: secondary, State: state, Volumes: map[int]KernelPeerVolume{0: {Disk: disk, Replication: replication}, 1: {Disk: good, Replication: "Established"}}}
	}
	busy := bravo(model.Connected, good, "Established")
	busy.Volumes[1] = KernelPeerVolume{Disk: good, Replication: "SyncSource"}
	user := bravo(model.Connected, good, "Established")
	user.Name, user.NodeID, user.Role = "delta", 3, primary
	for _, c := range []struct {
		name, role, disk string
		peers            []KernelPeer
		meets            string
	}{
		{"in no sync", secondary, model.DiskInconsistent, []KernelPeer{bravo(model.Connected, good, "Established")}, "bravo"},
		{"nobody answered", secondary, negotiating, []KernelPeer{bravo(model.Connected, good, "Established")}, "bravo"},
		{"the good one is the other", secondary, model.DiskInconsistent, []KernelPeer{bravo("Connecting", "DUnknown", "Off"), charlie(model.Connected, good, "Established")}, "charlie"},
		{"good", secondary, good, []KernelPeer{bravo(model.Connected, good, "Established")}, ""},
		{"known to be behind", secondary, "Outdated", []KernelPeer{bravo(model.Connected, good, "Established")}, ""},
		{"synced", secondary, model.DiskInconsistent, []KernelPeer{bravo(model.Connected, good, "SyncTarget")}, ""},
		{"synced by the other", secondary, model.DiskInconsistent, []KernelPeer{bravo(model.Connected, good, "Established"), charlie(model.Connected, good, "PausedSyncT")}, ""},
		{"nobody is good", secondary, model.DiskInconsistent, []KernelPeer{bravo(model.Connected, model.DiskInconsistent, "Established")}, ""},
		{"away", secondary, model.DiskInconsistent, []KernelPeer{bravo("Connecting", good, "Off")}, ""},
		{"another volume is synced", secondary, model.DiskInconsistent, []KernelPeer{busy}, ""},
		{"used here, from there", primary, model.DiskInconsistent, []KernelPeer{bravo(model.Connected, good, "Established")}, ""},
		{"used here, from two", primary, model.DiskInconsistent, []KernelPeer{bravo(model.Connected, good, "Established"), charlie(model.Connected, good, "Established")}, "bravo"},
		{"from two", secondary, negotiating, []KernelPeer{bravo(model.Connected, good, "Established"), charlie(model.Connected, good, "Established")}, "bravo charlie"},
		{"the user first", secondary, negotiating, []KernelPeer{bravo(model.Connected, good, "Established"), user}, "delta bravo"},
	} {
		k := &Kernel{Role: c.role, Volumes: map[int]KernelVolume{0: {Disk: c.disk}, 1: {Disk: good}}, Peers: c.peers}
		var names []string
		peers, n := Adrift(k)
		for _, kp := range peers {
			names = append(names, kp.Name)
		}
		if n != 0 {
			t.Errorf("%s: volume %d", c.name, n)
		}
		got := strings.Join(names, " ")
		if got != c.meets {
			t.Errorf("%s: meets %q, want %q", c.name, got, c.meets)
		}
	}
	if peers, _ := Adrift(nil); peers != nil {
		t.Error("nothing is up")
	}
}

// Who waits for the bitmap of one that isn't in use meets it anew.
func TestWaits(t *testing.T) {
	for _, c := range []struct {
		name, role, first, second string
		want                      bool
	}{
		{"waits", secondary, "WFBitMapS", "Established", true},
		{"waits for both", secondary, "WFBitMapS", "WFBitMapS", true},
		{"in use there", primary, "WFBitMapS", "Established", false},
		{"the other volume is synced", secondary, "WFBitMapS", "SyncSource", false},
		{"synced", secondary, "SyncSource", "Established", false},
		{"at rest", secondary, "Established", "Established", false},
	} {
		k := &Kernel{Role: primary, Volumes: map[int]KernelVolume{0: {Disk: model.DiskUpToDate}, 1: {Disk: model.DiskUpToDate}}, Peers: []KernelPeer{
			{Name: "bravo", State: model.Connected, Role: c.role, Volumes: map[int]KernelPeerVolume{0: {Replication: c.first}, 1: {Replication: c.second}}}}}
		if peers, _, after := ToMeet(k); len(peers) > 0 != c.want || c.want && after != bitmapFor {
			t.Errorf("%s: %+v after %s", c.name, peers, after)
		}
	}
}

// What hangs on a disk that is Negotiating holds up whatever is wanted of the replica since: the peer is met anew first.
func TestUnhangsFirst(t *testing.T) {
	for name, want := range map[string]func(*model.ResourceSpec){
		"stays":      func(*model.ResourceSpec) {},
		"disk goes":  func(s *model.ResourceSpec) { s.DropDisk = true },
		"disk held":  func(s *model.ResourceSpec) { s.DropDisk, s.Hold = true, true },
		"is removed": func(s *model.ResourceSpec) { s.Want = model.Gone; s.Volumes[0].Want = model.Gone },
	} {
		w := diskful(t)
		w.peer = model.DiskUpToDate
		w.kernel.Peers = w.peers()
		for _, kp := range w.kernel.Peers {
			kp.Volumes[0] = KernelPeerVolume{Disk: model.DiskUpToDate, Replication: "Established"}
		}
		v := w.kernel.Volumes[0]
		v.Disk = negotiating
		w.kernel.Volumes[0] = v
		want(&w.spec)
		if p := w.plan(); !p.Unhangs() {
			t.Errorf("%s: %+v", name, p)
		}
		v.Disk = model.DiskUpToDate
		w.kernel.Volumes[0] = v
		if p := w.plan(); p.Unhangs() {
			t.Errorf("%s, and its disk is good: %+v", name, p)
		}
	}
}
