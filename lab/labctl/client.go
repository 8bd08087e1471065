package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"holdfast/lab"
)

// socketPath is where the process that holds the lab listens: $HOLDFAST_LAB_SOCKET, for several labs at once, or one in
// the lab's folder.
func socketPath() (string, error) {
	if p := os.Getenv("HOLDFAST_LAB_SOCKET"); p != "" {
		return p, nil
	}
	home, err := lab.Home()
	return filepath.Join(home, "run", "labctl.sock"), err
}

func dial(ctx context.Context) (net.Conn, error) {
	path, err := socketPath()
	if err != nil {
		return nil, err
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		err = errors.New("no lab is up; labctl up brings one up")
	}
	return c, err
}

// call asks the process that holds the lab.
func call(ctx context.Context, method, path string, q url.Values) ([]byte, error) {
	c := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}}
	req, err := http.NewRequestWithContext(ctx, method, "http://lab"+path+"?"+q.Encode(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(strings.TrimSpace(string(b)))
	}
	return b, err
}

// agent talks to a machine through that process.
func agent(node string) *lab.Agent {
	return lab.NewAgent(node, func(ctx context.Context) (net.Conn, error) {
		c, err := dial(ctx)
		if err != nil {
			return nil, err
		}
		if c, err = lab.Connect(ctx, c, node); err != nil {
			return nil, fmt.Errorf("reach its agent: %w", err)
		}
		return c, nil
	})
}
