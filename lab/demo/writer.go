package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

func (d *demo) putWriter(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "holdfast-writer")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "writer")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", bin, "holdfast/lab/writer")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the writer: %w\n%s", err, out)
	}
	return d.Machine("alpha").Put(ctx, bin, "/usr/local/bin/writer")
}
