package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"holdfast/lab/agentapi"
)

// processes are the programs started in the background.
type processes struct {
	mu    sync.Mutex
	known map[int]*spawned
}

type spawned struct{ state agentapi.Process }

func (p *processes) serveSpawn(w http.ResponseWriter, r *http.Request) {
	q, ok := decode[agentapi.Command](w, r)
	if !ok {
		return
	}
	if len(q.Argv) == 0 {
		http.Error(w, "no argv", http.StatusBadRequest)
		return
	}
	s, err := p.spawn(q)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	reply(w, s)
}

func (p *processes) spawn(q agentapi.Command) (agentapi.Process, error) {
	if q.Log == "" {
		q.Log = os.DevNull
	} else if err := os.MkdirAll(filepath.Dir(q.Log), 0o755); err != nil {
		return agentapi.Process{}, err
	}
	f, err := os.OpenFile(q.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return agentapi.Process{}, err
	}
	defer f.Close()
	c := command(q)
	c.Stdout, c.Stderr = f, f
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := c.Start(); err != nil {
		return agentapi.Process{}, err
	}
	s := &spawned{state: agentapi.Process{Pid: c.Process.Pid, Running: true}}
	p.known[s.state.Pid] = s
	go func() {
		c.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		s.state.Running = false
		s.state.Exit, s.state.Signal = outcome(c.ProcessState)
	}()
	return s.state, nil
}

// find answers the request itself if there is no such process.
func (p *processes) find(w http.ResponseWriter, r *http.Request) (agentapi.Process, bool) {
	pid, err := strconv.Atoi(r.FormValue("pid"))
	if err != nil {
		http.Error(w, "bad pid", http.StatusBadRequest)
		return agentapi.Process{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.known[pid]
	if s == nil {
		http.Error(w, "no spawned process "+strconv.Itoa(pid), http.StatusNotFound)
		return agentapi.Process{}, false
	}
	return s.state, true
}

func (p *processes) serveState(w http.ResponseWriter, r *http.Request) {
	if s, ok := p.find(w, r); ok {
		reply(w, s)
	}
}

func (p *processes) serveSignal(w http.ResponseWriter, r *http.Request) {
	s, ok := p.find(w, r)
	if !ok {
		return
	}
	n, err := strconv.Atoi(r.FormValue("signal"))
	if err != nil {
		http.Error(w, "bad signal", http.StatusBadRequest)
		return
	}
	target := s.Pid
	if r.FormValue("group") == "1" {
		target = -target
	}
	if !s.Running && target > 0 {
		http.Error(w, "it has ended", http.StatusGone)
		return
	}
	if err := syscall.Kill(target, syscall.Signal(n)); err != nil {
		http.Error(w, "kill: "+err.Error(), http.StatusGone)
		return
	}
	reply(w, s)
}
