package drbd

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"holdfast/internal/tool/tooltest"
)

func TestSnapshot(t *testing.T) {
	s, err := Tool{Run: tooltest.Play(t, "drbd84/alpha-syncing-events2-now")}.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	oos := s.Resources["backups"].Connections[0].PeerDevices[0].OutOfSyncKiB
	want := &State{Complete: true, Resources: map[string]*ResourceState{"backups": {
		Name: "backups", Role: "Primary", Suspended: "no",
		Devices: map[int]*DeviceState{0: {Minor: 1000, Disk: "UpToDate", SizeKiB: 65496}},
		Connections: map[int]*ConnectionState{0: {Name: "peer", Connection: "Connected", Role: "Secondary",
			PeerDevices: map[int]*PeerDeviceState{0: {Replication: "SyncSource", PeerDisk: "Inconsistent", ResyncSuspend: "no", OutOfSyncKiB: oos}}}},
	}}}
	if d := cmp.Diff(want, s); d != "" || oos == 0 {
		t.Error(d, oos)
	}
	if !s.Resources["backups"].Syncing() || s.Resources["backups"].UpToDatePeer(0) {
		t.Error("not seen as syncing, or a good peer seen")
	}
	if d := cmp.Diff(s, s.Clone()); d != "" {
		t.Error(d)
	}
	for _, n := range tooltest.List(t, "drbd84", "-events2-now") {
		if _, err := ParseSnapshot(tooltest.Load(t, n).Stdout); err != nil {
			t.Errorf("%s: %v", n, err)
		}
	}
	if _, err := ParseSnapshot([]byte("exists resource name:a role:Primary\n")); err == nil {
		t.Error("cut short, taken for whole")
	}
}

// The live stream of a whole life: at each point what was asked with --now.
func TestStream(t *testing.T) {
	for _, n := range tooltest.List(t, "drbd84", "-stream") {
		s := NewState()
		roles := ""
		for line := range bytes.Lines(tooltest.Load(t, n).Stdout) {
			e, err := ParseEvent(string(line))
			if err != nil {
				t.Fatalf("%s: %v", n, err)
			}
			if _, err := s.Apply(e); err != nil {
				t.Fatalf("%s: %v", n, err)
			}
			if r := s.Resources["r0"]; r != nil && len(roles) > 0 && roles[len(roles)-1] != r.Role[0] || r != nil && roles == "" {
				roles += r.Role[:1]
			}
		}
		if len(s.Resources) != 0 || !s.Complete {
			t.Errorf("%s: left at the end: %v", n, s.Names())
		}
		if n == "drbd84/alpha-stream" && roles != "SPSPSPS" {
			t.Errorf("%s: roles %s", n, roles)
		}
	}
}

// As 9 prints it (documented in drbdsetup-9.0(8), and lab.md).
func TestStream9(t *testing.T) {
	s, err := ParseSnapshot([]byte(`exists resource name:web role:Secondary suspended:no may_promote:yes promotion_score:10101
exists connection name:web peer-node-id:1 conn-name:bravo connection:Connected role:Secondary
exists connection name:web peer-node-id:2 conn-name:charlie connection:Connecting role:Unknown
exists device name:web volume:0 minor:1000 backing_dev:/dev/vg/web_00000 disk:UpToDate client:no open:no quorum:yes size:1048576
exists peer-device name:web peer-node-id:1 conn-name:bravo volume:0 replication:SyncSource peer-disk:Inconsistent peer-client:no resync-suspended:no done:42.50 out-of-sync:1024
exists path name:web peer-node-id:1 conn-name:bravo local:ipv4:10.77.0.1:7000 peer:ipv4:10.77.0.2:7000 established:yes
exists -
change peer-device name:web peer-node-id:1 conn-name:bravo volume:0 replication:Established peer-disk:UpToDate out-of-sync:0
rename resource name:web new_name:www
`))
	if err != nil {
		t.Fatal(err)
	}
	r := s.Resources["www"]
	if r == nil || r.MayPromote != "yes" || r.Score != 10101 || r.Devices[0].Quorum != "yes" || r.Devices[0].Client != "no" || len(r.Peers()) != 2 || r.Peers()[1].Name != "charlie" {
		t.Fatalf("%+v", r)
	}
	if p := r.Connections[1].PeerDevices[0]; p.HasDonePercent || p.Replication != "Established" {
		t.Errorf("%+v", p)
	}
	if !r.UpToDatePeer(0) {
		t.Error("good peer not seen")
	}
	if e, err := ParseEvent("2026-11-22T14:00:00.123456+00:00 change resource name:web role:Primary"); err != nil || e.Verb != "change" {
		t.Error(e, err)
	}
	if _, err := NewState().Apply(Event{Verb: "change", Object: "device", Fields: map[string]string{"name": "x", "volume": "0"}}); err == nil {
		t.Error("change of the unknown taken")
	}
}
