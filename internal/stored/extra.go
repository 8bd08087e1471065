package stored

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// extra is what a newer release wrote into a record and this one doesn't know.
type extra struct {
	minor int
	root  *branch
}

// branch holds what is unknown below one object of the record.
type branch struct {
	fields map[string]any                // whole fields
	sub    map[string]*branch            // by field: in an object that is known
	items  map[string]map[string]*branch // by field, then key: in the objects of a list that is known
}

// unknown compares a record with what this release makes of it.
func unknown(minor int, raw, known []byte) (*extra, error) {
	r, err := generic(raw)
	if err != nil {
		return nil, err
	}
	k, err := generic(known)
	if err != nil {
		return nil, err
	}
	return &extra{minor: minor, root: compare(r, k)}, nil
}

// merge adds to a record, encoded anew, what is unknown. What belonged to a part that is gone goes with it.
func (x *extra) merge(b []byte) ([]byte, error) {
	m, err := generic(b)
	if err != nil {
		return nil, err
	}
	x.root.into(m)
	return json.Marshal(m)
}

func generic(b []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber() // 64 bits stay exact
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("read fields: %w", err)
	}
	return m, nil
}

func compare(raw, known map[string]any) *branch {
	b := &branch{fields: map[string]any{}, sub: map[string]*branch{}, items: map[string]map[string]*branch{}}
	for f, v := range raw {
		k, ok := known[f]
		if !ok {
			b.fields[f] = v
			continue
		}
		switch v := v.(type) {
		case map[string]any:
			if k, ok := k.(map[string]any); ok {
				b.sub[f] = compare(v, k)
			}
		case []any:
			b.items[f] = map[string]*branch{}
			old := byKey(v)
			if k, ok := k.([]any); ok {
				for key, k := range byKey(k) {
					if o := old[key]; o != nil {
						b.items[f][key] = compare(o, k)
					}
				}
			}
		}
	}
	return b
}

func (b *branch) into(m map[string]any) {
	for f, v := range b.fields {
		if _, ok := m[f]; !ok {
			m[f] = v
		}
	}
	for f, s := range b.sub {
		if o, ok := m[f].(map[string]any); ok {
			s.into(o)
		}
	}
	for f, items := range b.items {
		if list, ok := m[f].([]any); ok {
			for key, o := range byKey(list) {
				if s := items[key]; s != nil {
					s.into(o)
				}
			}
		}
	}
}

// byKey finds the objects of a list by what identifies them: id, replica or name.
func byKey(list []any) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, v := range list {
		if o, ok := v.(map[string]any); ok {
			for _, f := range []string{"id", "replica", "name"} {
				if s, ok := o[f].(string); ok {
					out[s] = o
					break
				}
			}
		}
	}
	return out
}
