package satellite

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"holdfast/internal/model"
	stack "holdfast/internal/stack/drbd"
	"holdfast/internal/tool/run"
)

// configFile is a DRBD file in the config folder, ours or not.
type configFile struct {
	Text  []byte
	Owner model.UUID // "" for not ours
}

func (c Config) configFile(resource string) string { return path.Join(c.ConfigDir, resource+".res") }

// draftFile is where a new file is put to be parsed. No include of *.res meets it.
func (c Config) draftFile(resource string) string { return path.Join(c.ConfigDir, resource+".draft") }

func loadConfig(f run.FS, c Config, resource string) (*configFile, error) {
	b, err := f.ReadFile(c.configFile(resource))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read config of %s: %w", resource, err)
	}
	return &configFile{Text: b, Owner: stack.Owner(b)}, nil
}

// loadConfigs reads the whole folder, by resource name.
func loadConfigs(f run.FS, c Config) (map[string]configFile, error) {
	out := map[string]configFile{}
	names, err := f.ReadDir(c.ConfigDir)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read config folder: %w", err)
	}
	for _, n := range names {
		name, ok := strings.CutSuffix(n, ".res")
		if !ok {
			continue
		}
		cf, err := loadConfig(f, c, name)
		if err != nil {
			return nil, err
		}
		if cf != nil {
			out[name] = *cf
		}
	}
	return out, nil
}

// removeDrafts clears away what a crash left: files that were written and not yet renamed.
func removeDrafts(f run.FS, c Config) error {
	names, err := f.ReadDir(c.ConfigDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read config folder: %w", err)
	}
	for _, n := range names {
		if path.Ext(n) != ".draft" {
			continue
		}
		file := path.Join(c.ConfigDir, n)
		if b, err := f.ReadFile(file); err != nil || stack.Owner(b) == "" {
			continue
		}
		if err := f.Remove(file); err != nil {
			return fmt.Errorf("remove %s: %w", file, err)
		}
	}
	return nil
}
