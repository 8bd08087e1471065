package satellite

import (
	"testing"
	"time"

	"holdfast/internal/model"
)

// The same on files behind loop devices, which a boot takes away and numbers anew.
func TestOnFiles(t *testing.T) {
	r, alpha, bravo := pair(t)
	for _, n := range r.nodes {
		if err := n.m.MkdirAll("/srv/pool", 0o700); err != nil {
			t.Fatal(err)
		}
		n.pools = []model.PoolSpec{{UUID: "p1", Name: "swpool", Kind: model.FileThin, Backing: "/srv/pool"}}
	}
	r.deploy("backups", model.DRBD8, model.SeedSkip, 1)
	r.run(10 * time.Second)
	r.upToDate("backups")
	if v := alpha.volume("backups", 0); v.Backing != "/dev/loop0" || v.AllocKiB > 4096 {
		t.Errorf("%+v", v)
	}
	alpha.cut()
	alpha.m.PowerOn()
	alpha.m.RestartProcess()
	if err := alpha.m.Truncate("/srv/mine.img", 1<<20); err != nil {
		t.Fatal(err)
	}
	if res, err := alpha.m.Run(ctx, cmd("losetup", "--find", "--show", "/srv/mine.img")); err != nil || res.Exit != 0 {
		t.Fatal(res, err)
	}
	alpha.start()
	r.run(10 * time.Second)
	r.upToDate("backups")
	if v := alpha.volume("backups", 0); v.Backing != "/dev/loop1" {
		t.Errorf("%+v", v)
	}
	for _, n := range []*node{alpha, bravo} {
		n.remove("backups", whole)
	}
	r.run(10 * time.Second)
	for _, n := range []*node{alpha, bravo} {
		names, err := n.m.ReadDir("/srv/pool")
		if st := n.of("backups"); !st.Gone || len(names) > 0 || err != nil {
			t.Errorf("%s: %+v, files %v %v", n.name, st, names, err)
		}
		n.nothingLeft()
	}
	if l := alpha.m.Loops(); len(l) != 1 || l[0] != "/srv/mine.img" {
		t.Errorf("%v", l)
	}
}

// A directory that isn't mounted yet looks empty: nothing is made in it anew.
func TestUnmountedPool(t *testing.T) {
	r, alpha, _ := pair(t)
	for _, n := range r.nodes {
		if err := n.m.MkdirAll("/srv/pool", 0o700); err != nil {
			t.Fatal(err)
		}
		n.pools = []model.PoolSpec{{UUID: "p1", Name: "swpool", Kind: model.FileThin, Backing: "/srv/pool"}}
	}
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(10 * time.Second)
	alpha.cut()
	alpha.m.PowerOn()
	alpha.m.RestartProcess()
	for _, f := range []string{"backups_00000.img", "backups_00000.label"} {
		if err := alpha.m.Rename("/srv/pool/"+f, "/srv/"+f); err != nil {
			t.Fatal(err)
		}
	}
	alpha.start()
	r.run(10 * time.Second)
	if st := alpha.of("backups"); st.Phase != model.Failed {
		t.Errorf("%+v", st)
	}
	if names, _ := alpha.m.ReadDir("/srv/pool"); len(names) > 0 {
		t.Errorf("%v", names)
	}
	for _, f := range []string{"backups_00000.img", "backups_00000.label"} {
		if err := alpha.m.Rename("/srv/"+f, "/srv/pool/"+f); err != nil {
			t.Fatal(err)
		}
	}
	r.run(40 * time.Second)
	r.upToDate("backups")
}

// A creation that hangs may have made its device: the replica isn't confirmed gone before the pool was read again.
func TestGoneWaitsForAFreshLook(t *testing.T) {
	r, alpha, _ := pair(t)
	for _, n := range r.nodes {
		if err := n.m.MkdirAll("/srv/pool", 0o700); err != nil {
			t.Fatal(err)
		}
		n.pools = []model.PoolSpec{{UUID: "p1", Name: "swpool", Kind: model.FileThin, Backing: "/srv/pool"}}
	}
	r.run(2 * time.Second)
	alpha.m.Hang("losetup", true)
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.run(2 * time.Second)
	alpha.remove("backups", whole)
	r.run(3 * time.Second)
	if st := alpha.of("backups"); st.Gone || st.Phase != model.Failed {
		t.Errorf("%+v", st)
	}
	alpha.m.Hang("losetup", false)
	r.run(90 * time.Second)
	names, err := alpha.m.ReadDir("/srv/pool")
	if st := alpha.of("backups"); !st.Gone || len(names) > 0 || err != nil || len(alpha.m.Loops()) > 0 {
		t.Errorf("%+v, files %v %v\n%s", st, names, err, r.traces())
	}
}
