package rest

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/props"
)

func health(c *call) error {
	c.answered = true
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func welcome(c *call) error {
	c.answered = true
	c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := c.w.Write([]byte("Holdfast " + c.s.info.Version + ": the REST API is below /v1/.\n"))
	return err
}

func version(c *call) error {
	return c.json(api.ControllerVersion{Version: c.s.info.Version, GitHash: c.s.info.GitHash,
		BuildTime: c.s.info.BuildTime.Format(time.RFC3339), RestAPIVersion: api.RESTVersion})
}

func controllerProps(c *call) error {
	p := c.snap.Controller().Props
	if p == nil {
		p = map[string]string{}
	}
	return c.json(p)
}

func modifyController(c *call) (core.Command, error) {
	var in api.ControllerPropsModify
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	return core.ControllerModify{Override: keys(in.OverrideProps), Delete: keyList(in.DeleteProps), Namespaces: keyList(in.DeleteNamespaces)}, nil
}

func deleteControllerProp(c *call) (core.Command, error) {
	return core.ControllerModify{Delete: []string{key(c.param("key"))}}, nil
}

// typeWords are LINSTOR's words for the types of property values.
var typeWords = map[props.Type]string{props.String: "string", props.Bool: "boolean", props.YesNo: "boolean", props.Long: "long",
	props.Float: "float", props.Range: "range", props.Symbol: "symbol", props.RangeOrSymbol: "range_or_symbol", props.Pattern: "regex"}

func propsInfo(s props.Scope) map[string]api.PropsInfo {
	out := map[string]api.PropsInfo{}
	for _, k := range props.Keys(s) {
		out[k.Name] = api.PropsInfo{PropType: typeWords[k.Type], Value: k.Allowed, Dflt: k.Default, Unit: k.Unit}
	}
	return out
}

// info answers with the keys that may be set on that kind of object.
func info(s props.Scope) func(*call) error {
	return func(c *call) error { return c.json(propsInfo(s)) }
}

func infoAll(c *call) error {
	return c.json(map[string]map[string]api.PropsInfo{
		"controller": propsInfo(props.Controller), "node": propsInfo(props.Node), "storage-pool-definition": propsInfo(props.PoolDefinition),
		"storage-pool": propsInfo(props.Pool), "resource-group": propsInfo(props.Group), "resource-definition": propsInfo(props.Definition),
		"resource": propsInfo(props.Resource), "volume-definition": propsInfo(props.VolumeDefinition), "volume": propsInfo(props.Volume),
		"resource-connection": propsInfo(props.Connection)})
}

func kvView(kv model.KeyValueStore) api.KeyValueStore {
	return api.KeyValueStore{Name: kv.Name, Props: kv.Props}
}

func listKeyValues(c *call) error {
	out := []api.KeyValueStore{}
	all := c.snap.Controller().KeyValues
	for _, k := range slices.Sorted(maps.Keys(all)) {
		out = append(out, kvView(all[k]))
	}
	return c.json(out)
}

// getKeyValue answers with an array of one (linstor-clients 2.1, rule 10).
func getKeyValue(c *call) error {
	kv, ok := c.snap.Controller().KeyValues[model.Key(c.param("instance"))]
	if !ok {
		return fault.New(fault.NotFound, fault.KeyValueStore, "Key-value store '%s' not found.", c.param("instance")).
			Because("There is none of that name.").Do("It comes with its first key.").Ref(api.RefKvs, c.param("instance"))
	}
	return c.json([]api.KeyValueStore{kvView(kv)})
}

func modifyKeyValue(c *call) (core.Command, error) {
	var in api.KeyValueStoreModify
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	return core.KeyValueModify{Name: c.param("instance"), Override: keys(in.OverrideProps), Delete: keyList(in.DeleteProps), Namespaces: keyList(in.DeleteNamespaces)}, nil
}

func deleteKeyValue(c *call) (core.Command, error) {
	return core.KeyValueModify{Name: c.param("instance"), Drop: true}, nil
}
