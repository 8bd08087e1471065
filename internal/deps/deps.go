// Package deps holds go.mod's requirements while the packages that use them are being written; it goes when they are.
package deps

import (
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/pelletier/go-toml/v2"
	_ "github.com/rogpeppe/go-internal/testscript"
	_ "github.com/spf13/cobra"
	_ "github.com/tidwall/btree"
	_ "golang.org/x/sync/errgroup"
	_ "golang.org/x/sys/unix"
	_ "golang.org/x/term"
	_ "google.golang.org/protobuf/encoding/protodelim"
	_ "modernc.org/sqlite"
	_ "pgregory.net/rapid"
)
