package rest

import (
	"encoding/json"
	"fmt"

	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// snapshotView is a snapshot as LINSTOR shows it. Its State column hangs on the flags: none is Incomplete.
func snapshotView(d *state.Definition, sn *model.Snapshot) api.Snapshot {
	v := api.Snapshot{Name: sn.Name, ResourceName: d.Name, UUID: string(sn.UUID), Props: keys(sn.Props), SnapshotDefinitionProps: keys(sn.Props),
		ResourceDefinitionProps: keys(d.Props), Nodes: []string{}, Flags: []string{}}
	switch sn.State {
	case model.SnapshotSuccessful:
		v.Flags = append(v.Flags, "SUCCESSFUL")
	case model.SnapshotFailed:
		word := "FAILED_DEPLOYMENT"
		if sn.Disconnected {
			word = "FAILED_DISCONNECT"
		}
		v.Flags = append(v.Flags, word)
		v.Holdfast = &api.Status{Condition: "failed", Reasons: []api.Reason{{Kind: "failed", Message: sn.Reason}}}
	case model.SnapshotDeleting:
		v.Flags = append(v.Flags, api.FlagDelete)
	case model.SnapshotSuspending:
		if sn.Waits {
			v.Holdfast = &api.Status{Condition: "waiting", Waiting: "it is taken when those are that are being taken on its nodes"}
		}
	}
	if sn.Auto {
		v.Flags = append(v.Flags, "AUTO_SNAPSHOT")
	}
	for _, x := range sn.Volumes {
		v.VolumeDefinitions = append(v.VolumeDefinitions, api.SnapshotVolumeDefinition{VolumeNumber: x.Number, SizeKib: x.SizeKiB,
			SnapshotVolumeDefinitionProps: keys(x.Props), VolumeDefinitionProps: keys(x.Props)})
	}
	for _, k := range sn.Copies {
		v.Nodes = append(v.Nodes, k.Node)
		n := api.SnapshotNode{SnapshotName: sn.Name, NodeName: k.Node, UUID: string(k.UUID), Flags: []string{}}
		if sn.State == model.SnapshotSuccessful {
			n.CreateTimestamp = sn.CreatedMS
		}
		if k.Deleting {
			n.Flags = append(n.Flags, api.FlagDelete)
		}
		for _, x := range k.Volumes {
			n.SnapshotVolumes = append(n.SnapshotVolumes, api.SnapshotVolumeNode{UUID: string(x.UUID), VlmNr: x.Number})
		}
		v.Snapshots = append(v.Snapshots, n)
	}
	return v
}

// snapshotsOf adds the definition's snapshots as JSON: those on one of the nodes, or all.
func snapshotsOf(out [][]byte, d *state.Definition, nodes nameSet) ([][]byte, error) {
	for i := range d.Snapshots {
		sn := &d.Snapshots[i]
		here := nodes == nil
		for _, k := range sn.Copies {
			here = here || nodes.has(k.Node)
		}
		if !here {
			continue
		}
		b, err := json.Marshal(snapshotView(d, sn))
		if err != nil {
			return nil, fmt.Errorf("encode snapshot %s of %s: %w", sn.Name, d.Name, err)
		}
		out = append(out, b)
	}
	return out, nil
}

func viewSnapshots(c *call) error {
	want, nodes := c.names("resources"), c.names("nodes")
	var out [][]byte
	var err error
	c.snap.Definitions(func(d *state.Definition) bool {
		if want.has(d.Name) {
			out, err = snapshotsOf(out, d, nodes)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	if out, err = page(c, out); err != nil {
		return err
	}
	return c.list(out)
}

func listSnapshots(c *call) error {
	d, err := c.definition()
	if err != nil {
		return err
	}
	out, err := snapshotsOf(nil, d, nil)
	if err != nil {
		return err
	}
	return c.list(out)
}

func getSnapshot(c *call) error {
	d, err := c.definition()
	if err != nil {
		return err
	}
	if sn := d.Snapshot(c.param("snap")); sn != nil {
		return c.json(snapshotView(d, sn))
	}
	return fault.New(fault.NotFound, fault.Snapshot, "Snapshot '%s' of resource definition '%s' not found.", c.param("snap"), d.Name).
		Because("There is none of that name.").Do("`snapshot list` shows the snapshots.").Ref(api.RefRscDfn, d.Name)
}

// snapshotOf reads what is asked for; what only answers have means nothing here.
func snapshotOf(in api.Snapshot) core.SnapshotOf {
	of := core.SnapshotOf{Definition: in.ResourceName, Name: in.Name, Props: keys(in.SnapshotDefinitionProps)}
	if len(in.Nodes) > 0 {
		of.Nodes = in.Nodes
	}
	if of.Props == nil {
		of.Props = keys(in.Props)
	}
	return of
}

func createSnapshot(c *call) (core.Command, error) {
	var in api.Snapshot
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	in.ResourceName = c.param("rsc")
	return core.SnapshotCreate{Of: []core.SnapshotOf{snapshotOf(in)}}, nil
}

func createSnapshots(c *call) (core.Command, error) {
	var in api.CreateMultiSnapshotRequest
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	if err := tooMany(len(in.Snapshots), fault.Snapshot, "snapshots"); err != nil {
		return nil, err
	}
	var cmd core.SnapshotCreate
	for _, s := range in.Snapshots {
		cmd.Of = append(cmd.Of, snapshotOf(s))
	}
	return cmd, nil
}

func modifySnapshot(c *call) (core.Command, error) {
	var in api.SnapshotModify
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	return core.SnapshotModify{Definition: c.param("rsc"), Name: c.param("snap"), Override: keys(in.OverrideProps), Delete: keyList(in.DeleteProps),
		Namespaces: keyList(in.DeleteNamespaces)}, nil
}

func deleteSnapshot(c *call) (core.Command, error) {
	cmd := core.SnapshotDelete{Definition: c.param("rsc"), Name: c.param("snap")}
	for _, n := range c.q["nodes"] {
		if n != "" {
			cmd.Nodes = append(cmd.Nodes, n)
		}
	}
	var err error
	cmd.WithDefinition, err = c.flag("delete_empty_resource_definition", false)
	return cmd, err
}

func restoreVolumes(c *call) (core.Command, error) {
	var in api.SnapshotRestore
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	return core.SnapshotRestoreVolumes{Definition: c.param("rsc"), Name: c.param("snap"), To: in.ToResource}, nil
}

func rollbackSnapshot(c *call) (core.Command, error) {
	var in api.SnapshotRollback
	if err := c.decode(&in, true); err != nil {
		return nil, err
	}
	return core.SnapshotRollback{Definition: c.param("rsc"), Name: c.param("snap")}, nil
}

func restoreResources(c *call) (core.Command, error) {
	var in api.SnapshotRestore
	if err := c.decode(&in, false); err != nil {
		return nil, err
	}
	cmd := core.SnapshotRestoreResources{Definition: c.param("rsc"), Name: c.param("snap"), To: in.ToResource, Pools: in.StorPoolRename}
	if len(in.Nodes) > 0 {
		cmd.Nodes = in.Nodes
	}
	return cmd, nil
}
