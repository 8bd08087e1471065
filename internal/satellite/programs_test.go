package satellite

import (
	"strings"
	"testing"
	"time"

	"holdfast/internal/model"
)

func TestProbe(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		r := newRig(t, gen, "alpha", "bravo")
		r.run(3 * time.Second)
		show := func(what string) {
			for _, n := range r.nodes {
				t.Logf("== %d %s %s", gen, what, n.name)
				for _, l := range n.m.Log()[n.seen:] {
					if strings.HasPrefix(l, "$ ") {
						t.Log(l)
					}
				}
				n.seen = len(n.m.Log())
			}
		}
		show("start")
		r.deploy("backups", gen, model.SeedSync, 1)
		r.run(10 * time.Second)
		show("create")
		r.upToDate("backups")
		for _, n := range r.nodes {
			n.specs[0].Generation++
			n.specs[0].DRBD.Options = map[string]map[string]string{"Net": {"protocol": "C", "max-buffers": "9000"}}
		}
		r.run(10 * time.Second)
		show("option")
		for _, n := range r.nodes {
			n.remove("backups", whole)
		}
		r.run(10 * time.Second)
		show("remove")
	}
}
