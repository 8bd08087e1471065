package rest

import (
	"maps"
	"slices"

	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
)

func poolDefView(d model.StoragePoolDefinition) api.StoragePoolDefinition {
	return api.StoragePoolDefinition{StoragePoolName: d.Name, Props: d.Props}
}

func listPoolDefs(c *call) error {
	out := []api.StoragePoolDefinition{}
	defs := c.snap.Controller().PoolDefs
	for _, k := range slices.Sorted(maps.Keys(defs)) {
		out = append(out, poolDefView(defs[k]))
	}
	out, err := page(c, out)
	if err != nil {
		return err
	}
	return c.json(out)
}

func getPoolDef(c *call) error {
	d, ok := c.snap.Controller().PoolDefs[model.Key(c.param("pool"))]
	if !ok {
		return fault.New(fault.NotFound, fault.StoragePoolDefinition, "Storage pool definition '%s' not found.", c.param("pool")).
			Because("There is none of that name.").Do("`storage-pool list` shows the pools.").Ref(api.RefStorPoolDfn, c.param("pool"))
	}
	return c.json(poolDefView(d))
}

func createPoolDef(c *call) (core.Command, error) {
	var in api.StoragePoolDefinition
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	return core.PoolDefinitionPut{Name: in.StoragePoolName, Create: true, Override: keys(in.Props)}, nil
}

func modifyPoolDef(c *call) (core.Command, error) {
	var in api.StoragePoolDefinitionModify
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	return core.PoolDefinitionPut{Name: c.param("pool"), Override: keys(in.OverrideProps), Delete: keyList(in.DeleteProps), Namespaces: keyList(in.DeleteNamespaces)}, nil
}

func deletePoolDef(c *call) (core.Command, error) {
	return core.PoolDefinitionDelete{Name: c.param("pool")}, nil
}
