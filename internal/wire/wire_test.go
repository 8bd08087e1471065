package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"holdfast/internal/model"
	"holdfast/internal/wire/pb"
)

// anyMessage draws one of the messages with every field set to anything that the types allow.
func anyMessage(t *rapid.T) Message {
	switch rapid.IntRange(0, 6).Draw(t, "kind") {
	case 0:
		return rapid.Make[Hello]().Draw(t, "hello")
	case 1:
		return rapid.Make[Welcome]().Draw(t, "welcome")
	case 2:
		return rapid.Make[Refused]().Draw(t, "refused")
	case 3:
		d := rapid.Make[Desired]().Draw(t, "desired")
		for i := range d.Resources {
			for j := range d.Resources[i].Volumes {
				d.Resources[i].Volumes[j].Seed %= 3
			}
		}
		return d
	case 4:
		r := rapid.Make[Report]().Draw(t, "report")
		for i := range r.Resources {
			r.Resources[i].Phase %= 4
			r.Resources[i].Quiet.State %= 4
			r.Resources[i].Rollback.State %= 3
			r.Resources[i].Verify.State %= 4
		}
		return r
	case 5:
		return rapid.Make[Ping]().Draw(t, "ping")
	}
	return rapid.Make[Pong]().Draw(t, "pong")
}

var same = cmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateNaNs()}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMessage(t)
		e, err := encode(m)
		if err != nil {
			t.Fatal(err)
		}
		b, err := proto.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var back pb.Envelope
		if err := proto.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		got, err := decode(&back)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(m, got, same); d != "" {
			t.Fatal(d)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, m := range []Message{Hello{NodeName: "alpha"}, Ping{7}, Desired{Full: true, Resources: []model.ResourceSpec{{Name: "r",
		DRBD: &model.DRBDSpec{Options: map[string]map[string]string{"Net": {"a": "b"}}}}}}, Report{Node: &model.NodeReport{}}} {
		e, err := encode(m)
		if err != nil {
			f.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := protodelim.MarshalTo(&b, e); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c := NewConn(&fixed{r: bytes.NewReader(b)})
		for {
			m, err := c.Recv()
			if err != nil {
				return
			}
			if _, err := encode(m); err != nil {
				t.Fatalf("%#v doesn't encode: %v", m, err)
			}
		}
	})
}

// fixed is a connection on which what r has arrives.
type fixed struct {
	net.Conn
	r io.Reader
}

func (f *fixed) Read(b []byte) (int, error)      { return f.r.Read(b) }
func (f *fixed) SetReadDeadline(time.Time) error { return nil }

func TestConn(t *testing.T) {
	a, b := net.Pipe()
	ca, cb := NewConn(a), NewConn(b)
	cb.Trust()
	big := Desired{Seq: 3, Full: true, Resources: make([]model.ResourceSpec, 3000)}
	for i := range big.Resources {
		big.Resources[i] = model.ResourceSpec{Name: strings.Repeat("x", 1000), Generation: uint64(i)}
	}
	sent := []Message{Hello{NodeName: "alpha"}, big, Ping{1}}
	done := make(chan error, 1)
	go func() {
		for _, m := range sent {
			if err := ca.Send(m); err != nil {
				done <- err
				return
			}
		}
		done <- ca.Close()
	}()
	for _, want := range sent {
		got, err := cb.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, same); d != "" {
			t.Fatal(d)
		}
	}
	if _, err := cb.Recv(); !errors.Is(err, io.EOF) {
		t.Fatalf("after the end: %v", err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestBadFrames(t *testing.T) {
	huge := protowire.AppendVarint(nil, FirstFrame+1)
	for name, b := range map[string][]byte{"no length": bytes.Repeat([]byte{0xff}, 20), "cut": {9, 1}, "empty": {0},
		"noise": {4, 0xff, 0xff, 0xff, 0xff}, "too large": append(huge, 0)} {
		c := NewConn(&fixed{r: bytes.NewReader(b)})
		if m, err := c.Recv(); err == nil || errors.Is(err, io.EOF) && name != "cut" {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
}

func TestIdle(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	c := NewConn(b)
	c.Idle(time.Millisecond)
	var ne net.Error
	if _, err := c.Recv(); !errors.As(err, &ne) || !ne.Timeout() {
		t.Fatalf("silence: %v", err)
	}
}

// A release to come sends fields, values and whole messages that this one doesn't know.
func TestFuture(t *testing.T) {
	field := func(b []byte, n protowire.Number, v []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), v)
	}
	num := func(b []byte, n protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), v)
	}
	frame := func(env []byte) []byte { return append(protowire.AppendVarint(nil, uint64(len(env))), env...) }

	status := num(num(field(nil, 2, []byte("backups")), 5, 77), 900, 5) // a phase and a field of the future
	report := field(num(nil, 1, 4), 4, status)
	report = field(report, 800, []byte("snapshots"))
	vol := num(num(nil, 2, 1), 10, 9) // a seed of the future
	spec := field(num(field(nil, 2, []byte("backups")), 5, 6), 11, vol)
	desired := field(nil, 6, spec)

	var in []byte
	in = append(in, frame(field(nil, 50, []byte("a message of the future")))...)
	in = append(in, frame(field(nil, 5, report))...)
	in = append(in, frame(field(nil, 4, desired))...)
	c := NewConn(&fixed{r: bytes.NewReader(in)})
	got, err := c.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Message(Report{AckSeq: 4, Resources: []model.ResourceStatus{{Name: "backups", Phase: model.Working}}}), got, same); d != "" {
		t.Fatal(d)
	}
	got, err = c.Recv()
	if err != nil {
		t.Fatal(err)
	}
	// A want that isn't known stays one that is neither Up nor Gone.
	if d := cmp.Diff(Message(Desired{Resources: []model.ResourceSpec{{Name: "backups", Want: 6,
		Volumes: []model.VolumeSpec{{Number: 1, Seed: model.NoSeed}}}}}), got, same); d != "" {
		t.Fatal(d)
	}
}

func TestNotUTF8(t *testing.T) {
	e, err := encode(Report{Resources: []model.ResourceStatus{{Reason: "lvcreate: \xff\xfe"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proto.Marshal(e); err != nil {
		t.Fatalf("a program's odd output ends the session: %v", err)
	}
}
