package sim

import (
	"fmt"
	"net/netip"
	"slices"

	"holdfast/internal/model"
	"holdfast/internal/state"
	"holdfast/internal/tool/drbd"
)

// handmade is a DRBD resource that somebody made by hand.
const handmade = "hand"

// plant puts things on a machine that aren't Holdfast's, and must stay as they are.
func (w *world) plant(n *node) {
	must(n.m.WriteFile("/var/lib/precious", []byte("not yours"), 0o600))
	if n.file {
		must(n.m.WriteFile(dirName+"/notes.txt", []byte("not yours"), 0o600))
		return
	}
	n.m.AddLV(vgName, "precious", 8192)
	if w.cfg.scene != nil {
		return
	}
	if w.chance(10) { // in the way of a resource
		n.m.AddLV(vgName, model.BackingName(pick(w, defNames), 0), 8192)
	}
	if w.chance(30) && n.module != "" {
		w.plantResource(n)
	}
}

const handFile = "/etc/drbd.d/hand.res"

func (w *world) plantResource(n *node) {
	n.m.AddLV(vgName, "hand", 8192)
	disk := drbd.Volume{Number: 0, Minor: 5, Device: "/dev/" + vgName + "/hand"}
	r := drbd.Resource{Name: handmade, Local: n.name, Generation: drbd.Gen9, Secret: "s", Nodes: []drbd.Node{
		{Name: n.name, NodeID: 0, Address: n.m.Address(), Port: 6999, Volumes: []drbd.Volume{disk}},
		{Name: "elsewhere", NodeID: 1, Address: netip.MustParseAddr("192.0.2.1"), Port: 6999, Volumes: []drbd.Volume{disk}},
	}}
	if n.module[0] == '8' {
		r.Generation = drbd.Gen8
	}
	text, err := drbd.Config(r)
	must(err)
	must(n.m.WriteFile(handFile, text, 0o600))
	format := []string{"v08", "create-md"}
	if n.module[0] == '9' {
		format = []string{"v09", "create-md", "7"}
	}
	argv := []string{"drbdmeta", "5", format[0], "/dev/" + vgName + "/hand", "internal"}
	for _, a := range [][]string{append(argv, format[1:]...), {"drbdadm", "-c", handFile, "adjust", "hand"}} {
		if r := n.m.Operator(a...); r.Exit != 0 {
			panic(fmt.Sprintf("%v: %d %s %s", a, r.Exit, r.Stdout, r.Stderr))
		}
	}
	n.handUp = true
}

// checkPlanted looks whether all that isn't Holdfast's is as it was. (Volumes are watched all the time.)
func (w *world) checkPlanted(n *node) {
	files := []string{"/var/lib/precious"}
	if n.file {
		files = append(files, dirName+"/notes.txt")
	}
	for _, f := range files {
		if b, err := n.m.ReadFile(f); string(b) != "not yours" {
			w.broken("I5", "%s on %s isn't Holdfast's, and is %q now (%v)", f, n.name, b, err)
		}
	}
	up := slices.ContainsFunc(n.m.KernelResources(), func(r string) bool { return r == handmade })
	if n.handUp && !up {
		w.broken("I5", "the resource made by hand on %s is down", n.name)
	}
}

func change(d *model.ResourceDefinition) state.Change {
	return state.Change{Record: d.Record, Kind: state.KindDefinition, Definition: d}
}
