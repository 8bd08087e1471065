package sim

import (
	"math/rand/v2"

	"holdfast/internal/core"
	"holdfast/internal/model"
)

const (
	thinName = "thin" // thin pool in the volume group
	tankName = "tank" // zpool
	zvolDir  = "/dev/zvol/" + tankName + "/"
)

// choosePools gives each node the kind of its pool: half of the nodes with a volume group use it as it is, the others have a
// thin pool in it, or a zpool beside it. It has a randomness of its own.
func (p *profile) choosePools(seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0x504f4f4c))
	others := []model.ProviderKind{model.LVMThin, model.LVMThin, model.ZFSThin, model.ZFS}
	for _, file := range p.files {
		kind := model.LVM
		switch {
		case file:
			kind = []model.ProviderKind{model.FileThin, model.File}[rng.IntN(2)]
		case rng.IntN(2) == 0:
			kind = others[rng.IntN(len(others))]
		}
		p.pools = append(p.pools, kind)
		p.zeroes = append(p.zeroes, rng.IntN(4) > 0)
	}
}

// takesSnapshots makes most thick pools of LVM thin.
func (p *profile) takesSnapshots(seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0x534e4150))
	for i, kind := range p.pools {
		if kind == model.LVM && rng.IntN(4) > 0 {
			p.pools[i] = model.LVMThin
		}
	}
}

// backing of a node's pool.
func backing(kind model.ProviderKind) string {
	switch kind {
	case model.File, model.FileThin:
		return dirName
	case model.LVMThin:
		return vgName + "/" + thinName
	case model.ZFS, model.ZFSThin:
		return tankName
	}
	return vgName
}

func (w *world) poolComes(n *node) {
	w.type_(core.PoolCreate{Node: n.name, Name: poolName, Kind: string(n.kind), Props: map[string]string{model.PropPoolName: backing(n.kind)}})
}

// poolVanishes takes away what the node's volumes lie in; for a directory, nothing.
func poolVanishes(w *world) func() {
	n := w.anyNode()
	gone := func(on bool) {
		n.m.VGGone(vgName, on)
		n.m.ZpoolGone(tankName, on)
	}
	gone(true)
	return func() { gone(false) }
}
