package lab

import (
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"time"
)

// qmp is QEMU's control channel (QEMU Machine Protocol), one command at a time.
type qmp struct {
	mu   sync.Mutex
	conn net.Conn
	dec  *json.Decoder
}

type qmpReply struct {
	Return json.RawMessage
	Event  string
	Error  *struct{ Desc string }
}

// newQMP greets; QEMU may still be starting.
func newQMP(c net.Conn) (*qmp, error) {
	q := &qmp{conn: c, dec: json.NewDecoder(c)}
	c.SetDeadline(time.Now().Add(30 * time.Second))
	var hello map[string]any
	if err := q.dec.Decode(&hello); err != nil {
		return nil, fmt.Errorf("greet QEMU: %w", err)
	}
	_, err := q.do("qmp_capabilities", nil)
	return q, err
}

// do runs one command. Its arguments are JSON objects; nil: none.
func (q *qmp) do(command string, args map[string]any) (json.RawMessage, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.conn.SetDeadline(time.Now().Add(30 * time.Second))
	m := map[string]any{"execute": command}
	if args != nil {
		m["arguments"] = args
	}
	if err := json.NewEncoder(q.conn).Encode(m); err != nil {
		return nil, fmt.Errorf("tell QEMU %s: %w", command, err)
	}
	for {
		var r qmpReply
		if err := q.dec.Decode(&r); err != nil {
			return nil, fmt.Errorf("hear from QEMU about %s: %w", command, err)
		}
		switch {
		case r.Event != "":
		case r.Error != nil:
			return nil, fmt.Errorf("tell QEMU %s: %s", command, r.Error.Desc)
		default:
			return r.Return, nil
		}
	}
}
