package core

import (
	"fmt"
	"slices"
	"strings"

	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/plan"
	"holdfast/internal/plan/place"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// SnapshotOf asks for a snapshot of one definition.
type SnapshotOf struct {
	Definition, Name string
	// Nodes to take it on; nil: wherever there is a good replica with a disk.
	Nodes []string
	Props map[string]string
	// copies: it lasts as long as a clone takes to be copied from it; see copyFrom.
	copies bool
	// others are taken at the same moment.
	others bool
}

// SnapshotCreate takes snapshots, all at the same moment: none counts unless all do.
type SnapshotCreate struct{ Of []SnapshotOf }

func (c SnapshotCreate) Apply(tx *state.Tx, env Env) (Reply, error) {
	s := tx.Snapshot()
	if len(c.Of) == 0 {
		return Reply{}, fault.New(fault.Invalid, fault.Snapshot, "There is nothing to take a snapshot of.").In("snapshots").
			Because("The list is empty.").Do("Name at least one resource.")
	}
	lease := env.UUID()
	var out Reply
	var with []model.UUID
	next := map[model.UUID]*model.ResourceDefinition{}
	for _, of := range c.Of {
		of.others = len(c.Of) > 1
		d, err := findDefinition(tx, of.Definition)
		if err != nil {
			return Reply{}, err
		}
		if slices.Contains(with, d.UUID) {
			return Reply{}, fault.New(fault.Invalid, fault.Snapshot, "Resource definition '%s' is named twice.", d.Name).In("snapshots").
				Because("A definition can have one snapshot of a moment.").Do("Name it once.").Ref("RscDfn", d.Name)
		}
		sn, notes, err := newSnapshot(s, env, d, of)
		if err != nil {
			return Reply{}, err
		}
		sn.Lease = lease
		m := d.ResourceDefinition.Clone()
		m.Snapshots = append(m.Snapshots, *sn)
		next[d.UUID] = m
		with = append(with, d.UUID)
		out.Notes = append(out.Notes, notes...)
		out.Wait = append(out.Wait, Wait{Definition: d.UUID, Snapshot: sn.UUID, Op: fault.Create})
	}
	for _, id := range with {
		m := next[id]
		if len(with) > 1 {
			m.Snapshots[len(m.Snapshots)-1].With = slices.Clone(with)
		}
		if err := tx.PutDefinition(m); err != nil {
			return Reply{}, err
		}
	}
	return out, nil
}

func snapRefs(def, name string) map[string]string {
	return map[string]string{"RscDfn": def, "Snapshot": name}
}

// newSnapshot checks what is asked for and says where it is taken.
func newSnapshot(s *state.Snapshot, env Env, d *state.Definition, of SnapshotOf) (*model.Snapshot, []fault.Note, error) {
	if err := model.CheckSnapshotName(of.Name); err != nil {
		return nil, nil, err
	}
	refuse := func(k fault.Kind, because, do string) error {
		e := fault.New(k, fault.Snapshot, "Snapshot '%s' of resource definition '%s' can't be taken.", of.Name, d.Name).Because("%s", because).Do("%s", do)
		for key, v := range snapRefs(d.Name, of.Name) {
			_ = e.Ref(key, v)
		}
		return e
	}
	if old := d.Snapshot(of.Name); old != nil {
		if old.State == model.SnapshotDeleting {
			return nil, nil, refuse(fault.InUse, "One of that name is still being removed from "+strings.Join(copyNodes(old), ", ")+".", "Wait until it is gone, or choose another name.")
		}
		return nil, nil, fault.New(fault.Exists, fault.Snapshot, "A snapshot definition with the name '%s' already exists in resource definition '%s'.", old.Name, d.Name).
			Because("Names are unique, whatever their case.").Do("Choose another name, or delete it first.").Ref("RscDfn", d.Name).Ref("Snapshot", old.Name)
	}
	if t := d.Taking(); t != nil {
		return nil, nil, refuse(fault.InUse, "Snapshot '"+t.Name+"' of it is being taken.", "Wait until that is done.")
	}
	if d.RollingBack() != nil {
		return nil, nil, refuse(fault.InUse, "It is being rolled back.", "Wait until that is done.")
	}
	p, err := props.Apply(props.Definition, fault.Snapshot, nil, of.Props, nil, nil)
	if err != nil {
		return nil, nil, err
	}
	sn := &model.Snapshot{UUID: env.UUID(), Name: of.Name, Props: p, CreatedMS: env.Now.UnixMilli(), State: model.SnapshotSuspending, Waits: true}
	for i := range d.Volumes {
		vd := &d.Volumes[i]
		if vd.GrowsFromKiB != 0 && !vd.Deleting {
			return nil, nil, refuse(fault.InUse, fmt.Sprintf("Volume %d of it is growing.", vd.Number), "Wait until that is done.")
		}
		if !vd.Deleting {
			sn.Volumes = append(sn.Volumes, model.SnapshotVolume{Number: vd.Number, SizeKiB: vd.SizeKiB, Gross: vd.Gross, Props: vd.Props,
				BackingKiB: plan.BackingNow(d, vd), Keys: vd.Keys})
		}
	}
	if len(sn.Volumes) == 0 {
		return nil, nil, refuse(fault.Invalid, "It has no volumes.", "Create a volume definition first.")
	}
	for _, r := range d.Resources {
		if d.DRBD == model.DRBD9 && !slices.Contains(sn.NodeIDs, r.NodeID) {
			sn.NodeIDs = append(sn.NodeIDs, r.NodeID)
		}
		if n := s.Node(r.Node); d.HasDRBD() && !r.Deleting && n != nil && n.Online() {
			if d.Seen[r.UUID] == nil {
				return nil, nil, refuse(fault.NotApplied, "Node "+n.Name+" has not reported its replica yet.", "Try again in a moment.")
			}
			sn.Quiet = append(sn.Quiet, r.UUID)
		}
	}
	for _, t := range d.Retired {
		sn.NodeIDs = append(sn.NodeIDs, t.NodeID)
	}
	slices.Sort(sn.NodeIDs)
	var notes []fault.Note
	named := func(r *model.Resource) bool {
		return slices.ContainsFunc(of.Nodes, func(n string) bool { return model.Key(n) == model.Key(r.Node) })
	}
	for _, n := range of.Nodes {
		if r := d.On(n); r == nil || r.Deleting || r.Diskless {
			return nil, nil, fault.New(fault.NotFound, fault.Resource, "Resource '%s' on node '%s' not found.", d.Name, n).
				Because("A snapshot needs a replica with a disk there.").Do("`resource list` shows the replicas.").Ref("RscDfn", d.Name).Ref("Node", n)
		}
	}
	var cand []*model.Resource
	var never error
	for i := range d.Resources {
		r := &d.Resources[i]
		if r.Deleting || r.Diskless || of.Nodes != nil && !named(r) {
			continue
		}
		kind, do, why := notNow(s, d, r, of.copies)
		if kind == fault.Unsupported && do == "" { // by the kind of the pool: for ever
			if never = why; of.copies {
				continue // another may do, and this one gets the data from the clone
			}
			return nil, nil, why.(*fault.Error)
		}
		if kind == fault.Done {
			cand = append(cand, r)
			continue
		}
		if of.Nodes != nil {
			return nil, nil, refuse(kind, why.Error(), do)
		}
		notes = append(notes, warn(kind, fault.Create, fault.Snapshot, refsOf(d.Name, r.Node), "Snapshot '%s' of '%s' is not taken on node '%s': %s", of.Name, d.Name, r.Node, why))
	}
	sn.Together = of.Nodes == nil
	cand, apart, why := plan.Together(d, cand, sn.Together)
	if len(cand) == 0 && len(apart) > 0 {
		do := "Connect them."
		if plan.InUse(d) == "" {
			do = "Connect them, or name the node that is to be trusted."
		}
		return nil, nil, refuse(fault.NotConnected, why, do)
	}
	for _, node := range apart {
		notes = append(notes, warn(fault.NotConnected, fault.Create, fault.Snapshot, refsOf(d.Name, node), "Snapshot '%s' of '%s' is not taken on node '%s': it isn't connected to where the resource is in use.", of.Name, d.Name, node))
	}
	if len(cand) == 0 && never != nil {
		return nil, nil, never
	}
	if len(cand) == 0 {
		why := "It has no replica with a disk."
		if len(notes) > 0 {
			why = notes[0].Message
		}
		e := fault.New(fault.Unsupported, fault.Snapshot, "Snapshot '%s' of resource definition '%s' can't be taken.", of.Name, d.Name).In("disk_state").
			Because("No replica is good and online: %s", why).Do("Bring a node with a good replica online.").Ref("RscDfn", d.Name)
		return nil, nil, e
	}
	for _, id := range sn.Quiet {
		if node := plan.Loud(d, sn.Quiet, d.Seen[id]); node != "" {
			return nil, nil, refuse(fault.NotConnected, fmt.Sprintf("DRBD on %s is connected to %s, whose satellite can't be told to hold its I/O.", d.Replica(id).Node, node),
				"Bring node "+node+" online, or wait until its replica is removed.")
		}
	}
	var room map[int]int64
	if of.copies {
		if cand, room, err = copyFrom(s, d, sn, cand); err != nil {
			return nil, nil, err
		}
	}
	refs := snapRefs(d.Name, of.Name)
	head := done(fault.Create, fault.Snapshot, refs, "New snapshot '%s' of resource '%s' registered.", of.Name, d.Name)
	head.Details = "Snapshot '" + of.Name + "' of resource '" + d.Name + "' UUID is: " + string(sn.UUID)
	for _, r := range cand {
		k := model.SnapshotCopy{UUID: env.UUID(), Node: r.Node, Replica: r.UUID}
		for _, v := range sn.Volumes {
			if x := r.Volume(v.Number); x != nil {
				k.Volumes = append(k.Volumes, model.CopyVolume{UUID: env.UUID(), Number: v.Number, Pool: x.Pool, Of: x.UUID, RoomKiB: room[v.Number]})
			}
		}
		sn.Copies = append(sn.Copies, k)
	}
	sn.Unheld = !of.others && unheld(s, d, sn)
	if d.DRBD == model.DRBD8 && !sn.Unheld {
		for _, r := range d.Resources {
			if st := d.Seen[r.UUID]; st != nil && st.InUse {
				n := warn(fault.InUse, fault.Create, fault.Snapshot, refsOf(d.Name, r.Node), "Resource '%s' is in use on node '%s' while its I/O is held.", d.Name, r.Node)
				n.Cause = "DRBD 8.4 never answers a flush (fsync) that is under way in that moment: who waits for it waits until a reboot."
				n.Correction = "Freeze the file system while a snapshot is taken (fsfreeze), or use DRBD 9."
				notes = append(notes, n)
			}
		}
	}
	return sn, append([]fault.Note{head}, notes...), nil
}

// unheld tells whether the copies can be taken one by one, without holding I/O. DRBD 8.4 may never answer what is under way when its
// I/O is held, so it isn't held where nothing needs it: one volume is of one moment by itself, and who goes back to the snapshot,
// or restores it, fills the others from one copy. What is encrypted has its metadata inside, which a node that fills it would have
// to open first.
func unheld(s *state.Snapshot, d *state.Definition, sn *model.Snapshot) bool {
	if d.DRBD != model.DRBD8 || len(sn.Volumes) != 1 || d.HasLUKS() {
		return false
	}
	return !slices.ContainsFunc(sn.Quiet, func(id model.UUID) bool {
		r := d.Replica(id)
		n := s.Node(r.Node)
		return n == nil || !n.Seen.Unheld || !d.Seen[id].UpToDate()
	})
}

// notNow says why a replica's node can't take the snapshot, and what to do; fault.Done: it can. Unsupported without a
// correction is a refusal of its own.
func notNow(s *state.Snapshot, d *state.Definition, r *model.Resource, copies bool) (k fault.Kind, do string, why error) {
	n := s.Node(r.Node)
	if n == nil || !n.Online() {
		return fault.NotConnected, "Bring node " + r.Node + " online.", fmt.Errorf("node %s isn't online", r.Node)
	}
	for _, v := range r.Volumes {
		if p := n.Pool(v.Pool); p != nil && p.Kind.SnapshotsInside() && (r.Successor != "" || r.DiskLeaves()) {
			return fault.InUse, "Wait until it has left.", fmt.Errorf("its disk is leaving that node, and ZFS keeps a volume as long as a snapshot of it")
		}
		if p := n.Pool(v.Pool); p != nil && !slices.Contains(n.Seen.Snapshots, p.Kind) && !(copies && slices.Contains(n.Seen.Copies, p.Kind)) {
			return fault.Unsupported, "", fault.New(fault.Unsupported, fault.Snapshot, "Storage driver '%s' does not support snapshots.", p.Kind).
				Because("It is used for storage pool '%s' on node '%s'.", p.Name, n.Name).Do("Keep volumes that need snapshots in a thin pool.").
				Ref("Node", n.Name).Ref("StorPool", p.Name).Ref("RscDfn", d.Name)
		}
		if p := n.Pool(v.Pool); p != nil {
			if st := place.Status(n, p); st != nil && st.NoSnapshots != "" {
				return fault.Unsupported, "", fault.New(fault.Unsupported, fault.Snapshot, "Storage pool '%s' on node '%s' does not support snapshots.", p.Name, n.Name).
					Because("In that pool %s.", st.NoSnapshots).Do("Keep volumes that need snapshots on XFS or Btrfs, or in another kind of pool.").
					Ref("Node", n.Name).Ref("StorPool", p.Name).Ref("RscDfn", d.Name)
			}
			if why := place.Full(n, p); why != "" {
				return fault.NoSpace, "Extend storage pool '" + p.Name + "' on node '" + n.Name + "', or remove volumes or snapshots from it.",
					fmt.Errorf("storage pool %s has no room there: %s", p.Name, why)
			}
		}
	}
	st := d.Seen[r.UUID]
	for _, vd := range d.Volumes {
		if vd.Deleting {
			continue
		}
		word := ""
		if st != nil {
			if v := st.Volume(vd.Number); v != nil {
				word = v.Disk
			}
		}
		if word != model.DiskUpToDate && word != model.DiskCreated {
			if word == "" {
				word = "not there yet"
			}
			return fault.NotApplied, "Wait until it is UpToDate.", fmt.Errorf("volume %d is %s there", vd.Number, word)
		}
	}
	return fault.Done, "", nil
}

func copyNodes(sn *model.Snapshot) (out []string) {
	for _, k := range sn.Copies {
		out = append(out, k.Node)
	}
	return out
}

// findSnapshot finds one that isn't being deleted.
func findSnapshot(d *state.Definition, name string) (*model.Snapshot, error) {
	if sn := d.Snapshot(name); sn != nil && sn.State != model.SnapshotDeleting {
		return sn, nil
	}
	return nil, fault.New(fault.NotFound, fault.Snapshot, "Snapshot '%s' of resource definition '%s' not found.", name, d.Name).
		Because("There is none of that name.").Do("`snapshot list` shows the snapshots.").Ref("RscDfn", d.Name).Ref("Snapshot", name)
}

// SnapshotDelete removes a snapshot, or its copies on some nodes.
type SnapshotDelete struct {
	Definition, Name string
	Nodes            []string // nil: all
	// WithDefinition: if nothing else is left of the definition it goes too.
	WithDefinition bool
}

func (c SnapshotDelete) Apply(tx *state.Tx, _ Env) (Reply, error) {
	refs := snapRefs(c.Definition, c.Name)
	s := tx.Snapshot()
	d := s.Definition(c.Definition)
	var sn *model.Snapshot
	if d != nil {
		sn = d.Snapshot(c.Name)
	}
	if sn == nil {
		return Reply{Notes: []fault.Note{warn(fault.NotFound, fault.Delete, fault.Snapshot, refs, "Snapshot '%s' of resource definition '%s' does not exist.", c.Name, c.Definition)}}, nil
	}
	if user := restoring(s, sn.UUID); user != "" {
		return Reply{}, fault.New(fault.InUse, fault.Snapshot, "Snapshot '%s' of '%s' can't be deleted.", sn.Name, d.Name).
			Because("'%s' is being restored from it.", user).Do("Wait until its volumes are made.").Ref("RscDfn", d.Name).Ref("Snapshot", sn.Name)
	}
	if rb := d.RollingBack(); rb != nil && rb.Snapshot == sn.UUID {
		return Reply{}, fault.New(fault.InUse, fault.Snapshot, "Snapshot '%s' of '%s' can't be deleted.", sn.Name, d.Name).
			Because("The resource is being rolled back to it.").Do("Wait until that is done.").Ref("RscDfn", d.Name).Ref("Snapshot", sn.Name)
	}
	id := sn.UUID
	m := d.ResourceDefinition.Clone()
	sn = m.SnapshotByID(id)
	all := true
	for i := range sn.Copies {
		k := &sn.Copies[i]
		if c.Nodes == nil || slices.ContainsFunc(c.Nodes, func(n string) bool { return model.Key(n) == model.Key(k.Node) }) {
			k.Deleting = true
		}
		all = all && k.Deleting
	}
	if c.Nodes == nil || all {
		plan.DropSnapshot(sn)
	}
	var wait []Wait
	for _, k := range sn.Copies {
		if k.Deleting {
			wait = append(wait, Wait{Node: k.Node, Definition: d.UUID, Snapshot: id, Replica: k.UUID, Gone: true, Op: fault.Delete})
		}
	}
	notes := []fault.Note{done(fault.Delete, fault.Snapshot, refs, "Snapshot '%s' of resource '%s' deleted.", c.Name, d.Name)}
	if c.WithDefinition && len(kept(m)) == 0 && !slices.ContainsFunc(m.Resources, func(r model.Resource) bool { return !r.Deleting }) {
		m.Deleting = true
		for i := range m.Snapshots {
			plan.DropSnapshot(&m.Snapshots[i])
		}
		notes = append(notes, done(fault.Delete, fault.ResourceDefinition, map[string]string{"RscDfn": d.Name}, "Resource definition '%s' deleted.", d.Name))
	}
	if err := tx.PutDefinition(m); err != nil {
		return Reply{}, err
	}
	return Reply{Notes: notes, Wait: wait}, nil
}

// restoring names a definition whose volumes are still to be made from the snapshot; "" if there is none.
func restoring(s *state.Snapshot, id model.UUID) (user string) {
	s.AllDefinitions(func(d *state.Definition) bool {
		for _, r := range d.Resources {
			for _, v := range r.Volumes {
				if !r.Deleting && v.From != nil && v.From.Snapshot == id && !v.Initialised {
					user = d.Name
				}
			}
		}
		return user == ""
	})
	return user
}

// SnapshotModify changes a snapshot's properties.
type SnapshotModify struct {
	Definition, Name string
	Override         map[string]string
	Delete           []string
	Namespaces       []string
}

func (c SnapshotModify) Apply(tx *state.Tx, _ Env) (Reply, error) {
	d, err := findDefinition(tx, c.Definition)
	if err != nil {
		return Reply{}, err
	}
	old, err := findSnapshot(d, c.Name)
	if err != nil {
		return Reply{}, err
	}
	m := d.ResourceDefinition.Clone()
	sn := m.SnapshotByID(old.UUID)
	if sn.Props, err = props.Apply(props.Definition, fault.Snapshot, sn.Props, c.Override, c.Delete, c.Namespaces); err != nil {
		return Reply{}, err
	}
	if err := tx.PutDefinition(m); err != nil {
		return Reply{}, err
	}
	return Reply{Notes: []fault.Note{done(fault.Modify, fault.Snapshot, snapRefs(d.Name, sn.Name), "Snapshot '%s' of resource '%s' modified.", sn.Name, d.Name)}}, nil
}

// kept names the snapshots that hold something.
func kept(d *model.ResourceDefinition) (out []string) {
	for _, sn := range d.Snapshots {
		if sn.State != model.SnapshotFailed && sn.State != model.SnapshotDeleting {
			out = append(out, sn.Name)
		}
	}
	return out
}

// loseCopies gives up what was on a node that never comes back.
func loseCopies(d *model.ResourceDefinition, node string) {
	for i := range d.Snapshots {
		sn := &d.Snapshots[i]
		n := len(sn.Copies)
		sn.Copies = slices.DeleteFunc(sn.Copies, func(k model.SnapshotCopy) bool { return model.Key(k.Node) == model.Key(node) })
		if n > 0 && len(sn.Copies) == 0 && sn.State != model.SnapshotDeleting {
			sn.State, sn.Quiet = model.SnapshotFailed, nil
			sn.Reason = "its last copy was on node " + node + ", which was given up"
		}
	}
}

// copiesIn tells whether copies of snapshots are in the pool.
func copiesIn(d *model.ResourceDefinition, node, pool string) bool {
	return slices.ContainsFunc(d.Snapshots, func(sn model.Snapshot) bool {
		return slices.ContainsFunc(sn.Copies, func(k model.SnapshotCopy) bool {
			return model.Key(k.Node) == model.Key(node) && slices.ContainsFunc(k.Volumes, func(v model.CopyVolume) bool { return model.Key(v.Pool) == model.Key(pool) })
		})
	})
}

// heldBySnapshot refuses to remove a replica's volumes (or the one of that number) of which there are snapshots inside.
func heldBySnapshot(s *state.Snapshot, d *state.Definition, r *model.Resource, number *int) error {
	n := s.Node(r.Node)
	if n == nil || r.Deleting {
		return nil
	}
	for i := range d.Snapshots {
		sn := &d.Snapshots[i]
		for _, k := range sn.Copies {
			if k.Replica != r.UUID || k.Deleting {
				continue
			}
			for _, v := range k.Volumes {
				p := n.Pool(v.Pool)
				if p == nil || !p.Kind.SnapshotsInside() || number != nil && *number != v.Number {
					continue
				}
				return fault.New(fault.InUse, fault.Resource, "Volume %d of resource '%s' on node '%s' can't be deleted.", v.Number, d.Name, r.Node).
					Because("There is snapshot '%s' of it, and ZFS keeps a snapshot only as long as its volume.", sn.Name).
					Do("Delete the snapshot there first: `snapshot delete %s %s --nodes %s`.", d.Name, sn.Name, r.Node).
					Ref("RscDfn", d.Name).Ref("Node", r.Node).Ref("Snapshot", sn.Name)
			}
		}
	}
	return nil
}
