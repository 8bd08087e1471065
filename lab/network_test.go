package lab

import (
	"bytes"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// end is a machine's side of the network.
func end(t *testing.T, n network, id int) net.Conn {
	t.Helper()
	_, f, err := n.attach(id)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func frame(to, from int, text string) []byte {
	mac := func(id int) []byte { return []byte{0x52, 0x54, 0, 0xd0, 0, byte(id)} }
	dst := mac(to)
	if to == 0 {
		dst = bytes.Repeat([]byte{0xff}, 6)
	}
	return append(append(append(dst, mac(from)...), 8, 0), text...)
}

func TestSwitch(t *testing.T) {
	n := newDgramNetwork()
	ports := map[int]net.Conn{1: end(t, n, 1), 2: end(t, n, 2), 3: end(t, n, 3)}
	defer n.close()
	send := func(from, to int, text string) {
		t.Helper()
		if _, err := ports[from].Write(frame(to, from, text)); err != nil {
			t.Fatal(err)
		}
	}
	// expect checks that the next thing a machine hears is this: frames from one machine keep their order
	expect := func(id int, text string) {
		t.Helper()
		b := make([]byte, 100)
		ports[id].SetReadDeadline(time.Now().Add(5 * time.Second))
		l, err := ports[id].Read(b)
		if err != nil || string(b[14:l]) != text {
			t.Errorf("%d heard %q, %v; want %q", id, b[:l], err, text)
		}
	}
	send(1, 2, "to bravo")
	send(1, 0, "to all")
	expect(2, "to bravo")
	expect(2, "to all")
	expect(3, "to all")
	if err := n.cut([][2]int{{2, 1}}); err != nil {
		t.Fatal(err)
	}
	send(1, 2, "lost")
	send(1, 0, "to all but bravo")
	expect(3, "to all but bravo")
	send(3, 2, "from charlie")
	expect(2, "from charlie")
	if err := n.cut(nil); err != nil {
		t.Fatal(err)
	}
	send(1, 2, "again")
	expect(2, "again")
	ports[2].Close()
	send(1, 2, "nobody hears it")
	send(1, 3, "so it was taken")
	expect(3, "so it was taken")
	ports[2] = end(t, n, 2)
	send(1, 2, "back")
	expect(2, "back")
}

func TestCutRules(t *testing.T) {
	got := cutRules([][2]int{{1, 3}})
	for _, want := range []string{"delete table bridge lab", "iifname tap1 oifname tap3 drop", "iifname tap3 oifname tap1 drop"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
	if strings.Contains(cutRules(nil), "drop") {
		t.Error("drops without a cut")
	}
}

func TestConfig(t *testing.T) {
	t.Setenv("HOLDFAST_LAB_DIR", "")
	t.Setenv("HOLDFAST_LAB_MODULES", "/mods")
	c, err := Config{}.filled()
	if err != nil || c.Machines != 2 || c.Memory != 512 || len(c.Disks) != 2 || c.Extra != "/mods" || c.Home != c.Source+"/.lab" {
		t.Errorf("%+v %v", c, err)
	}
	if _, err := os.Stat(c.Source + "/go.mod"); err != nil {
		t.Error(err)
	}
	for _, bad := range []Config{{Machines: 27}, {Machines: -1}, {Disks: []int64{5}}, {Disks: make([]int64, 9)}} {
		if _, err := bad.filled(); err == nil {
			t.Errorf("took %+v", bad)
		}
	}
	t.Chdir("/")
	if _, err := (Config{}).filled(); err == nil {
		t.Error("found the checkout in /")
	}
}

func TestConsole(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/console")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := &console{file: f, ready: make(chan struct{})}
	for _, s := range []string{"one\r\ntw", "o\nLAB-AGENT-", "READY\r\n", "thr"} {
		if _, err := c.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-c.ready:
	default:
		t.Error("did not see that the agent is ready")
	}
	if c.String() != "one\ntwo\nLAB-AGENT-READY\nthr" {
		t.Errorf("%q", c)
	}
}

func TestSweepLeavesWhatIsInUse(t *testing.T) {
	home := t.TempDir()
	a, err := newRunDir(home)
	if err != nil {
		t.Fatal(err)
	}
	b, err := newRunDir(home)
	if err != nil {
		t.Fatal(err)
	}
	b.lock.Close() // its process has died
	c, err := newRunDir(home)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(a.path); err != nil {
		t.Error("removed while in use: ", err)
	}
	if _, err := os.Stat(b.path); err == nil {
		t.Error("a dead lab's folder is still there")
	}
	for _, d := range []*runDir{a, c} {
		if err := d.remove(); err != nil {
			t.Error(err)
		}
	}
}
