package main

import "context"

func (d *demo) putWriter(ctx context.Context) error {
	return d.PutProgram(ctx, "alpha", "/usr/local/bin/writer", "holdfast/lab/writer")
}
