package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// may lists, by package (a trailing /... takes in what lies below), the packages of this module that its non-test code
// may import. The most specific entry counts. A package without an entry fails the test: decide where it belongs.
var may = map[string][]string{
	"api":                     {},
	"client":                  {"api"},
	"cmd/holdfast":            {"internal/...", "client", "api"},
	"internal/fault":          {},
	"internal/model":          {"internal/fault"},
	"internal/props":          {"internal/fault", "internal/model"},
	"internal/secret":         {},
	"internal/state":          {"internal/model"},
	"internal/plan/...":       {"internal/fault", "internal/model", "internal/props", "internal/secret", "internal/state", "internal/plan/..."},
	"internal/core":           {"internal/fault", "internal/model", "internal/props", "internal/secret", "internal/state", "internal/plan/..."},
	"internal/store/...":      {"internal/store/..."},
	"internal/stored":         {"internal/model", "internal/state", "internal/store"},
	"internal/wire/...":       {"internal/model", "internal/wire/..."},
	"internal/pki":            {"internal/fault"},
	"internal/config":         {},
	"internal/obs":            {},
	"internal/controller/...": {"internal/fault", "internal/model", "internal/state", "internal/plan/...", "internal/core", "internal/store/...", "internal/stored", "internal/wire", "internal/pki", "internal/config", "internal/obs"},
	"internal/rest":           {"api", "internal/fault", "internal/model", "internal/props", "internal/state", "internal/plan/...", "internal/core", "internal/obs"},
	"internal/tool/...":       {"internal/tool/..."},
	"internal/stack/...":      {"internal/fault", "internal/model", "internal/tool/...", "internal/stack/..."},
	"internal/pool/...":       {"internal/fault", "internal/model", "internal/tool/...", "internal/pool/..."},
	"internal/satellite/...":  {"internal/fault", "internal/model", "internal/props", "internal/stack/...", "internal/pool/...", "internal/tool/...", "internal/wire", "internal/pki", "internal/config", "internal/obs", "internal/satellite/..."},
	"internal/cli/...":        {"api", "client", "internal/cli/..."},
	"internal/admin":          {"internal/model", "internal/state", "internal/store/...", "internal/stored", "internal/config", "internal/pki", "internal/satellite"},
	"internal/sim/machine":    {"internal/tool/..."},
	"internal/sim/...":        {"internal/...", "api", "client"},
	"internal/bench/...":      {"api", "internal/..."},
	"internal/archtest":       {},
	"lab":                     {"lab/..."},
	"lab/...":                 {"lab/..."},
	"test/...":                {"api", "client", "internal/...", "lab"},
}

// pure packages also keep away from these parts of the standard library.
var pure = []string{"internal/fault", "internal/model", "internal/props", "internal/secret", "internal/state", "internal/plan/...", "internal/core", "internal/satellite/steps"}
var impure = []string{"os", "os/exec", "net", "net/http", "log", "log/slog", "math/rand", "crypto/rand", "database/sql"}

const module = "holdfast/"

func match(pattern, pkg string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == base || strings.HasPrefix(pkg, base+"/")
	}
	return pkg == pattern
}

func rule(pkg string) (string, bool) {
	best, found := "", false
	for p := range may {
		if match(p, pkg) && len(p) >= len(best) {
			best, found = p, true
		}
	}
	return best, found
}

func TestImportDirections(t *testing.T) {
	root := filepath.Join("..", "..")
	imports := map[string]map[string]string{} // package -> import -> a file that has it
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && rel != "." || d.Name() == "testdata" || d.Name() == "build") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := path.Dir(filepath.ToSlash(rel))
		if imports[pkg] == nil {
			imports[pkg] = map[string]string{}
		}
		for _, i := range f.Imports {
			name, _ := strconv.Unquote(i.Path.Value)
			imports[pkg][name] = rel
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg, list := range imports {
		r, ok := rule(pkg)
		if !ok {
			t.Errorf("%s has no entry: say in this test what it may know", pkg)
			continue
		}
		for imp, file := range list {
			if own, ok := strings.CutPrefix(imp, module); ok &&
				!slices.ContainsFunc(may[r], func(p string) bool { return match(p, own) }) {
				t.Errorf("%s imports %s, which %s may not know", file, own, pkg)
			}
			if slices.Contains(impure, imp) && slices.ContainsFunc(pure, func(p string) bool { return match(p, pkg) }) {
				t.Errorf("%s imports %s: %s is pure", file, imp, pkg)
			}
		}
	}
}
