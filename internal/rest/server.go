package rest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/state"
)

// Backend is what this edge needs of a controller.
type Backend interface {
	// Do runs a command. With async it answers once the change is stored, else when the nodes it touches have reported.
	// Its error is a *fault.Error: nothing was changed.
	Do(ctx context.Context, cmd core.Command, async bool) (core.Reply, error)
	// Snapshot is immutable; taking it locks nothing.
	Snapshot() *state.Snapshot
	// Reconnect drops the session of a node and dials it again.
	Reconnect(node string) error
	Now() time.Time
}

// Info tells which program answers.
type Info struct {
	Version   string
	GitHash   string
	BuildTime time.Time
	Config    Config
}

// Server is the handler of the REST API. Make one with New.
type Server struct {
	b      Backend
	info   Info
	limits Limits
	log    *slog.Logger
	routes *tree

	openAPI func() dict // made once

	lost    lostNames
	scrapes atomic.Int64 // of the metrics
}

// New makes the handler. Limits that are zero get their defaults.
func New(b Backend, info Info, limits Limits, log *slog.Logger) http.Handler {
	return &Server{b: b, info: info, limits: limits.withDefaults(), log: log, routes: newTree(routes()),
		openAPI: sync.OnceValue(func() dict { return openAPI(implemented()) })}
}

// ServeHTTP finds the route and runs it. A handler that panics is answered as a defect and logged.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{s: s, w: w, r: r, began: s.b.Now()}
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.log.Error("request panicked", "method", r.Method, "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			if !c.answered {
				c.fail(fault.Of(fmt.Errorf("handle %s %s: %v", r.Method, r.URL.Path, p)))
			}
		}
	}()
	found, params, allowed := s.routes.find(r.Method, r.URL.EscapedPath())
	switch {
	case found == nil && allowed == nil:
		c.rc(http.StatusNotFound, api.Rc(api.UnknownAPICall, "There is nothing at '%s'.", r.URL.Path).
			Because("The path is not one of LINSTOR's REST API v1.").Do("Check the path; paths begin with /v1/."))
		return
	case found == nil:
		w.Header().Set("Allow", joined(allowed))
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusOK)
			return
		}
		c.rc(http.StatusMethodNotAllowed, api.Rc(api.UnknownAPICall, "The method %s is not possible at '%s'.", r.Method, r.URL.Path).
			Because("It takes "+joined(allowed)+".").Do("Use one of these."))
		return
	}
	c.route, c.params = found, params
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		c.fail(badInput("the query can't be read: %v", err))
		return
	}
	c.q = q
	r.Body = http.MaxBytesReader(w, r.Body, s.limits.Body)
	c.run()
}

// run answers the request by its route.
func (c *call) run() {
	c.snap = c.s.b.Snapshot()
	if c.route.read != nil {
		if err := c.route.read(c); err != nil {
			c.fail(err)
		}
		return
	}
	cmd, err := c.change()
	if err != nil {
		c.fail(err)
		return
	}
	async, err := c.flag(api.QueryAsync, false)
	if err != nil {
		c.fail(err)
		return
	}
	// The answer must come before the connection's time is over.
	ctx, cancel := context.WithTimeout(c.r.Context(), c.s.limits.Write)
	defer cancel()
	reply, err := c.s.b.Do(ctx, cmd, async)
	if err != nil {
		c.fail(err)
		return
	}
	c.notes(reply.Notes)
}

func (c *call) change() (core.Command, error) {
	planned, err := c.flag(api.QueryPlan, false)
	if err != nil {
		return nil, err
	}
	if planned {
		return c.planned()
	}
	return c.route.change(c)
}
