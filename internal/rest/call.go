package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/api"
	"holdfast/internal/fault"
	"holdfast/internal/state"
)

// call is one request on its way.
type call struct {
	s        *Server
	w        http.ResponseWriter
	r        *http.Request
	route    *route
	params   []string
	q        url.Values
	snap     *state.Snapshot
	began    time.Time
	answered bool
	probe    func(v any, mayBeEmpty bool) // told what would be decoded, instead
}

// param is a named part of the path.
func (c *call) param(name string) string {
	if i := slices.Index(c.route.names(), name); i >= 0 && i < len(c.params) {
		return c.params[i]
	}
	panic("no parameter " + name + " in " + c.route.pattern)
}

// number is a part of the path that is a volume number.
func (c *call) number(name string, o fault.Object) (int, error) {
	n, err := strconv.Atoi(c.param(name))
	if err != nil {
		return 0, fault.New(fault.Invalid, o, "The volume number '%s' is not valid.", c.param(name)).In("volume_number").
			Because("It is not a whole number.").Do("Give the number, for example 0.")
	}
	return n, nil
}

// inputError is a request that can't be read: HTTP 400.
type inputError struct {
	msg    string
	status int
}

func (e *inputError) Error() string { return e.msg }

func badInput(format string, args ...any) error {
	return &inputError{fmt.Sprintf(format, args...), http.StatusBadRequest}
}

// flag is a boolean of the query: true or false in any case (linstor-clients 2.1, rule 6); "" is true.
func (c *call) flag(name string, dflt bool) (bool, error) {
	v, ok := c.q[name]
	if !ok {
		return dflt, nil
	}
	switch strings.ToLower(v[len(v)-1]) {
	case "true", "1", "":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, badInput("the query parameter '%s' must be true or false, not '%s'", name, v[len(v)-1])
}

// maxDepth of nested JSON; the deepest request has 7.
const maxDepth = 32

// decode reads the body into v: one JSON value, no field that v doesn't know, nothing behind it. An empty body leaves v
// alone if mayBeEmpty. No content type is asked for (linstor-clients 2.1, rule 5).
func (c *call) decode(v any, mayBeEmpty bool) error {
	if c.probe != nil {
		c.probe(v, mayBeEmpty)
		return errProbe
	}
	b, err := io.ReadAll(c.r.Body)
	if tooBig := new(http.MaxBytesError); errors.As(err, &tooBig) {
		return &inputError{fmt.Sprintf("the body has more than %d bytes", tooBig.Limit), http.StatusRequestEntityTooLarge}
	}
	if err != nil {
		return badInput("the body can't be read: %v", err)
	}
	return unmarshal(b, v, mayBeEmpty)
}

func unmarshal(b []byte, v any, mayBeEmpty bool) error {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || string(b) == "null" {
		if mayBeEmpty {
			return nil
		}
		return badInput("the body is empty")
	}
	if depth(b) > maxDepth {
		return badInput("the body is nested deeper than %d levels", maxDepth)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return badInput("%s", decodeReason(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return badInput("there is something behind the JSON value, at byte %d", d.InputOffset())
	}
	return nil
}

// decodeReason says in words what is wrong, and where.
func decodeReason(err error) string {
	typ, syn := new(json.UnmarshalTypeError), new(json.SyntaxError)
	switch {
	case errors.As(err, &typ):
		return fmt.Sprintf("the field '%s' must be of type %s, not %s", typ.Field, typ.Type, typ.Value)
	case errors.As(err, &syn):
		return fmt.Sprintf("%s at byte %d", syn, syn.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the JSON value ends too early"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// depth of the nesting, whether or not b is good JSON.
func depth(b []byte) int {
	now, deepest, quoted := 0, 0, false
	for i := 0; i < len(b); i++ {
		switch ch := b[i]; {
		case quoted && ch == '\\':
			i++
		case ch == '"':
			quoted = !quoted
		case quoted:
		case ch == '{' || ch == '[':
			now++
			deepest = max(deepest, now)
		case ch == '}' || ch == ']':
			now--
		}
	}
	return deepest
}

// json answers with v.
func (c *call) json(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	c.write(c.route.ok, [][]byte{b})
	return nil
}

// list answers with an array of values that are JSON already.
func (c *call) list(items [][]byte) error {
	parts := make([][]byte, 0, 2*len(items)+1)
	open := []byte{'['}
	for _, it := range items {
		parts = append(parts, open, it)
		open = comma
	}
	if len(items) == 0 {
		parts = append(parts, open)
	}
	c.write(c.route.ok, append(parts, []byte{']'}))
	return nil
}

var comma = []byte{','}

// chunk is how much is gathered before it is written.
const chunk = 64 << 10

func (c *call) write(status int, parts [][]byte) {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(n))
	c.answered = true
	c.w.WriteHeader(status)
	if c.r.Method == http.MethodHead {
		return
	}
	buf := make([]byte, 0, min(n, chunk))
	for _, p := range parts {
		if len(buf)+len(p) > chunk && len(buf) > 0 {
			if _, err := c.w.Write(buf); err != nil {
				return // the client is gone
			}
			buf = buf[:0]
		}
		if len(p) >= chunk {
			if _, err := c.w.Write(p); err != nil {
				return
			}
			continue
		}
		buf = append(buf, p...)
	}
	_, _ = c.w.Write(buf)
}

// rc answers with a list of return codes.
func (c *call) rc(status int, rcs ...api.ApiCallRc) {
	at := c.s.b.Now().Format("2006-01-02T15:04:05.000-07:00")
	for i := range rcs {
		rcs[i].CreatedAt = at
	}
	b, err := json.Marshal(rcs)
	if err != nil {
		c.s.log.Error("can't encode a reply", "err", err)
		status, b = http.StatusInternalServerError, nil
	}
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		c.s.log.Info("request", "method", c.r.Method, "path", c.r.URL.Path, "status", status, "remote", c.r.RemoteAddr,
			"ms", c.s.b.Now().Sub(c.began).Milliseconds())
	}
	c.write(status, [][]byte{b})
}

// notes answers a change. Every entry says something: the web UI takes an answer for success only if each code is above 0
// (linstor-clients 2.1, rule 1).
func (c *call) notes(notes []fault.Note) {
	if len(notes) == 0 {
		notes = []fault.Note{{Severity: fault.Success, Message: "Done."}}
	}
	rcs := make(api.ApiCallRcList, len(notes))
	for i, n := range notes {
		rcs[i] = toRc(n, c.route.op, c.route.obj)
	}
	c.rc(api.HTTPStatus(rcs, c.route.ok), rcs...)
}

// fail answers a request that changed nothing.
func (c *call) fail(err error) {
	if in := new(inputError); errors.As(err, &in) {
		c.rc(in.status, api.Rc(api.APICallParseError, "Unable to read the request: %s.", in.msg).
			Because("The request is not what '"+c.r.Method+" "+c.r.URL.Path+"' takes.").
			Do("Correct the request; nothing was changed."))
		return
	}
	f := fault.Of(err)
	if f.Kind == fault.Internal {
		c.s.log.Error("request failed", "method", c.r.Method, "path", c.r.URL.Path, "err", err)
	}
	n := f.Note
	n.Severity = fault.Failure
	var op fault.Op
	obj := fault.NoObject
	status := 0
	if c.route != nil {
		op, obj, status = c.route.op, c.route.obj, c.route.ok
	}
	rc := toRc(n, op, obj)
	c.rc(api.HTTPStatus(api.ApiCallRcList{rc}, status), rc)
}

func joined(s []string) string { return strings.Join(s, ", ") }
