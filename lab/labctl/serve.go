package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"holdfast/lab"
	"holdfast/lab/cluster"
	"holdfast/lab/nbd"
)

// wanted is a lab, and whether Holdfast is to run in it.
type wanted struct {
	lab.Config
	holdfast bool
}

// config reads the flags that up, cluster and serve share.
func config(name string, args []string) (wanted, error) {
	var c wanted
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.BoolVar(&c.holdfast, "holdfast", false, "run Holdfast in it")
	fs.IntVar(&c.Machines, "n", 2, "machines")
	disks := fs.Int("disks", 2, "data disks each")
	size := fs.Int64("size", 2048, "size of a data disk, MiB")
	fs.IntVar(&c.Memory, "mem", 512, "memory each, MiB")
	fs.IntVar(&c.CPUs, "cpus", 1, "processors each")
	fs.StringVar(&c.Network, "net", "", "tap or dgram; default: what works")
	fs.BoolVar(&c.Cold, "cold", false, "boot, do not use a template")
	if err := fs.Parse(args); err != nil {
		return c, err
	}
	if fs.NArg() > 0 {
		return c, fmt.Errorf("unknown argument %q", fs.Arg(0))
	}
	c.Disks = []int64{}
	for range *disks {
		c.Disks = append(c.Disks, *size<<20)
	}
	return c, nil
}

// server holds the lab for the other commands.
type server struct {
	lab  *lab.Lab
	run  *cluster.Cluster // nil: no Holdfast in it
	end  context.CancelFunc
	mu   sync.Mutex
	fwds []forwarded
}

type forwarded struct {
	Node   string `json:"node"`
	Port   int    `json:"port"`
	Listen string `json:"listen"`
}

// state is what ps shows.
type state struct {
	Machines []machineState `json:"machines"`
	Cuts     [][2]string    `json:"cuts"`
	Forwards []forwarded    `json:"forwards"`
	Network  string         `json:"network"`
	Kernel   string         `json:"kernel"`
	Pid      int            `json:"pid"`
	URL      string         `json:"url,omitempty"` // of Holdfast's API
}

type machineState struct {
	Name    string      `json:"name"`
	Address string      `json:"address"`
	Pid     int         `json:"pid"` // 0: off
	Disks   []nbd.Stats `json:"disks"`
}

// serve brings up the lab, tells file 3 how that went, and holds it until down or a signal.
func serve(ctx context.Context, args []string) error {
	tell := os.NewFile(3, "up")
	defer tell.Close()
	err := hold(ctx, args, tell)
	if err != nil {
		fmt.Fprintln(tell, "failed:", err)
	}
	return err
}

const upLine = "lab is up"

func hold(ctx context.Context, args []string, tell *os.File) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	c, err := config("serve", args)
	if err != nil {
		return err
	}
	path, err := socketPath()
	if err != nil {
		return err
	}
	c.Log = tell
	s := &server{end: end}
	if c.holdfast {
		if s.run, err = cluster.Up(ctx, cluster.Config{Lab: c.Config}); err != nil {
			return err
		}
		s.lab = s.run.Lab
	} else if s.lab, err = lab.Up(ctx, c.Config); err != nil {
		return err
	}
	defer s.lab.Close()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if _, err := net.Dial("unix", path); err == nil {
		return fmt.Errorf("a lab is up already")
	}
	os.Remove(path)
	ln, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	hs := &http.Server{Handler: s.handler()}
	fmt.Fprintln(tell, upLine)
	tell.Close()
	go hs.Serve(ln)
	<-ctx.Done()
	bye, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	return hs.Shutdown(bye)
}

func (s *server) handler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /ps", s.ps)
	m.HandleFunc("POST /down", func(w http.ResponseWriter, r *http.Request) {
		answer(w, s.lab.Close())
		s.end()
	})
	node := func(path string, f func(context.Context, *lab.Machine) error) {
		m.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			if n, ok := s.node(w, r.FormValue("node")); ok {
				answer(w, f(r.Context(), n))
			}
		})
	}
	node("/kill", func(_ context.Context, n *lab.Machine) error { return n.Kill() })
	node("/start", func(ctx context.Context, n *lab.Machine) error {
		if s.run != nil { // what ran there runs again
			return s.run.PowerOn(context.WithoutCancel(ctx), n.Name)
		}
		return n.Start(context.WithoutCancel(ctx))
	})
	node("/freeze", func(_ context.Context, n *lab.Machine) error { return n.Freeze() })
	node("/thaw", func(_ context.Context, n *lab.Machine) error { return n.Thaw() })
	node("/link-up", func(_ context.Context, n *lab.Machine) error { return n.Link(true) })
	node("/link-down", func(_ context.Context, n *lab.Machine) error { return n.Link(false) })
	m.HandleFunc("POST /cut", func(w http.ResponseWriter, r *http.Request) {
		answer(w, s.lab.Cut(r.FormValue("a"), r.FormValue("b")))
	})
	m.HandleFunc("POST /heal", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("a") == "" {
			answer(w, s.lab.HealAll())
			return
		}
		answer(w, s.lab.Heal(r.FormValue("a"), r.FormValue("b")))
	})
	m.HandleFunc("POST /forward", s.forward)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect { // to the agent of a machine
			s.connect(w, r)
			return
		}
		m.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (s *server) node(w http.ResponseWriter, name string) (*lab.Machine, bool) {
	for _, m := range s.lab.Machines {
		if m.Name == name {
			return m, true
		}
	}
	http.Error(w, fmt.Sprintf("no machine %q", name), http.StatusNotFound)
	return nil, false
}

func (s *server) ps(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := state{Cuts: s.lab.Cuts(), Forwards: s.fwds, Network: s.lab.Network(), Kernel: s.lab.Release(), Pid: os.Getpid()}
	if s.run != nil {
		st.URL = s.run.URL
	}
	for _, m := range s.lab.Machines {
		st.Machines = append(st.Machines, machineState{Name: m.Name, Address: m.Address, Pid: m.Pid(), Disks: m.Disks()})
	}
	json.NewEncoder(w).Encode(st)
}

func (s *server) forward(w http.ResponseWriter, r *http.Request) {
	port, err := strconv.Atoi(r.FormValue("port"))
	if err != nil {
		http.Error(w, "bad port", http.StatusBadRequest)
		return
	}
	n, ok := s.node(w, r.FormValue("node"))
	if !ok {
		return
	}
	addr, err := s.lab.Forward(r.FormValue("listen"), n.Name, port)
	if err != nil {
		answer(w, err)
		return
	}
	s.mu.Lock()
	s.fwds = append(s.fwds, forwarded{n.Name, port, addr})
	s.mu.Unlock()
	fmt.Fprintln(w, addr)
}

// connect joins the caller to a machine's agent.
func (s *server) connect(w http.ResponseWriter, r *http.Request) {
	n, ok := s.node(w, r.Host)
	if !ok {
		return
	}
	far, err := n.DialAgent(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer far.Close()
	near, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		answer(w, err)
		return
	}
	defer near.Close()
	if _, err := io.WriteString(near, "HTTP/1.1 200 Connected\r\n\r\n"); err != nil {
		return
	}
	go func() {
		io.Copy(far, buffered)
		if c, ok := far.(*net.TCPConn); ok {
			c.CloseWrite()
		}
	}()
	io.Copy(near, far)
}
