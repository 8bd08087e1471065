package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"

	"holdfast/lab/agentapi"
)

func main() {
	ln, err := net.Listen("tcp", agentapi.Address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, agentapi.ReadyLine)
	if err := http.Serve(ln, handler()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func handler() http.Handler {
	p := &processes{known: map[int]*spawned{}}
	m := http.NewServeMux()
	m.HandleFunc("POST "+agentapi.PathExec, serveExec)
	m.HandleFunc("POST "+agentapi.PathSpawn, p.serveSpawn)
	m.HandleFunc("GET "+agentapi.PathProcess, p.serveState)
	m.HandleFunc("POST "+agentapi.PathSignal, p.serveSignal)
	m.HandleFunc("GET "+agentapi.PathFile, serveGet)
	m.HandleFunc("PUT "+agentapi.PathFile, servePut)
	m.HandleFunc("POST "+agentapi.PathIdentity, serveIdentity)
	m.HandleFunc("POST "+agentapi.PathTerminal, serveTerminal)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			serveTunnel(w, r)
			return
		}
		m.ServeHTTP(w, r)
	})
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func decode[T any](w http.ResponseWriter, r *http.Request) (v T, ok bool) {
	if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
		http.Error(w, "decode request: "+err.Error(), http.StatusBadRequest)
		return v, false
	}
	return v, true
}
