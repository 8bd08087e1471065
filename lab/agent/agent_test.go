package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"holdfast/lab/agentapi"
)

func TestRun(t *testing.T) {
	sh := func(script string) agentapi.Command {
		return agentapi.Command{Argv: []string{"/bin/sh", "-c", script}, Dir: t.TempDir()}
	}
	q := sh("cat; echo e >&2; exit 9")
	q.Stdin = []byte("in")
	if o := run(t.Context(), q); o.Exit != 9 || string(o.Stdout) != "in" || string(o.Stderr) != "e\n" || o.Failure != "" || o.TimedOut {
		t.Errorf("%+v", o)
	}
	if o := run(t.Context(), sh("kill -TERM $$")); o.Exit != -1 || o.Signal != "terminated" {
		t.Errorf("%+v", o)
	}
	if o := run(t.Context(), agentapi.Command{Argv: []string{"/no/such"}, Dir: "/"}); o.Failure == "" {
		t.Errorf("%+v", o)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if o := run(ctx, sh("echo begun; exec sleep 100")); !o.TimedOut || o.Exit != -1 || string(o.Stdout) != "begun\n" {
		t.Errorf("%+v", o)
	}
	// one that leaves a child with its stdout behind has ended all the same
	start := time.Now()
	if o := run(t.Context(), sh("sleep 3 & echo done")); o.Exit != 0 || string(o.Stdout) != "done\n" || o.Failure != "" || time.Since(start) > 2500*time.Millisecond {
		t.Errorf("%+v after %v", o, time.Since(start))
	}
}

func TestProcesses(t *testing.T) {
	s := httptest.NewServer(handler())
	defer s.Close()
	ask := func(method, path string, q url.Values, body any) (p agentapi.Process, code int) {
		t.Helper()
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequest(method, s.URL+path+"?"+q.Encode(), bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
				t.Fatal(err)
			}
		}
		return p, resp.StatusCode
	}
	log := filepath.Join(t.TempDir(), "new", "log")
	p, code := ask("POST", agentapi.PathSpawn, nil, agentapi.Command{Argv: []string{"/bin/sh", "-c", "echo hello; exec sleep 100"}, Dir: "/", Log: log})
	if code != 200 || !p.Running || p.Pid == 0 {
		t.Fatal(p, code)
	}
	pid := url.Values{"pid": {strconv.Itoa(p.Pid)}, "signal": {"9"}}
	if _, code := ask("POST", agentapi.PathSignal, pid, nil); code != 200 {
		t.Error(code)
	}
	for p.Running {
		if p, code = ask("GET", agentapi.PathProcess, pid, nil); code != 200 {
			t.Fatal(code)
		}
	}
	if p.Exit != -1 || p.Signal != "killed" {
		t.Errorf("%+v", p)
	}
	if _, code := ask("POST", agentapi.PathSignal, pid, nil); code != http.StatusGone {
		t.Error("signalled the dead: ", code)
	}
	if _, code := ask("POST", agentapi.PathSignal, url.Values{"pid": {"1"}, "signal": {"0"}}, nil); code != http.StatusNotFound {
		t.Error("signalled what it had not started: ", code)
	}
	if _, err := os.Stat(log); err != nil {
		t.Error(err)
	}
}

func TestFiles(t *testing.T) {
	s := httptest.NewServer(handler())
	defer s.Close()
	path := filepath.Join(t.TempDir(), "a", "b")
	at := s.URL + agentapi.PathFile + "?mode=640&path=" + url.QueryEscape(path)
	req, err := http.NewRequest("PUT", at, strings.NewReader("text"))
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := http.DefaultClient.Do(req); err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	if i, err := os.Stat(path); err != nil || i.Mode() != 0o640 {
		t.Error(i, err)
	}
	resp, err := http.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); string(b) != "text" || err != nil {
		t.Error(string(b), err)
	}
	if resp, err := http.Get(at + "x"); err != nil || resp.StatusCode != 404 {
		t.Error(resp, err)
	}
}

func TestTunnel(t *testing.T) {
	far, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	go func() {
		c, err := far.Accept()
		if err != nil {
			return
		}
		b, _ := io.ReadAll(c) // until the other side has said all
		c.Write([]byte("heard " + string(b)))
		c.Close()
	}()
	s := httptest.NewServer(handler())
	defer s.Close()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "CONNECT "+far.Addr().String()+" HTTP/1.1\r\nHost: x\r\n\r\nthis"); err != nil {
		t.Fatal(err)
	}
	c.(*net.TCPConn).CloseWrite()
	b, err := io.ReadAll(c)
	if want := "HTTP/1.1 200 Connected\r\n\r\nheard this"; err != nil || string(b) != want {
		t.Errorf("%q %v", b, err)
	}
}
