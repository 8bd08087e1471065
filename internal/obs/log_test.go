package obs

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
	"time"
)

func TestNewLogger(t *testing.T) {
	var b bytes.Buffer
	log, err := NewLogger(&b, "info", "json")
	if err != nil {
		t.Fatal(err)
	}
	log.Debug("not shown")
	log.Info("shown", KeyNode, "alpha", Err(errors.New("why")), Err(nil), Took(1500*time.Microsecond))
	var line map[string]any
	if err := json.Unmarshal(b.Bytes(), &line); err != nil {
		t.Fatalf("%q: %v", b.String(), err)
	}
	if line["msg"] != "shown" || line["node"] != "alpha" || line["error"] != "why" || line["ms"] != 1.5 {
		t.Errorf("%v", line)
	}

	b.Reset()
	if log, err = NewLogger(&b, "warn", "text"); err != nil {
		t.Fatal(err)
	}
	log.Info("not shown")
	log.Warn("shown", KeyNode, "alpha")
	if s := b.String(); strings.Count(s, "\n") != 1 || !strings.Contains(s, "node=alpha") {
		t.Errorf("%q", s)
	}

	if _, err := NewLogger(&b, "loud", "text"); err == nil {
		t.Error("a level of loud")
	}
	if _, err := NewLogger(&b, "info", "xml"); err == nil {
		t.Error("a format of xml")
	}
	Discard().Error("nowhere")
}

// TestKeysDiffer: two names for one key would be a slip.
func TestKeysDiffer(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "keys.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.ValueSpec); ok {
			v := s.Values[0].(*ast.BasicLit).Value
			if other, ok := seen[v]; ok {
				t.Errorf("%s and %s are both %s", other, s.Names[0].Name, v)
			}
			seen[v] = s.Names[0].Name
		}
		return true
	})
	if len(seen) < 20 {
		t.Errorf("only %d keys found", len(seen))
	}
}
