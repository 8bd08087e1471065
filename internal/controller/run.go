package controller

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"time"

	"holdfast/internal/config"
	"holdfast/internal/pki"
	"holdfast/internal/store"
	"holdfast/internal/store/memory"
	"holdfast/internal/store/sqlite"
)

// Serve answers API requests on ln from c until ctx ends.
type Serve func(ctx context.Context, ln net.Listener, c *Controller, cfg config.Controller, log *slog.Logger) error

// gcPercent is how much garbage may lie beside what is in use before it is collected, in percent of that: less than Go's
// 100, as most of a controller's memory is in use for long. At 10,000 definitions of three replicas it takes 341 MiB
// instead of 412, and answers as quickly (`make bench`). GOGC in the environment goes before it.
const gcPercent = 70

// Run is `holdfast controller`: keys, store, writer, sessions, API. It returns when ctx ends, or with what keeps it from
// working.
func Run(ctx context.Context, cfg config.Controller, version string, log *slog.Logger, serve Serve) (err error) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ln, err := net.Listen("tcp", cfg.REST.Listen)
	if err != nil {
		return fmt.Errorf("listen for the API: %w", err)
	}
	defer ln.Close() //nolint:errcheck // at the end
	cluster, made, err := pki.OpenCluster(cfg.StateDir, time.Now(), rand.Reader)
	if err != nil {
		return err
	}
	if made {
		log.Info("new cluster keys made", "cluster", cluster.ID, "fingerprint", cluster.Fingerprint().Short())
	}
	log.Info("controller starts", "version", version, "cluster", cluster.ID, "fingerprint", cluster.Fingerprint().Short())
	be, err := OpenStore(ctx, cfg.Store, cluster.ID, version)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, be.Close()) }()
	c, err := Open(ctx, Deps{Store: be, Cluster: cluster, Log: log, Version: version})
	if err != nil {
		return err
	}

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	writer := make(chan error, 1)
	go func() { writer <- c.Run(ctx) }()
	select {
	case <-c.Ready():
		c.unlock(ctx, cfg, log)
		err = serve(ctx, ln, c, cfg, log)
	case <-ctx.Done():
	}
	stop()
	return errors.Join(err, <-writer)
}

// storeSync is SQLite's "synchronous": empty for FULL, always. Only a scenario of the lab builds a controller with another
// (-ldflags -X), to see that it loses what was acknowledged.
var storeSync string

// OpenStore opens the back end that the configuration names.
func OpenStore(ctx context.Context, cfg config.Store, cluster, version string) (store.Backend, error) {
	if cfg.Kind == "memory" {
		return memory.New(cluster), nil
	}
	db, err := sqlite.Open(ctx, sqlite.Options{Path: cfg.Path, Cluster: cluster, WrittenBy: version, Synchronous: sqlite.Synchronous(storeSync)})
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	return db, nil
}
