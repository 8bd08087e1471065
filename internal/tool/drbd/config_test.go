package drbd

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"holdfast/internal/tool/tooltest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func node(i int, name string, diskless bool, vols ...Volume) Node {
	return Node{Name: name, NodeID: i, Address: netip.AddrFrom4([4]byte{10, 77, 0, byte(i + 1)}), Port: 7000 + i%2, Diskless: diskless, Volumes: vols}
}

func resource9(names string, disklessFrom int, vols int) Resource {
	r := Resource{Name: "web", Generation: Gen9, Local: "alpha", Secret: "s3cret+/=", Options: map[string]map[string]string{
		"options":     {"quorum": "majority", "on-no-quorum": "io-error", "auto-promote": "yes", "on-no-data-accessible": "suspend-io"},
		"net":         {"protocol": "C", "ping-int": "3", "allow-two-primaries": "no", "verify-alg": "crct10dif-pclmul"},
		"disk":        {"on-io-error": "detach", "al-extents": "1237", "fencing": "resource-only"},
		"peer-device": {"c-plan-ahead": "0", "resync-rate": "400M", "c-max-rate": "500M"},
	}}
	for i, n := range strings.Fields(names) {
		var vs []Volume
		for v := range vols {
			vs = append(vs, Volume{Number: v, Minor: 1000 + v, Device: fmt.Sprintf("/dev/sw_ssd/web_%05d", v)})
		}
		if i >= disklessFrom {
			for v := range vs {
				vs[v].Device = ""
			}
		}
		r.Nodes = append(r.Nodes, node(i, n, i >= disklessFrom, vs...))
	}
	return r
}

var golden9 = map[string]Resource{
	"9-1-node":          resource9("alpha", 9, 1),
	"9-2-nodes":         resource9("alpha bravo", 9, 1),
	"9-3-nodes-1-less":  resource9("alpha bravo charlie", 2, 2),
	"9-3-nodes":         resource9("alpha bravo charlie", 9, 1),
	"9-7-nodes-3-less":  resource9("alpha bravo charlie delta echo foxtrot golf", 4, 1),
	"9-local-less-ipv6": ipv6(),
	"9-connections":     connections9(),
}

func connections9() Resource {
	r := resource9("alpha bravo charlie", 9, 1)
	r.Local = "bravo"
	ip := netip.MustParseAddr
	r.Peers = map[string]Peer{
		"alpha": {Options: map[string]map[string]string{"net": {"protocol": "A", "sndbuf-size": "10485760"}, "peer-device": {"c-max-rate": "100M"}}},
		"charlie": {Options: map[string]map[string]string{"net": {"ping-timeout": "20"}},
			Paths: []Path{{ip("10.78.0.2"), ip("10.78.0.3")}, {ip("10.79.0.2"), ip("10.79.0.3")}}},
	}
	return r
}

func ipv6() Resource {
	r := resource9("alpha bravo charlie", 9, 1)
	r.Nodes[0].Diskless, r.Nodes[0].Volumes[0].Device = true, ""
	for i := range r.Nodes {
		r.Nodes[i].Address = netip.MustParseAddr(fmt.Sprintf("fd00::%d", i+1))
	}
	r.Options["peer-device"]["bitmap"] = "yes"
	r.Nodes[2].Volumes[0].Device = "" // a peer's, not known here
	return r
}

// The two files whose dry adjust is recorded in the traces.
func resource84(names string) Resource {
	r := Resource{Name: "s1", Generation: Gen8, Local: "n1", Secret: "abc+/=", Options: map[string]map[string]string{
		"net":         {"protocol": "C", "ping-int": "1", "allow-two-primaries": "no", "max-buffers": "8000"},
		"disk":        {"al-extents": "67", "on-io-error": "detach", "fencing": "dont-care"},
		"peer-device": {"c-plan-ahead": "0", "resync-rate": "400M"},
		"options":     {"quorum": "majority", "on-no-data-accessible": "suspend-io"},
	}}
	for i, n := range strings.Fields(names) {
		x := node(i, n, false, Volume{Minor: 1005, Device: "/dev/sw_ssd/s1_00000"})
		x.Port = 7005
		r.Nodes = append(r.Nodes, x)
	}
	return r
}

func golden(t *testing.T, name string, r Resource) string {
	t.Helper()
	got, err := Config(r)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name+".res")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s: %s", name, d)
	}
	return file
}

// drbd-utils' own parser takes each file, from each node's view, without any
// module, and plans the connections that are expected.
func TestConfig9(t *testing.T) {
	adm, err := exec.LookPath("/usr/sbin/drbdadm")
	if err != nil {
		t.Fatal("drbd-utils must be installed: ", err)
	}
	for name, r := range golden9 {
		t.Run(name, func(t *testing.T) {
			file := golden(t, name, r)
			for _, n := range r.Nodes {
				local := r
				if local.Local = n.Name; name == "9-local-less-ipv6" && n.Name == "charlie" {
					continue // its own device is left out
				}
				cmd := exec.Command(adm, "-c", file, "-d", "adjust", r.Name)
				cmd.Env = append(os.Environ(), "DRBD_DRIVER_VERSION_OVERRIDE=9.2.18", "__DRBD_NODE__="+n.Name)
				out, err := cmd.Output()
				if err != nil {
					t.Fatalf("%s: %v: %s", n.Name, err, err.(*exec.ExitError).Stderr)
				}
				want := 0
				for _, p := range r.Nodes {
					if p.Name != n.Name && !(p.Diskless && n.Diskless) {
						want++
					}
				}
				if got := strings.Count(string(out), "drbdsetup connect "); got != want {
					t.Errorf("%s connects to %d, want %d:\n%s", n.Name, got, want, out)
				}
				attach := len(n.Volumes)
				if n.Diskless {
					attach = 0
				}
				if got := strings.Count(string(out), "drbdsetup attach "); got != attach {
					t.Errorf("%s attaches %d, want %d:\n%s", n.Name, got, attach, out)
				}
				if !strings.Contains(string(out), fmt.Sprintf("new-resource web %d ", n.NodeID)) || !strings.Contains(string(out), "--quorum=majority") {
					t.Errorf("%s:\n%s", n.Name, out)
				}
				if want > 0 && (!strings.Contains(string(out), "--c-plan-ahead=0") || !strings.Contains(string(out), "--shared-secret=s3cret+/=")) {
					t.Errorf("%s: options lost:\n%s", n.Name, out)
				}
			}
		})
	}
}

// 8.4's parser took these very files in the lab; its plans are recorded.
func TestConfig84(t *testing.T) {
	for name, r := range map[string]Resource{"84-1-node": resource84("n1"), "84-2-nodes": resource84("n1 n2")} {
		golden(t, name, r)
	}
	plan := string(tooltest.Load(t, "drbd84/adjust-dry-one-node").Stdout)
	if !strings.Contains(plan, "connect s1 ipv4:10.77.0.1:7005 ipv4:127.0.0.1:1 ") || !strings.Contains(plan, "--c-plan-ahead=0") || strings.Contains(plan, "quorum") {
		t.Error(plan)
	}
	two := string(tooltest.Load(t, "drbd84/adjust-dry-two-nodes").Stdout)
	if !strings.Contains(two, "connect s1 ipv4:10.77.0.1:7005 ipv4:10.77.0.2:7005 ") {
		t.Error(two)
	}
}

func TestConfigRefuses(t *testing.T) {
	base := func() Resource { return resource84("n1 n2") }
	for name, c := range map[string]struct {
		change func(*Resource)
		want   error
	}{
		"three on 8.4":     {func(r *Resource) { r.Nodes = append(r.Nodes, node(2, "n3", false)) }, ErrUnsupported},
		"diskless on 8.4":  {func(r *Resource) { r.Nodes[1].Diskless = true }, ErrUnsupported},
		"quote in secret":  {func(r *Resource) { r.Secret = `a"; handlers { x y; }` }, ErrBadName},
		"handlers":         {func(r *Resource) { r.Options["handlers"] = map[string]string{"pri-lost": "reboot"} }, ErrBadName},
		"option key":       {func(r *Resource) { r.Options["net"]["a; b"] = "1" }, ErrBadName},
		"option value":     {func(r *Resource) { r.Options["net"]["protocol"] = "C\"; }" }, ErrBadName},
		"name":             {func(r *Resource) { r.Name = "a b" }, ErrBadName},
		"generation":       {func(r *Resource) { r.Generation = Absent }, ErrBadName},
		"node twice":       {func(r *Resource) { r.Nodes[1].Name = "n1" }, ErrBadName},
		"local unknown":    {func(r *Resource) { r.Local = "n9" }, ErrBadName},
		"no address":       {func(r *Resource) { r.Nodes[0].Address = netip.Addr{} }, ErrBadName},
		"port":             {func(r *Resource) { r.Nodes[0].Port = 0 }, ErrBadName},
		"own device empty": {func(r *Resource) { r.Nodes[0].Volumes[0].Device = "" }, ErrBadName},
		"device":           {func(r *Resource) { r.Nodes[0].Volumes[0].Device = `/dev/a"b` }, ErrBadName},
		"same node-id":     {func(r *Resource) { r.Generation = Gen9; r.Nodes[1].NodeID = 0 }, ErrBadName},
	} {
		r := base()
		c.change(&r)
		if b, err := Config(r); !errors.Is(err, c.want) {
			t.Errorf("%s: %v\n%s", name, err, b)
		}
	}
}

// What is written is read back the same.
func TestParse(t *testing.T) {
	for name, r := range golden9 {
		b, err := Config(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, n := range r.Nodes {
			for j, v := range n.Volumes {
				if v.Device == "" && !n.Diskless {
					r.Nodes[i].Volumes[j].Device = "/dev/unknown"
				}
			}
		}
		if d := cmp.Diff(r.Nodes, got.Nodes, cmpopts.EquateComparable(netip.Addr{})); d != "" || got.Name != r.Name || got.Secret != r.Secret {
			t.Errorf("%s: %s", name, d)
		}
	}
	one, _ := Config(resource84("n1"))
	if r, err := Parse(one); err != nil || len(r.Nodes) != 1 || r.Options["disk"]["c-plan-ahead"] != "0" || r.Options["options"]["quorum"] != "" {
		t.Errorf("%+v %v", r, err)
	}
	byHand, err := Parse([]byte(`# classic
resource r0 {
  net { protocol C; allow-two-primaries; }
  volume 0 { device /dev/drbd1 minor 1; disk /dev/vdb; meta-disk internal; }
  on n1 { address 10.77.0.1:7789; }
  on n2 { address ipv6 [fd00::2]:7789; }
}`))
	if err != nil || byHand.Nodes[1].Volumes[0].Minor != 1 || byHand.Nodes[1].Address != netip.MustParseAddr("fd00::2") || byHand.Options["net"]["allow-two-primaries"] != "yes" {
		t.Errorf("%+v %v", byHand, err)
	}
	for _, bad := range []string{"", "resource", "resource x {", `resource x { bogus 1; }`, `resource x { } y`, `resource x { on "a { } }`, "resource x { on a { volume z { } } }"} {
		if _, err := Parse([]byte(bad)); !errors.Is(err, ErrParse) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, r := range golden9 {
		b, _ := Config(r)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { Parse(b) })
}
