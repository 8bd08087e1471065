package core

import (
	"strconv"
	"strings"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Init fills an empty store: the cluster's id, LINSTOR's default properties, the default group (linstor-features 2.7).
type Init struct{}

func (Init) Apply(tx *state.Tx, env Env) (Reply, error) {
	if tx.Snapshot().Controller() == nil {
		id := env.UUID()
		tx.PutController(&model.ControllerState{ClusterID: id, PoolDefs: map[string]model.StoragePoolDefinition{},
			KeyValues: map[string]model.KeyValueStore{}, Props: map[string]string{
				"DrbdOptions/auto-add-quorum-tiebreaker": "True",
				"DrbdOptions/auto-diskful-allow-cleanup": "True",
				"DrbdOptions/AutoEvictAllowEviction":     "True",
				"DrbdOptions/auto-resync-after-disable":  "true",
				"DrbdOptions/Resource/on-no-quorum":      "io-error",
				"Cluster/LocalID":                        string(id),
			}})
	}
	if tx.Snapshot().Group(model.DefaultGroup) == nil {
		tx.PutGroup(&model.ResourceGroup{UUID: env.UUID(), Name: model.DefaultGroup, Filter: model.SelectFilter{PlaceCount: 2}})
	}
	return Reply{}, nil
}

// ControllerModify changes the cluster's properties.
type ControllerModify struct {
	Override   map[string]string
	Delete     []string
	Namespaces []string
}

func (c ControllerModify) Apply(tx *state.Tx, _ Env) (Reply, error) {
	m := tx.Snapshot().Controller().Clone()
	var err error
	local := m.Props["Cluster/LocalID"]
	if m.Props, err = props.Apply(props.Controller, fault.Controller, m.Props, c.Override, c.Delete, c.Namespaces); err != nil {
		return Reply{}, err
	}
	if m.Props == nil {
		m.Props = map[string]string{}
	}
	m.Props["Cluster/LocalID"] = local
	tx.PutController(m)
	if touchesDRBD(c) {
		var ids []model.UUID
		tx.Snapshot().AllDefinitions(func(d *state.Definition) bool {
			ids = append(ids, d.UUID)
			return true
		})
		for _, id := range ids {
			tx.Touch(id)
		}
	}
	return Reply{Notes: []fault.Note{done(fault.Modify, fault.Controller, nil, "Controller properties modified.")}}, nil
}

func touchesDRBD(c ControllerModify) bool {
	is := func(k string) bool {
		return strings.HasPrefix(k, "DrbdOptions") || strings.HasPrefix(k, "Luks/") || k == "PrefNic"
	}
	for k := range c.Override {
		if is(k) {
			return true
		}
	}
	for _, k := range append(append([]string(nil), c.Delete...), c.Namespaces...) {
		if is(k) {
			return true
		}
	}
	return false
}

// KeyValueModify changes a key-value store, which comes with its first key and goes with its last. With Drop it goes.
type KeyValueModify struct {
	Name       string
	Override   map[string]string
	Delete     []string
	Namespaces []string
	Drop       bool
}

func (c KeyValueModify) Apply(tx *state.Tx, _ Env) (Reply, error) {
	if err := model.CheckKVName(c.Name); err != nil {
		return Reply{}, err
	}
	m := tx.Snapshot().Controller().Clone()
	kv, ok := m.KeyValues[model.Key(c.Name)]
	refs := map[string]string{"Kvs": c.Name}
	if c.Drop {
		if !ok {
			return Reply{Notes: []fault.Note{warn(fault.NotFound, fault.Delete, fault.KeyValueStore, refs, "Key-value store '%s' does not exist.", c.Name)}}, nil
		}
		delete(m.KeyValues, model.Key(c.Name))
		tx.PutController(m)
		return Reply{Notes: []fault.Note{done(fault.Delete, fault.KeyValueStore, refs, "Key-value store '%s' deleted.", c.Name)}}, nil
	}
	if !ok {
		kv = model.KeyValueStore{Name: c.Name}
	}
	p := map[string]string{}
	for k, v := range kv.Props {
		p[k] = v
	}
	for _, k := range c.Delete {
		delete(p, k)
	}
	for _, ns := range c.Namespaces {
		for k := range p {
			if strings.HasPrefix(k, strings.TrimSuffix(ns, "/")+"/") {
				delete(p, k)
			}
		}
	}
	for k, v := range c.Override {
		if k == "" || len(k) > 1024 || len(v) > 1<<20 {
			return Reply{}, fault.New(fault.Invalid, fault.KeyValueStore, "The key '%.64s' or its value is not valid.", k).In("override_props").
				Because("A key has 1 to 1024 bytes, a value at most 1 MiB.").Do("Shorten it.")
		}
		p[k] = v
	}
	kv.Props = p
	m.KeyValues[model.Key(c.Name)] = kv
	if len(p) == 0 {
		delete(m.KeyValues, model.Key(c.Name))
	}
	tx.PutController(m)
	return Reply{Notes: []fault.Note{done(fault.Modify, fault.KeyValueStore, refs, "Key-value store '%s' modified.", c.Name)}}, nil
}
