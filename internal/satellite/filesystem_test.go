package satellite

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast/internal/model"
)

// orders a file system on volume 0 of the first node, as a controller does: announced, and now once the volume is good.
func (r *rig) format(typ string) {
	r.nodes[0].change("backups", func(s *model.ResourceSpec, v *model.VolumeSpec) {
		s.Generation++
		v.FileSystem = &model.FileSystemSpec{Type: typ}
	})
}

func (r *rig) formatFor(d time.Duration) {
	for end := r.now.Add(d); r.now.Before(end); {
		r.run(250 * time.Millisecond)
		n := r.nodes[0]
		if v := n.volume("backups", 0); v.Disk == model.DiskUpToDate {
			n.change("backups", func(s *model.ResourceSpec, v *model.VolumeSpec) {
				if f := v.FileSystem; f != nil && !f.Now {
					s.Generation++
					v.FileSystem = &model.FileSystemSpec{Type: f.Type, Now: true}
				}
			})
		}
	}
}

// onDisk is the file system on a node's disk.
func (n *node) onDisk() string {
	for _, d := range n.m.Disks() {
		if strings.HasSuffix(d.Path, "backups_00000") {
			return n.r.net.FileSystem(d)
		}
	}
	return ""
}

func (r *rig) notOver() {
	r.t.Helper()
	if o := r.net.Overwritten(); len(o) > 0 {
		r.t.Fatalf("made over what was written: %v\n%s", o, r.traces())
	}
}

func eachGen(t *testing.T, f func(t *testing.T, gen model.DRBDGeneration, seed model.Seed)) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		for _, seed := range []model.Seed{model.SeedSync, model.SeedSkip} {
			t.Run(fmt.Sprintf("%d seed %d", gen, seed), func(t *testing.T) { f(t, gen, seed) })
		}
	}
}

func TestMakeFileSystem(t *testing.T) {
	eachGen(t, func(t *testing.T, gen model.DRBDGeneration, seed model.Seed) {
		r := newRig(t, gen, "alpha", "bravo")
		r.deploy("backups", gen, seed, 2)
		r.format("ext4")
		for range 40 {
			r.run(250 * time.Millisecond)
			if st := r.nodes[0].of("backups"); st.Phase == model.Done && len(st.Volumes) > 0 {
				t.Fatalf("done before the file system is there: %+v", st)
			}
		}
		r.formatFor(30 * time.Second)
		r.upToDate("backups")
		for _, n := range r.nodes {
			if n.onDisk() != "ext4" {
				t.Errorf("%s has %q\n%s", n.name, n.onDisk(), r.traces())
			}
			if v, _ := n.m.Volume("backups", 0); v.Role != "Secondary" {
				t.Errorf("%s stays %s", n.name, v.Role)
			}
		}
		if !r.nodes[0].volume("backups", 0).FileSystem {
			t.Error("it isn't reported")
		}
		r.notOver()
	})
}

// Whoever writes before it is made keeps what he wrote.
func TestNoFileSystemOverData(t *testing.T) {
	for _, after := range []string{"", "process", "power"} {
		eachGen(t, func(t *testing.T, gen model.DRBDGeneration, seed model.Seed) {
			r := newRig(t, gen, "alpha", "bravo")
			r.deploy("backups", gen, seed, 1)
			r.format("ext4")
			r.run(30 * time.Second)
			user := r.nodes[1]
			user.use()
			id, err := user.m.Write("backups", 0)
			if err != nil {
				t.Fatal(err)
			}
			user.m.Close("backups", 0)
			if res, err := user.m.Run(ctx, cmd("drbdadm", "-c", cfg.configFile("backups"), "secondary", "backups")); err != nil || res.Exit != 0 {
				t.Fatal(res, err)
			}
			switch after {
			case "process":
				r.nodes[0].kill()
				r.nodes[0].start()
			case "power":
				r.nodes[0].cut()
				r.run(time.Second)
				r.nodes[0].boot()
			}
			r.formatFor(90 * time.Second)
			if st := r.nodes[0].of("backups"); st.Phase != model.Failed || !strings.Contains(st.Reason, "gets no file system") || st.Volumes[0].FileSystem {
				t.Fatalf("%+v\n%s", st, r.traces())
			}
			if !r.nodes[0].m.Readable("backups", 0, id) || r.nodes[0].onDisk() != "" {
				t.Error("the data are gone")
			}
			r.notOver()
		})
	}
}

// A volume that gets no file system holds nothing else up: it grows, and is compared.
func TestNoFileSystemHoldsNothingUp(t *testing.T) {
	for _, gen := range []model.DRBDGeneration{model.DRBD8, model.DRBD9} {
		r := newRig(t, gen, "alpha", "bravo")
		alpha, bravo := r.nodes[0], r.nodes[1]
		r.deploy("backups", gen, model.SeedSync, 1)
		r.run(30 * time.Second)
		bravo.use()
		if _, err := bravo.m.Write("backups", 0); err != nil {
			t.Fatal(err)
		}
		bravo.m.Close("backups", 0)
		if res, err := bravo.m.Run(ctx, cmd("drbdadm", "-c", cfg.configFile("backups"), "secondary", "backups")); err != nil || res.Exit != 0 {
			t.Fatal(res, err)
		}
		r.format("xfs")
		r.formatFor(30 * time.Second)
		r.grow("backups", 128<<10)
		r.growFor(60 * time.Second)
		for _, n := range r.nodes {
			n.change("backups", func(s *model.ResourceSpec, v *model.VolumeSpec) {
				s.Generation, v.GrowKiB, v.Resize = s.Generation+1, 0, false
			})
		}
		alpha.change("backups", func(s *model.ResourceSpec, _ *model.VolumeSpec) {
			s.DRBD.Options = map[string]map[string]string{"Net": {"protocol": "C", "verify-alg": "crc32c"}}
			s.Verify = "verify-1"
		})
		r.run(60 * time.Second)
		st := alpha.of("backups")
		if st.Phase != model.Failed || !strings.Contains(st.Reason, "gets no file system") {
			t.Errorf("generation %d: %+v", gen, st)
		}
		for _, n := range r.nodes {
			if v := n.volume("backups", 0); v.UsableKiB < 128<<10 {
				t.Errorf("generation %d: %s offers %d KiB\n%s", gen, n.name, v.UsableKiB, r.traces())
			}
		}
		if st.Verify.State != model.VerifyEnded {
			t.Errorf("generation %d: %+v", gen, st.Verify)
		}
	}
}

// A stop after each effect: in the end the file system is whole, or the reason is there; nothing is made twice.
func TestMakeFileSystemStops(t *testing.T) {
	for _, power := range []bool{false, true} {
		for _, typ := range []string{"xfs"} { // whose half-made ones show
			eachGen(t, func(t *testing.T, gen model.DRBDGeneration, seed model.Seed) {
				made := 0
				for n := 1; n < 100; n++ {
					r := newRig(t, gen, "alpha", "bravo")
					r.deploy("backups", gen, seed, 1)
					r.format(typ)
					alpha := r.nodes[0]
					stop := alpha.m.CrashAfter
					if power {
						stop = alpha.m.CutAfter
					}
					stop(n)
					r.formatFor(20 * time.Second)
					stopped := alpha.revive()
					alpha.m.CrashAfter(0)
					r.formatFor(60 * time.Second)
					r.notOver()
					st := alpha.of("backups")
					switch {
					case len(st.Volumes) == 0:
						t.Fatalf("after effect %d: %+v\n%s", n, st, r.traces())
					case st.Volumes[0].FileSystem:
						made++
						if st.Phase != model.Done || alpha.onDisk() != typ {
							t.Fatalf("after effect %d it is said to be made: %+v, %q\n%s", n, st, alpha.onDisk(), r.traces())
						}
					case st.Phase != model.Failed || !strings.Contains(st.Reason, "gets no file system"):
						t.Fatalf("after effect %d: %+v\n%s", n, st, r.traces())
					}
					if v, _ := alpha.m.Volume("backups", 0); v.Role != "Secondary" {
						t.Fatalf("after effect %d it stays %s\n%s", n, v.Role, r.traces())
					}
					if !stopped {
						if !st.Volumes[0].FileSystem {
							t.Fatalf("without a stop: %+v", st)
						}
						t.Logf("%d effects, made after %d of the stops", n-1, made-1)
						return
					}
				}
				t.Fatal("no end")
			})
		}
	}
}

// A program that fails has written nothing: it is tried again.
func TestMakeFileSystemFails(t *testing.T) {
	r := newRig(t, model.DRBD8, "alpha", "bravo")
	r.deploy("backups", model.DRBD8, model.SeedSync, 1)
	r.format("xfs")
	r.nodes[0].m.Fail("mkfs.xfs", 3)
	r.nodes[0].m.Fail("wipefs", 1)
	r.formatFor(60 * time.Second)
	r.upToDate("backups")
	if r.nodes[0].onDisk() != "xfs" {
		t.Fatalf("%s", r.traces())
	}
}

// Without DRBD nobody is told of the device before.
func TestMakeFileSystemAlone(t *testing.T) {
	for n := range 30 {
		r := newRig(t, model.DRBD8, "alpha")
		a := r.nodes[0]
		r.deploy("backups", model.DRBD8, model.NoSeed, 1)
		a.specs[0].DRBD = nil
		r.format("ext4")
		r.run(5 * time.Second)
		if v := a.volume("backups", 0); v.Device != "" || v.Disk != "" || a.of("backups").Phase == model.Done {
			t.Fatalf("it is shown before: %+v", v)
		}
		a.m.CrashAfter(n)
		a.change("backups", func(s *model.ResourceSpec, v *model.VolumeSpec) {
			s.Generation++
			v.FileSystem = &model.FileSystemSpec{Type: "ext4", Now: true}
		})
		r.run(20 * time.Second)
		stopped := a.revive()
		r.run(60 * time.Second)
		v := a.volume("backups", 0)
		if a.of("backups").Phase != model.Done || !v.FileSystem || v.Disk != model.DiskCreated || a.onDisk() != "ext4" {
			t.Fatalf("stop %d: %+v %+v %q\n%s", n, a.of("backups"), v, a.onDisk(), r.traces())
		}
		if n > 0 && !stopped {
			a.m.CrashAfter(0)
			// The controller's store is an old copy, and the user has wiped the file system and written his own.
			a.m.Wipe("/dev/sw_ssd/backups_00000")
			a.m.WriteDisk("/dev/sw_ssd/backups_00000")
			a.kill()
			a.start()
			r.run(20 * time.Second)
			if v := a.volume("backups", 0); v.Disk != model.DiskCreated || a.onDisk() != "" {
				t.Fatalf("%+v %q", v, a.onDisk())
			}
			r.notOver()
			return
		}
	}
}
