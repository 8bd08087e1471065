package rest

import (
	"cmp"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"holdfast/api"
	"holdfast/internal/state"
)

// The OpenAPI document is made of the route table: each route is in it, with the body that its handler really decodes
// and the type that it answers with. Nothing in it is written by hand but the types of the answers.

type dict = map[string]any

// answers are the types that reads answer with, by path. A read that isn't here answers with text, or with nothing.
var answers = map[string]any{
	"/v1/controller/config":                                               api.ControllerConfig{},
	"/v1/space-report":                                                    api.SpaceReport{},
	"/v1/controller/version":                                              api.ControllerVersion{},
	"/v1/controller/properties":                                           api.Props{},
	"/v1/controller/properties/info/all":                                  map[string]map[string]api.PropsInfo{},
	"/v1/encryption/passphrase":                                           api.PassphraseStatus{},
	"/v1/nodes":                                                           []api.Node{},
	"/v1/nodes/{node}":                                                    api.Node{},
	"/v1/nodes/{node}/config":                                             api.SatelliteConfig{},
	"/v1/nodes/{node}/safe-to-stop":                                       api.SafeToStop{},
	"/v1/nodes/{node}/net-interfaces":                                     []api.NetInterface{},
	"/v1/nodes/{node}/net-interfaces/{netif}":                             api.NetInterface{},
	"/v1/nodes/{node}/storage-pools":                                      []api.StoragePool{},
	"/v1/nodes/{node}/storage-pools/{pool}":                               api.StoragePool{},
	"/v1/physical-storage":                                                []api.PhysicalStorage{},
	"/v1/physical-storage/{node}":                                         []api.PhysicalStorageNode{},
	"/v1/storage-pool-definitions":                                        []api.StoragePoolDefinition{},
	"/v1/storage-pool-definitions/{pool}":                                 api.StoragePoolDefinition{},
	"/v1/resource-groups":                                                 []api.ResourceGroup{},
	"/v1/resource-groups/{group}":                                         api.ResourceGroup{},
	"/v1/resource-groups/{group}/query-max-volume-size":                   api.MaxVolumeSizes{},
	"/v1/resource-groups/{group}/query-size-info":                         api.QuerySizeInfoResponse{},
	"/v1/queries/resource-groups/query-all-size-info":                     api.QueryAllSizeInfoResponse{},
	"/v1/query-max-volume-size":                                           api.MaxVolumeSizes{},
	"/v1/resource-groups/{group}/volume-groups":                           []api.VolumeGroup{},
	"/v1/resource-groups/{group}/volume-groups/{vlmnr}":                   api.VolumeGroup{},
	"/v1/resource-definitions":                                            []api.ResourceDefinition{},
	"/v1/resource-definitions/{rsc}":                                      api.ResourceDefinition{},
	"/v1/resource-definitions/{rsc}/sync-status":                          api.ResourceDefinitionSyncStatus{},
	"/v1/resource-definitions/{rsc}/clone":                                api.ResourceDefinitionCloneStarted{},
	"/v1/resource-definitions/{rsc}/clone/{clone}":                        api.ResourceDefinitionCloneStatus{},
	"/v1/resource-definitions/{rsc}/resource-connections":                 []api.ResourceConnection{},
	"/v1/resource-definitions/{rsc}/resource-connections/{nodeA}/{nodeB}": api.ResourceConnection{},
	"/v1/resource-definitions/{rsc}/volume-definitions":                   []api.VolumeDefinition{},
	"/v1/resource-definitions/{rsc}/volume-definitions/{vlmnr}":           api.VolumeDefinition{},
	"/v1/resource-definitions/{rsc}/resources":                            []api.Resource{},
	"/v1/resource-definitions/{rsc}/resources/{node}":                     api.Resource{},
	"/v1/resource-definitions/{rsc}/resources/{node}/volumes":             []api.Volume{},
	"/v1/resource-definitions/{rsc}/resources/{node}/volumes/{vlmnr}":     api.Volume{},
	"/v1/view/resources":                                                  []api.ResourceWithVolumes{},
	"/v1/view/conditions":                                                 []api.Condition{},
	"/v1/view/verifies":                                                   []api.Verify{},
	"/v1/view/storage-pools":                                              []api.StoragePool{},
	"/v1/view/snapshots":                                                  []api.Snapshot{},
	"/v1/resource-definitions/{rsc}/snapshots":                            []api.Snapshot{},
	"/v1/resource-definitions/{rsc}/snapshots/{snap}":                     api.Snapshot{},
	"/v1/key-value-store":                                                 []api.KeyValueStore{},
	"/v1/key-value-store/{instance}":                                      []api.KeyValueStore{},
	"/v1/error-reports":                                                   []api.ErrorReport{},
	"/v1/error-reports/{report}":                                          []api.ErrorReport{},
	"/v1/remotes":                                                         api.Remotes{},
	"/v1/remotes/s3":                                                      []api.Remote{},
	"/v1/remotes/linstor":                                                 []api.Remote{},
	"/v1/remotes/ebs":                                                     []api.Remote{},
	"/v1/schedules":                                                       api.Schedules{},
	"/v1/view/schedules-by-resource":                                      api.Schedules{},
	"/v1/view/schedules-by-resource/{rsc}":                                api.Schedules{},
	"/v1/view/backup/queue":                                               api.BackupQueues{},
	"/v1/files":                                                           []api.ExternalFile{},
	"/v1/node-connections":                                                []api.NodeConnection{},
	"/v1/stats/nodes":                                                     api.Stats{},
	"/v1/stats/storage-pools":                                             api.Stats{},
	"/v1/stats/resource-groups":                                           api.Stats{},
	"/v1/stats/resource-definitions":                                      api.Stats{},
	"/v1/stats/resources":                                                 api.Stats{},
	"/v1/stats/error-reports":                                             api.Stats{},
	"/v1/nodes/{node}/reconnect":                                          api.ApiCallRcList{},
	openAPIPath:                                                           dict{},
}

const openAPIPath = "/v1/openapi.json"

// answer of a route; nil: no JSON.
func (r *route) answer() any {
	switch {
	case r.change != nil, r.method == "DELETE", r.method == "PATCH":
		return api.ApiCallRcList{}
	case strings.HasSuffix(r.pattern, "/properties/info"):
		return map[string]api.PropsInfo{}
	}
	return answers[r.pattern]
}

// errProbe ends a handler that only runs to show what it decodes.
var errProbe = errors.New("probe")

// body is the type that the route's handler decodes, and whether it may be left away; nil: it takes none, or looks at other
// things first.
func (r *route) body(snap *state.Snapshot) (t reflect.Type, optional bool) {
	if r.pattern == openAPIPath || r.method == "GET" || r.method == "DELETE" {
		return nil, false
	}
	defer func() { _ = recover() }() // a handler that needs what a probe hasn't
	c := &call{route: r, snap: snap, q: map[string][]string{}, probe: func(v any, mayBeEmpty bool) {
		t, optional = reflect.TypeOf(v).Elem(), mayBeEmpty
	}}
	for range r.names() {
		c.params = append(c.params, "0")
	}
	switch {
	case r.change != nil:
		_, _ = r.change(c)
	case r.read != nil:
		_ = r.read(c)
	}
	return t, optional
}

// openAPI is the document of these routes.
func openAPI(rows []route) dict {
	empty, _ := state.Build(state.Loaded{})
	g := schemas{defs: dict{}}
	paths := dict{}
	for _, r := range rows {
		p := strings.ReplaceAll(r.pattern, "...}", "}")
		at, _ := paths[p].(dict)
		if at == nil {
			at = dict{}
			paths[p] = at
		}
		at[strings.ToLower(r.method)] = g.operation(&r, empty)
	}
	g.of(reflect.TypeFor[api.ApiCallRcList]())
	return dict{"openapi": "3.0.3", "info": dict{"title": "Holdfast", "version": api.RESTVersion,
		"description": "LINSTOR's REST API v1 as Holdfast answers it. The routes of LINSTOR that aren't here answer 501."},
		"paths": paths, "components": dict{"schemas": g.defs}}
}

func openAPIDocument(c *call) error { return c.json(c.s.openAPI()) }

type schemas struct{ defs dict }

func (g schemas) operation(r *route, empty *state.Snapshot) dict {
	op := dict{"summary": r.doc, "operationId": operationID(r)}
	var params []dict
	for _, n := range r.names() {
		params = append(params, dict{"name": n, "in": "path", "required": true, "schema": dict{"type": "string"}})
	}
	if r.change != nil {
		params = append(params, dict{"name": api.QueryAsync, "in": "query", "schema": dict{"type": "boolean"},
			"description": "Answer once the change is stored, without waiting for the nodes."})
	}
	if len(params) > 0 {
		op["parameters"] = params
	}
	if t, optional := r.body(empty); t != nil {
		op["requestBody"] = dict{"required": !optional, "content": content(g.of(t))}
	}
	good := dict{"description": "Done."}
	if v := r.answer(); v != nil {
		good["content"] = content(g.of(reflect.TypeOf(v)))
	}
	op["responses"] = dict{strconv.Itoa(cmp.Or(r.ok, 200)): good,
		"default": dict{"description": "It was refused or failed: each entry says what, why, and what to do.", "content": content(g.of(reflect.TypeFor[api.ApiCallRcList]()))}}
	return op
}

func content(schema dict) dict { return dict{"application/json": dict{"schema": schema}} }

// operationID is the method and the path as one word.
func operationID(r *route) string {
	id := strings.ToLower(r.method)
	for _, seg := range strings.FieldsFunc(r.pattern, func(c rune) bool { return strings.ContainsRune("/{}-.", c) }) {
		if seg != "v1" {
			id += strings.ToUpper(seg[:1]) + seg[1:]
		}
	}
	return id
}

// of is the schema of a type; structs with a name are kept apart.
func (g schemas) of(t reflect.Type) dict {
	switch t.Kind() {
	case reflect.Pointer:
		return g.of(t.Elem())
	case reflect.Bool:
		return dict{"type": "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return dict{"type": "integer", "format": "int64"}
	case reflect.Float32, reflect.Float64:
		return dict{"type": "number"}
	case reflect.String:
		return dict{"type": "string"}
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return dict{} // raw JSON
		}
		return dict{"type": "array", "items": g.of(t.Elem())}
	case reflect.Map:
		return dict{"type": "object", "additionalProperties": g.of(t.Elem())}
	case reflect.Struct:
		if t.Name() == "" {
			return g.object(t)
		}
		if _, made := g.defs[t.Name()]; !made {
			g.defs[t.Name()] = dict{} // a type may hold itself
			g.defs[t.Name()] = g.object(t)
		}
		return dict{"$ref": "#/components/schemas/" + t.Name()}
	}
	return dict{}
}

func (g schemas) object(t reflect.Type) dict {
	props, required := dict{}, []string{}
	g.fields(t, props, &required)
	o := dict{"type": "object", "properties": props}
	if len(required) > 0 {
		slices.Sort(required)
		o["required"] = required
	}
	return o
}

func (g schemas) fields(t reflect.Type, props dict, required *[]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			g.fields(f.Type, props, required)
			continue
		case !f.IsExported() || name == "-":
			continue
		case name == "":
			name = f.Name
		}
		props[name] = g.of(f.Type)
		if !strings.Contains(rest, "omitempty") && !strings.Contains(rest, "omitzero") {
			*required = append(*required, name)
		}
	}
}
