package machine

import (
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"holdfast/internal/tool/drbd"
	"holdfast/internal/tool/run"
)

// object is what one events2 line is about.
type object struct {
	kind, id string   // id: name:... and so on, what doesn't change
	state    []string // fields that make an event when they change
	stats    []string // fields that don't
}

func (o object) line(verb string) string {
	if verb == "destroy" {
		return verb + " " + o.kind + " " + o.id
	}
	return strings.Join(append(append([]string{verb, o.kind, o.id}, o.state...), o.stats...), " ")
}

// objects are all that the kernel has, in events2's order. A query shows a
// StandAlone connection of 8.4, without the peer's name; a stream has none.
func (m *Machine) objects(query bool) []object {
	var out []object
	f := fmt.Sprintf
	for _, name := range sortedKeys(m.kernel) {
		r := m.kernel[name]
		n := "name:" + name
		res := object{kind: "resource", id: n, state: []string{"role:" + r.role, "suspended:" + r.suspended()}}
		if r.gen == drbd.Gen9 {
			may := "no"
			if r.role == "Secondary" && !r.noQuorum && len(r.vols) > 0 && !slices.ContainsFunc(r.vols, func(v *volume) bool { return !m.reachable(r, v) }) {
				may = "yes"
			}
			res.state = append(res.state, "may_promote:"+may)
		}
		res.stats = []string{"write-ordering:flush"}
		if r.gen == drbd.Gen9 {
			res.stats = append(res.stats, "promotion_score:10101") // the real one's goes with disks and peers
		}
		out = append(out, res)
		var conns, devs, pdevs []object
		for _, c := range r.conns {
			id := f("%s peer-node-id:%d", n, c.peerID)
			switch {
			case r.gen == drbd.Gen9:
				id += " conn-name:" + c.peer
			case c.state != "StandAlone":
				id += " conn-name:peer"
			case !query:
				continue
			}
			conns = append(conns, object{kind: "connection", id: id, state: []string{"connection:" + c.state, "role:" + c.peerRole}, stats: []string{"congested:no"}})
			for _, num := range sortedKeys(c.vols) {
				p := c.vols[num]
				o := object{kind: "peer-device", id: f("%s volume:%d", id, num), state: []string{"replication:" + p.repl, "peer-disk:" + p.disk}}
				if r.gen == drbd.Gen9 {
					o.state = append(o.state, "peer-client:"+yes(c.diskless))
				}
				o.state = append(o.state, "resync-suspended:no")
				var oos int64
				if v := r.vol(num); v != nil && v.disk != nil {
					oos = v.disk.md.slot(c.peerID).left
				}
				if r.gen == drbd.Gen9 && strings.HasPrefix(p.repl, "Sync") {
					if v := r.vol(num); v != nil && v.sizeKiB > 0 {
						o.stats = append(o.stats, f("done:%.2f", 100*float64(v.sizeKiB-min(oos, v.sizeKiB))/float64(v.sizeKiB)))
					}
				}
				o.stats = append(o.stats, f("received:0 sent:0 out-of-sync:%d pending:0 unacked:0", oos))
				pdevs = append(pdevs, o)
			}
		}
		for _, v := range r.vols {
			o := object{kind: "device", id: f("%s volume:%d minor:%d", n, v.num, v.minor)}
			if r.gen == drbd.Gen9 {
				o.state = []string{"backing_dev:" + or(v.path, "none"), "disk:" + v.state, "client:" + yes(v.client), "quorum:" + yes(!r.noQuorum)}
			} else {
				o.state = []string{"disk:" + v.state}
			}
			o.state = append(o.state, f("size:%d", v.sizeKiB))
			pending := 0
			if r.unanswered() {
				pending = 1
			}
			o.stats = []string{f("read:0 written:%d al-writes:0 bm-writes:0 upper-pending:%d lower-pending:0 al-suspended:no blocked:no", v.writtenKiB, pending)}
			devs = append(devs, o)
		}
		out = append(append(append(out, conns...), devs...), pdevs...)
	}
	return out
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// tell sends streams what has changed since they were told last.
func (m *Machine) tell() {
	if len(m.streams) == 0 {
		m.told = nil
		return
	}
	now := m.objects(false)
	defer func() { m.told = now }()
	key := func(o object) string { return o.kind + " " + o.id }
	before := map[string]object{}
	for _, o := range m.told {
		before[key(o)] = o
	}
	after := map[string]bool{}
	var lines []string
	for _, o := range now {
		after[key(o)] = true
	}
	for _, o := range slices.Backward(m.told) { // a resource goes after its parts
		if !after[key(o)] {
			lines = append(lines, o.line("destroy"))
		}
	}
	for _, o := range now {
		old, had := before[key(o)]
		switch {
		case !had:
			lines = append(lines, o.line("create"))
		case !slices.Equal(old.state, o.state):
			lines = append(lines, o.line("change"))
		}
	}
	for _, s := range m.streams {
		s.lines = append(s.lines, lines...)
	}
}

// Stream is a running `drbdsetup events2`. Read blocks, for code with
// goroutines; Lines doesn't, for code without.
type Stream struct {
	m     *Machine
	lines []string
	rest  []byte // of a line partly read
	ended bool
}

var _ io.ReadCloser = (*Stream)(nil)

// Stream implements run.Streamer: events2 only.
func (m *Machine) Stream(ctx context.Context, argv []string) (rc io.ReadCloser, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	defer m.enter(&err)()
	if m.dead {
		return nil, run.ErrCrashed
	}
	if len(argv) < 2 || path.Base(argv[0]) != "drbdsetup" || argv[1] != "events2" {
		return nil, fmt.Errorf("%s: %w", strings.Join(argv, " "), run.ErrNotFound)
	}
	m.log = append(m.log, "$ "+strings.Join(argv, " "))
	x := &call{m: m, prog: "drbdsetup"}
	s := &Stream{m: m}
	if !x.load() || m.fail["drbdsetup events2"] > 0 {
		m.fail["drbdsetup events2"] = max(0, m.fail["drbdsetup events2"]-1)
		s.ended = true
		return s, nil
	}
	for _, o := range m.objects(true) {
		s.lines = append(s.lines, o.line("exists"))
	}
	s.lines = append(s.lines, "exists -")
	if len(m.streams) == 0 {
		m.told = m.objects(false)
	}
	m.streams = append(m.streams, s)
	context.AfterFunc(ctx, func() { s.Close() })
	return s, nil
}

// Lines takes what has been printed so far; ended says that no more will come.
func (s *Stream) Lines() (lines []string, ended bool) {
	s.m.net.mu.Lock()
	defer s.m.net.mu.Unlock()
	lines, s.lines = s.lines, nil
	return lines, s.ended
}

// Read implements io.Reader, one line a call at most; it waits for one.
func (s *Stream) Read(p []byte) (int, error) {
	s.m.net.mu.Lock()
	defer s.m.net.mu.Unlock()
	for len(s.rest) == 0 && len(s.lines) == 0 && !s.ended {
		s.m.net.more.Wait()
	}
	if len(s.rest) == 0 {
		if len(s.lines) == 0 {
			return 0, io.EOF
		}
		s.rest = []byte(s.lines[0] + "\n")
		s.lines = s.lines[1:]
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// Close implements io.Closer.
func (s *Stream) Close() error {
	s.m.net.mu.Lock()
	defer s.m.net.mu.Unlock()
	s.ended = true
	s.m.streams = slices.DeleteFunc(s.m.streams, func(o *Stream) bool { return o == s })
	s.m.net.more.Broadcast()
	return nil
}

// EndStreams makes every running events2 end, as if it had been killed.
func (m *Machine) EndStreams() {
	m.net.mu.Lock()
	defer m.net.mu.Unlock()
	for _, s := range m.streams {
		s.ended = true
	}
	m.streams = nil
	m.net.more.Broadcast()
}
