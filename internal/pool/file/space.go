package file

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"holdfast/internal/tool/run"
)

// space of the file system that holds dir, in KiB: all of it, and what is free for us.
func space(ctx context.Context, r run.Runner, dir string) (total, free int64, err error) {
	res, err := run.Check(ctx, r, run.Cmd{Argv: []string{"df", "--block-size=1024", "--output=size,avail", dir}}, nil)
	if err != nil {
		return 0, 0, fmt.Errorf("read free space of %s: %w", dir, err)
	}
	return parseSpace(string(res.Stdout))
}

// parseSpace reads df's heading and its one line.
func parseSpace(out string) (total, free int64, err error) {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) == 2 {
		if f := strings.Fields(lines[1]); len(f) == 2 {
			t, err1 := strconv.ParseInt(f[0], 10, 64)
			a, err2 := strconv.ParseInt(f[1], 10, 64)
			if err1 == nil && err2 == nil {
				return t, a, nil
			}
		}
	}
	return 0, 0, fmt.Errorf("parse free space: df printed %q", out)
}
