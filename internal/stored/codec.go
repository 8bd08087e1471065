package stored

import (
	"encoding/json"
	"errors"
	"fmt"

	"holdfast/internal/model"
	"holdfast/internal/state"
	"holdfast/internal/store"
)

// Minor is the newest form of the shapes that this release knows all fields of.
const Minor = 1

// header is in every record.
type header struct {
	V int `json:"v"` // the Minor of the newest release that wrote fields into it
}

func (h *header) version() *int { return &h.V }

// Object is one decoded record: exactly one of the pointers is set.
type Object struct {
	Controller *model.ControllerState
	Node       *model.Node
	Group      *model.ResourceGroup
	Definition *model.ResourceDefinition
	extra      *extra
}

// Codec encodes changes and remembers, per record, the fields of a newer release. It is the writer's, for one goroutine.
type Codec struct{ extras map[int64]*extra }

var kinds = map[state.Kind]store.Kind{
	state.KindController: store.KindCluster,
	state.KindNode:       store.KindNode,
	state.KindGroup:      store.KindResourceGroup,
	state.KindDefinition: store.KindResourceDefinition,
}

// Encode makes the store's form of a change.
func (c *Codec) Encode(ch state.Change) (store.Change, error) {
	out := store.Change{ID: ch.Record, Kind: kinds[ch.Kind]}
	var shape interface{ version() *int }
	switch {
	case out.Kind == 0:
		return out, fmt.Errorf("encode record %d: kind %d is unknown", ch.Record, ch.Kind)
	case ch.Controller != nil:
		shape = clusterOut(ch.Controller)
	case ch.Node != nil:
		shape = nodeOut(ch.Node)
	case ch.Group != nil:
		shape = groupOut(ch.Group)
	case ch.Definition != nil:
		shape = definitionOut(ch.Definition)
	default:
		return out, nil
	}
	*shape.version() = Minor
	x := c.extras[ch.Record]
	if x != nil {
		*shape.version() = x.minor
	}
	b, err := json.Marshal(shape)
	if err == nil && x != nil {
		b, err = x.merge(b)
	}
	if err != nil {
		return out, fmt.Errorf("encode record %d: %w", ch.Record, err)
	}
	out.Data = b
	return out, nil
}

// Decode reads a record. One of an unknown kind gives an empty Object and an error.
func Decode(r store.Record) (Object, error) {
	var o Object
	var err error
	switch r.Kind {
	case store.KindCluster:
		err = decode(r, &o, func(s *cluster) error {
			o.Controller = s.in(r.ID)
			return need(s.ID != "", "an id")
		})
	case store.KindNode:
		err = decode(r, &o, func(s *node) error {
			o.Node = s.in(r.ID)
			return need(s.ID != "" && s.Name != "", "an id and a name")
		})
	case store.KindResourceGroup:
		err = decode(r, &o, func(s *group) error {
			o.Group = s.in(r.ID)
			return need(s.ID != "" && s.Name != "", "an id and a name")
		})
	case store.KindResourceDefinition:
		err = decode(r, &o, func(s *definition) error {
			o.Definition = s.in(r.ID)
			return need(s.ID != "" && s.Name != "", "an id and a name")
		})
	default:
		err = fmt.Errorf("this release doesn't know the kind %s", r.Kind)
	}
	if err != nil {
		return Object{}, fmt.Errorf("decode record %d (%s): %w", r.ID, r.Kind, err)
	}
	return o, nil
}

func need(ok bool, what string) error {
	if !ok {
		return errors.New("it has not " + what)
	}
	return nil
}

func decode[S any, P interface {
	*S
	version() *int
}](r store.Record, o *Object, in func(P) error) error {
	s := P(new(S))
	if err := json.Unmarshal(r.Data, s); err != nil {
		return err
	}
	if err := in(s); err != nil {
		return err
	}
	if *s.version() > Minor {
		known, err := json.Marshal(s)
		if err != nil {
			return err
		}
		if o.extra, err = unknown(*s.version(), r.Data, known); err != nil {
			return err
		}
	}
	return nil
}
