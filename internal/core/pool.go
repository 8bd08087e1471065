package core

import (
	"slices"
	"strings"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// PoolCreate adds a storage pool to a node.
type PoolCreate struct {
	Node, Name string
	Kind       string // provider kind, LINSTOR's words in any case
	Props      map[string]string
}

// Kinds that this release drives.
var Kinds = []model.ProviderKind{model.LVM, model.LVMThin, model.ZFS, model.ZFSThin, model.File, model.FileThin, model.Diskless}

func (c PoolCreate) Apply(tx *state.Tx, env Env) (Reply, error) {
	n, err := findNode(tx, c.Node)
	if err != nil {
		return Reply{}, err
	}
	if err := model.CheckPoolName(c.Name); err != nil {
		return Reply{}, err
	}
	kind := model.ProviderKind(strings.ToUpper(strings.ReplaceAll(c.Kind, "-", "_")))
	refs := map[string]string{"Node": n.Name, "StorPool": c.Name}
	if !slices.Contains(Kinds, kind) {
		return Reply{}, fault.New(fault.Invalid, fault.StoragePool, "A storage pool of kind '%s' can't be made.", c.Kind).In("provider_kind").
			Because("This release of Holdfast has no such driver.").Do("Choose lvm, lvmthin, zfs, zfsthin, file or filethin.")
	}
	if !n.Type.HasSatellite() {
		return Reply{}, fault.New(fault.Invalid, fault.StoragePool, "Node '%s' can't have storage pools.", n.Name).In("node_name").
			Because("Its type is %s: it has no satellite.", n.Type).Do("Change its type to Satellite or Combined first.")
	}
	if n.Pool(c.Name) != nil {
		return Reply{}, fault.New(fault.Exists, fault.StoragePool, "Storage pool '%s' on node '%s' already exists.", c.Name, n.Name).
			Because("Pool names are unique on a node.").Do("Choose another name, or delete the pool first.").Ref("Node", n.Name).Ref("StorPool", c.Name)
	}
	p, err := props.Apply(props.Pool, fault.StoragePool, nil, modernPoolProps(kind, c.Props), nil, nil)
	if err != nil {
		return Reply{}, err
	}
	backing := strings.TrimRight(p[model.PropPoolName], "/")
	if kind != model.Diskless {
		if why := checkBacking(kind, backing); why != "" {
			return Reply{}, fault.New(fault.Invalid, fault.StoragePool, "'%s' is nothing that a pool of kind %s can use.", backing, kind).In(model.PropPoolName).
				Because("%s", why).Do("Name the %s.", backingWord(kind))
		}
		p[model.PropPoolName] = backing
		for _, o := range n.Pools {
			if sameSpace(o.Kind, kind) && o.Backing() == backing {
				return Reply{}, fault.New(fault.Exists, fault.StoragePool, "'%s' on node '%s' belongs to the storage pool '%s'.", backing, n.Name, o.Name).
					In(model.PropPoolName).Because("Two pools over one %s would count its space twice.", kind).Do("Use that pool.")
			}
		}
	}
	if n.Online() && kind != model.Diskless && !slices.Contains(n.Seen.Providers, kind) {
		return Reply{}, fault.New(fault.Unsupported, fault.StoragePool, "Node '%s' can't drive a pool of kind %s.", n.Name, kind).
			Because("%s", strings.Join(n.Seen.Unsupported[string(kind)], "; ")).Do("Install what is missing there, then try again.")
	}
	plan.EnsurePoolDefinition(tx, env.Rules(), c.Name)
	m := n.Node.Clone()
	m.Pools = append(m.Pools, model.StoragePool{UUID: env.UUID(), Name: c.Name, Kind: kind, Props: p})
	tx.PutNode(m)
	notes := []fault.Note{done(fault.Create, fault.StoragePool, refs, "New storage pool '%s' on node '%s' registered.", c.Name, n.Name)}
	var wait []Wait
	if kind != model.Diskless {
		wait = []Wait{{Node: n.Name, Pool: m.Pools[len(m.Pools)-1].UUID, Op: fault.Create}}
	}
	return Reply{Notes: notes, Wait: wait}, nil
}

func findPool(tx *state.Tx, node, name string) (*state.Node, *model.StoragePool, error) {
	n, err := findNode(tx, node)
	if err != nil {
		return nil, nil, err
	}
	p := n.Pool(name)
	if p == nil {
		return nil, nil, fault.New(fault.NotFound, fault.StoragePool, "Storage pool '%s' on node '%s' not found.", name, n.Name).
			Because("The node has no pool of that name.").Do("`storage-pool list` shows the pools.").Ref("Node", n.Name).Ref("StorPool", name)
	}
	return n, p, nil
}

// PoolModify changes a pool's properties.
type PoolModify struct {
	Node, Name string
	Override   map[string]string
	Delete     []string
	Namespaces []string
}

func (c PoolModify) Apply(tx *state.Tx, _ Env) (Reply, error) {
	n, p, err := findPool(tx, c.Node, c.Name)
	if err != nil {
		return Reply{}, err
	}
	if _, set := c.Override[model.PropPoolName]; set || slices.Contains(c.Delete, model.PropPoolName) || slices.Contains(c.Namespaces, "StorDriver") {
		return Reply{}, fault.New(fault.Refused, fault.StoragePool, "The backing of storage pool '%s' can't be changed.", p.Name).In(model.PropPoolName).
			Because("The volumes in it would be looked for elsewhere.").Do("Create another pool.")
	}
	m := n.Node.Clone()
	q := m.Pool(c.Name)
	if q.Props, err = props.Apply(props.Pool, fault.StoragePool, q.Props, c.Override, c.Delete, c.Namespaces); err != nil {
		return Reply{}, err
	}
	tx.PutNode(m)
	touchOnNode(tx, n.Name)
	notes := []fault.Note{done(fault.Modify, fault.StoragePool, map[string]string{"Node": n.Name, "StorPool": p.Name}, "Storage pool '%s' on node '%s' modified.", p.Name, n.Name)}
	return Reply{Notes: append(notes, noNic(tx.Snapshot(), c.Override, n.Name)...)}, nil
}

// PoolDelete forgets a pool without volumes. What lies in the volume group or directory is left alone.
type PoolDelete struct{ Node, Name string }

func (c PoolDelete) Apply(tx *state.Tx, _ Env) (Reply, error) {
	n, err := findNode(tx, c.Node)
	if err != nil {
		return Reply{}, err
	}
	refs := map[string]string{"Node": n.Name, "StorPool": c.Name}
	p := n.Pool(c.Name)
	if p == nil {
		return Reply{Notes: []fault.Note{warn(fault.NotFound, fault.Delete, fault.StoragePool, refs,
			"Storage pool '%s' on node '%s' does not exist.", c.Name, n.Name)}}, nil
	}
	var used []string
	tx.Snapshot().OnNode(n.Name, func(d *state.Definition) bool {
		if copiesIn(d.ResourceDefinition, n.Name, p.Name) {
			used = append(used, d.Name)
		}
		for _, r := range d.Resources {
			if model.Key(r.Node) != model.Key(n.Name) {
				continue
			}
			for _, v := range r.Volumes {
				if model.Key(v.Pool) == model.Key(p.Name) && !slices.Contains(used, d.Name) {
					used = append(used, d.Name)
				}
			}
		}
		return len(used) < 5
	})
	if len(used) > 0 {
		return Reply{}, fault.New(fault.InUse, fault.StoragePool, "Storage pool '%s' on node '%s' can't be deleted.", p.Name, n.Name).
			Because("It still has volumes, or what is left of them: %s.", strings.Join(used, ", ")).Do("Delete these resources first.").
			Ref("Node", n.Name).Ref("StorPool", p.Name)
	}
	m := n.Node.Clone()
	m.Pools = slices.DeleteFunc(m.Pools, func(x model.StoragePool) bool { return x.UUID == p.UUID })
	tx.PutNode(m)
	return Reply{Notes: []fault.Note{done(fault.Delete, fault.StoragePool, refs, "Storage pool '%s' on node '%s' deleted.", p.Name, n.Name)}}, nil
}

// PoolDefinitionPut creates (Create) or modifies a storage pool definition.
type PoolDefinitionPut struct {
	Name       string
	Create     bool
	Override   map[string]string
	Delete     []string
	Namespaces []string
}

func (c PoolDefinitionPut) Apply(tx *state.Tx, env Env) (Reply, error) {
	if err := model.CheckPoolName(c.Name); err != nil {
		return Reply{}, err
	}
	ctl := tx.Snapshot().Controller().Clone()
	pd, ok := ctl.PoolDefs[model.Key(c.Name)]
	refs := map[string]string{"StorPoolDfn": c.Name}
	if ok && c.Create {
		return Reply{}, fault.New(fault.Exists, fault.StoragePoolDefinition, "Storage pool definition '%s' already exists.", pd.Name).
			Because("Names are unique.").Do("Modify it.")
	}
	if !ok && !c.Create {
		return Reply{}, noPoolDefinition(c.Name)
	}
	op, word := fault.Modify, "modified"
	if c.Create {
		pd, op, word = model.StoragePoolDefinition{UUID: env.UUID(), Name: c.Name}, fault.Create, "registered"
	}
	var err error
	if pd.Props, err = props.Apply(props.PoolDefinition, fault.StoragePoolDefinition, pd.Props, c.Override, c.Delete, c.Namespaces); err != nil {
		return Reply{}, err
	}
	ctl.PoolDefs[model.Key(c.Name)] = pd
	tx.PutController(ctl)
	return Reply{Notes: []fault.Note{done(op, fault.StoragePoolDefinition, refs, "Storage pool definition '%s' %s.", pd.Name, word)}}, nil
}

func noPoolDefinition(name string) error {
	return fault.New(fault.NotFound, fault.StoragePoolDefinition, "Storage pool definition '%s' not found.", name).
		Because("There is none of that name.").Do("`storage-pool list` shows the pools.")
}

// PoolDefinitionDelete removes one that no node's pool uses.
type PoolDefinitionDelete struct{ Name string }

func (c PoolDefinitionDelete) Apply(tx *state.Tx, _ Env) (Reply, error) {
	ctl := tx.Snapshot().Controller().Clone()
	refs := map[string]string{"StorPoolDfn": c.Name}
	if _, ok := ctl.PoolDefs[model.Key(c.Name)]; !ok {
		return Reply{Notes: []fault.Note{warn(fault.NotFound, fault.Delete, fault.StoragePoolDefinition, refs, "Storage pool definition '%s' does not exist.", c.Name)}}, nil
	}
	user := ""
	tx.Snapshot().Nodes(func(n *state.Node) bool {
		if n.Pool(c.Name) != nil {
			user = n.Name
		}
		return user == ""
	})
	if user != "" {
		return Reply{}, fault.New(fault.InUse, fault.StoragePoolDefinition, "Storage pool definition '%s' can't be deleted.", c.Name).
			Because("Node '%s' has a pool of that name.", user).Do("Delete the pools first.")
	}
	delete(ctl.PoolDefs, model.Key(c.Name))
	tx.PutController(ctl)
	return Reply{Notes: []fault.Note{done(fault.Delete, fault.StoragePoolDefinition, refs, "Storage pool definition '%s' deleted.", c.Name)}}, nil
}
