package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// sections is a configuration file: section, key, value.
type sections map[string]map[string]string

// readConfig reads the files that LINSTOR's client reads: all of /etc/linstor/linstor-client.d/*.conf, then the user's file
// or, where there is none, /etc/linstor/linstor-client.conf. Later files win.
func readConfig(root fs.FS, home string, args []string) (sections, error) {
	conf := sections{}
	if root == nil || slices.Contains(args, "--disable-config") {
		return conf, nil
	}
	files, _ := fs.Glob(root, "etc/linstor/linstor-client.d/*.conf")
	main := "etc/linstor/linstor-client.conf"
	if home != "" {
		user := strings.TrimPrefix(filepath.Join(home, ".config/linstor/linstor-client.conf"), "/")
		if _, err := fs.Stat(root, user); err == nil {
			main = user
		}
	}
	for _, name := range append(files, main) {
		b, err := fs.ReadFile(root, name)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrInvalid) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read /%s: %w", name, err)
		}
		if err := conf.parse(b); err != nil {
			return nil, usagef(nil, "/%s: %w", name, err)
		}
	}
	return conf, nil
}

func (c sections) parse(b []byte) error {
	section := ""
	sc := bufio.NewScanner(bytes.NewReader(b))
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[' && line[len(line)-1] == ']':
			section = strings.TrimSpace(line[1 : len(line)-1])
		default:
			i := strings.IndexAny(line, "=:")
			if section == "" || i == 0 {
				return fmt.Errorf("line %d is neither [section] nor key = value", n)
			}
			key, value := line, ""
			if i > 0 {
				key, value = strings.TrimSpace(line[:i]), strings.TrimSpace(line[i+1:])
			}
			if c[section] == nil {
				c[section] = map[string]string{}
			}
			c[section][strings.ToLower(key)] = value
		}
	}
	return sc.Err()
}

// leadingArgs turns [global] and LS_CLIENT_<OPTION> into options that stand before all others, so that what is typed wins.
func leadingArgs(root *cobra.Command, conf sections, env map[string]string) ([]string, error) {
	var out []string
	add := func(source, name, value string) error {
		f := root.PersistentFlags().Lookup(name)
		if f == nil {
			return usagef(nil, "%s: there is no option --%s", source, name)
		}
		if f.Value.Type() == "bool" && value == "" {
			value = "true"
		}
		if f.Value.Type() == "bool" {
			if _, err := strconv.ParseBool(value); err != nil {
				return usagef(nil, "%s: %q is not true or false", source, value)
			}
		}
		out = append(out, "--"+name+"="+value)
		return nil
	}
	for _, k := range sortedKeys(conf["global"]) {
		if err := add("[global] "+k, strings.ReplaceAll(k, "_", "-"), conf["global"][k]); err != nil {
			return nil, err
		}
	}
	for _, k := range sortedKeys(env) {
		if opt, ok := strings.CutPrefix(k, "LS_CLIENT_"); ok {
			if err := add(k, strings.ReplaceAll(strings.ToLower(opt), "_", "-"), env[k]); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// commandArgs turns the section of a command, such as [node.list], into options. Values are JSON.
func (c sections) commandArgs(section string) ([]string, error) {
	var out []string
	for _, k := range sortedKeys(c[section]) {
		var v any
		if err := json.Unmarshal([]byte(c[section][k]), &v); err != nil {
			return nil, usagef(nil, "[%s] %s: the value is not JSON: %w", section, k, err)
		}
		name := "--" + strings.ReplaceAll(k, "_", "-")
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				out = append(out, fmt.Sprintf("%s=%v", name, e))
			}
		case bool, string, float64:
			out = append(out, fmt.Sprintf("%s=%v", name, v))
		}
	}
	return out, nil
}

// readFile reads a file named on the command line.
func (a *App) readFile(name string) ([]byte, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, usagef(nil, "%w", err)
	}
	return b, nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
