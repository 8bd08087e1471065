package rest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan/place"
	"holdfast/internal/state"
)

// warnPercent is how full a thin pool may be before its list says so.
const warnPercent = 80

// spaceOf names the space that a pool draws from: its own. The Python command line shows it in a column for shared pools
// unless it has a ':' (linstor-clients 1.4).
func spaceOf(node, pool string) string { return node + ":" + pool }

func poolView(n *state.Node, p *model.StoragePool) api.StoragePool {
	snaps := p.Kind.Snapshots()
	if st := place.Status(n, p); st != nil && st.NoSnapshots != "" {
		snaps = false
	}
	v := api.StoragePool{StoragePoolName: p.Name, NodeName: n.Name, ProviderKind: api.ProviderKind(p.Kind), Props: p.Props,
		UUID: string(p.UUID), FreeSpaceMgrName: spaceOf(n.Name, p.Name),
		SupportsSnapshots: api.Bool(snaps),
		StaticTraits:      map[string]string{"Provisioning": "Fat", "SupportsSnapshots": strconv.FormatBool(snaps)}}
	if p.Kind.Thin() {
		v.StaticTraits["Provisioning"] = "Thin"
	}
	if p.Kind == model.Diskless {
		free := int64(math.MaxInt64)
		v.FreeCapacity, v.TotalCapacity = &free, &free
		v.StaticTraits = map[string]string{"SupportsSnapshots": "false"}
		return v
	}
	refs := map[string]string{api.RefNode: n.Name, api.RefStorPool: p.Name}
	add := func(note fault.Note) {
		note.Object, note.Refs = fault.StoragePool, refs
		v.Reports = append(v.Reports, toRc(note, fault.NoOp, fault.StoragePool))
	}
	if !n.Online() {
		add(fault.Note{Severity: fault.Warning, Kind: fault.NotConnected, Message: "No active connection to satellite '" + n.Name + "'",
			Cause: n.Seen.Reason, Correction: "Bring the node back; the figures are the last that were seen."})
	}
	for i := range n.Seen.Pools {
		st := &n.Seen.Pools[i]
		if st.UUID != p.UUID {
			continue
		}
		if st.TotalKiB > 0 || st.Reason == "" {
			v.FreeCapacity, v.TotalCapacity = &st.FreeKiB, &st.TotalKiB
		}
		if st.Reason != "" {
			rc := toRc(fault.Note{Severity: fault.Failure, Kind: fault.Exists, Object: fault.StoragePool, Field: model.PropPoolName,
				Message: "Storage pool '" + p.Name + "' on node '" + n.Name + "' can't be read.", Cause: st.Reason,
				Correction: "Look at '" + p.Backing() + "' on the node.", Refs: refs}, fault.NoOp, fault.StoragePool)
			v.Reports = append(v.Reports, rc)
		} else if note, ok := poolNote(n, p, st); ok {
			add(note)
		}
		return v
	}
	if n.Online() {
		add(fault.Note{Severity: fault.Warning, Kind: fault.NotApplied, Message: "Storage pool '" + p.Name + "' on node '" + n.Name + "' has not been reported yet.",
			Correction: "Wait a moment."})
	}
	return v
}

// poolNote says that a thin pool is full, or soon will be.
func poolNote(n *state.Node, p *model.StoragePool, st *model.PoolStatus) (fault.Note, bool) {
	note := fault.Note{Field: model.PropPoolName, Correction: "Extend '" + p.Backing() + "' on the node, or remove volumes or snapshots from the pool. " +
		"When it is full, writes to the volumes that are in it fail."}
	name := "Storage pool '" + p.Name + "' on node '" + n.Name + "'"
	if why := place.Full(n, p); why != "" {
		note.Severity, note.Kind, note.Message, note.Cause = fault.Failure, fault.NoSpace, name+" takes no new volumes.", why
		return note, true
	}
	note.Severity, note.Kind = fault.Warning, fault.NoSpace
	data := place.DataPercent(st)
	switch {
	case st.MetaPercent >= warnPercent:
		note.Message = fmt.Sprintf("%s: the metadata of its thin pool are %.1f %% full.", name, st.MetaPercent)
	case p.Kind.Thin() && data >= warnPercent:
		note.Message = fmt.Sprintf("%s is %.1f %% full.", name, data)
	}
	at, what, ahead := fullAt(n, p)
	switch {
	case at == "":
	case note.Message != "":
		note.Cause = fmt.Sprintf("If it goes on as in the last hour, its %s full at %s.", what, at)
	case ahead < fillAhead:
		note.Message = fmt.Sprintf("%s fills up: if it goes on as in the last hour, its %s full at %s.", name, what, at)
		note.Cause = fmt.Sprintf("Its data are %.1f %% full now.", data)
	}
	return note, note.Message != ""
}

// fillAhead: a pool that is full within that time is warned of, however empty it is.
const fillAhead = 24 * time.Hour

// fullAt is when the pool's data or metadata, whichever is first, are full by how it filled in the last hour, and how far ahead
// of its last report that is; "": not in sight.
func fullAt(n *state.Node, p *model.StoragePool) (at, what string, ahead time.Duration) {
	for _, f := range n.Seen.Fill {
		if f.Pool != p.UUID || f.FullMS == 0 && f.MetaFullMS == 0 || len(f.Samples) == 0 {
			continue
		}
		ms, what := f.FullMS, "data are"
		if ms == 0 || f.MetaFullMS != 0 && f.MetaFullMS < ms {
			ms, what = f.MetaFullMS, "metadata are"
		}
		return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04 UTC"), what, time.Duration(ms-f.Samples[len(f.Samples)-1].AtMS) * time.Millisecond
	}
	return "", "", 0
}

// pools answers with the pools of the nodes that pass.
func (c *call) pools(nodes func(*state.Node) bool) error {
	want, props := c.names("storage_pools"), propFilter(c.q["props"])
	type found struct {
		n *state.Node
		i int
	}
	var list []found
	c.snap.Nodes(func(n *state.Node) bool {
		if !nodes(n) {
			return true
		}
		for i := range n.Pools {
			if p := &n.Pools[i]; want.has(p.Name) && props.match(p.Props) {
				list = append(list, found{n, i})
			}
		}
		return true
	})
	list, err := page(c, list)
	if err != nil {
		return err
	}
	out := make([][]byte, 0, len(list))
	for _, f := range list {
		m, err := nodeBytes(f.n)
		if err != nil {
			return err
		}
		out = append(out, m.pools[f.i])
	}
	return c.list(out)
}

func viewPools(c *call) error {
	want := c.names("nodes")
	return c.pools(func(n *state.Node) bool { return want.has(n.Name) })
}

func listPools(c *call) error {
	one, err := c.node()
	if err != nil {
		return err
	}
	return c.pools(func(n *state.Node) bool { return n == one })
}

func getPool(c *call) error {
	n, err := c.node()
	if err != nil {
		return err
	}
	p := n.Pool(c.param("pool"))
	if p == nil {
		return fault.New(fault.NotFound, fault.StoragePool, "Storage pool '%s' on node '%s' not found.", c.param("pool"), n.Name).
			Because("The node has no pool of that name.").Do("`storage-pool list` shows the pools.").
			Ref(api.RefNode, n.Name).Ref(api.RefStorPool, c.param("pool"))
	}
	return c.json(poolView(n, p))
}

func createPool(c *call) (core.Command, error) {
	var in api.StoragePool
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	for _, space := range []string{in.FreeSpaceMgrName, in.SharedSpace} {
		own := model.Key(spaceOf(c.param("node"), in.StoragePoolName))
		if space != "" && model.Key(strings.Replace(space, ";", ":", 1)) != own { // LINSTOR writes its own with ';'

			return nil, fault.New(fault.Unsupported, fault.StoragePool, "The pool '%s' can't share the space '%s'.", in.StoragePoolName, space).
				Because("This release of Holdfast has no shared storage.").Do("Leave the shared space away.")
		}
	}
	if in.ExternalLocking {
		return nil, fault.New(fault.Unsupported, fault.StoragePool, "The pool '%s' can't be locked from outside.", in.StoragePoolName).
			Because("This release of Holdfast has no shared storage.").Do("Leave external locking away.")
	}
	return core.PoolCreate{Node: c.param("node"), Name: in.StoragePoolName, Kind: string(in.ProviderKind), Props: keys(in.Props)}, nil
}

func modifyPool(c *call) (core.Command, error) {
	var in api.StoragePoolModify
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	return core.PoolModify{Node: c.param("node"), Name: c.param("pool"), Override: keys(in.OverrideProps), Delete: keyList(in.DeleteProps),
		Namespaces: keyList(in.DeleteNamespaces)}, nil
}

func deletePool(c *call) (core.Command, error) {
	return core.PoolDelete{Node: c.param("node"), Name: c.param("pool")}, nil
}
