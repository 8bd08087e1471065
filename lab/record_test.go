package lab_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/lab"
	"holdfast/lab/labtest"
)

// traces is where the fakes' model answers lie.
const traces = "../internal/tool/testdata/traces"

// recorder runs programs in a machine and keeps what they said, one file each.
type recorder struct{ t *testing.T }

func keep(t *testing.T, name string, argv []string, exit, stdout, stderr, notes string) {
	t.Helper()
	s := fmt.Sprintf("$ %s\nexit %s\n--- stdout\n%s", strings.Join(argv, " "), exit, ensureNewline(stdout))
	s += "--- stderr\n" + ensureNewline(stderr)
	if notes != "" {
		s += "--- notes\n" + ensureNewline(notes)
	}
	path := filepath.Join(traces, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
		t.Fatal(err)
	}
}

func ensureNewline(s string) string {
	if s != "" && !strings.HasSuffix(s, "\n") {
		return s + "\n"
	}
	return s
}

// record keeps one run under a name; the time limit is 20 s, and a program that exceeds it is kept as "exit timeout".
func (r *recorder) record(m *lab.Machine, name, line string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	argv := strings.Fields(line)
	res, err := m.Exec(ctx, argv...)
	exit := "timeout"
	switch {
	case err == nil:
		exit = fmt.Sprint(res.Exit)
	case !errors.Is(err, context.DeadlineExceeded) || res == nil:
		r.t.Fatal(err)
	}
	keep(r.t, name, argv, exit, res.Stdout, res.Stderr, "")
}

func must(t *testing.T, m *lab.Machine, script string) string {
	t.Helper()
	out, err := m.Sh(t.Context(), script)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRecordTraces writes the traces anew. It is not for every day: HOLDFAST_LAB_RECORD=1 asks for it.
func TestRecordTraces(t *testing.T) {
	if os.Getenv("HOLDFAST_LAB_RECORD") != "1" {
		t.Skip("writes testdata of other packages; set HOLDFAST_LAB_RECORD=1 to do so")
	}
	l := labtest.Up(t, labtest.Config{})
	r := &recorder{t: t}
	r.lvm(l.Machine("alpha"))
	r.loop(l.Machine("alpha"))
	r.drbd84(l)
}

// TestRecordThin writes those of thin pools, and only them.
func TestRecordThin(t *testing.T) {
	if os.Getenv("HOLDFAST_LAB_RECORD") != "1" {
		t.Skip("writes testdata of other packages; set HOLDFAST_LAB_RECORD=1 to do so")
	}
	l := labtest.Up(t, labtest.Config{Machines: 1})
	(&recorder{t: t}).thin(l.Machine("alpha"))
}

// fullreport is what tool/lvm asks.
const fullreport = "lvm fullreport --reportformat json --units b --nosuffix --configreport vg -o vg_name,vg_uuid,vg_size,vg_free,vg_extent_size,vg_missing_pv_count " +
	"--configreport lv -o lv_name,lv_uuid,lv_size,lv_tags,lv_active,lv_path,lv_attr,pool_lv,data_percent,metadata_percent --configreport pv -o pv_name " +
	"--configreport seg -o lv_uuid --configreport pvseg -o lv_uuid sw_ssd"

func (r *recorder) thin(m *lab.Machine) {
	rec := func(name, line string) { r.t.Helper(); r.record(m, "lvmthin/"+name, line) }
	must(r.t, m, "modprobe dm-thin-pool; pvcreate /dev/vda && vgcreate sw_ssd /dev/vda")
	rec("create-pool-missing", "lvcreate -y -kn -Wn -n backups_00000 -V 262144k --thinpool thin --addtag holdfast:v1 sw_ssd")
	rec("pool", "lvcreate -y -T -Zy -L 256m --poolmetadatasize 4m sw_ssd/thin")
	rec("create", "lvcreate -y -kn -Wn -n backups_00000 -V 65536k --thinpool thin --addtag holdfast:v1 sw_ssd")
	rec("create-rounded", "lvcreate -y -kn -Wn -n odd_00000 -V 10241k --thinpool thin --addtag holdfast:v2 sw_ssd")
	rec("create-exists", "lvcreate -y -kn -Wn -n backups_00000 -V 65536k --thinpool thin --addtag holdfast:v1 sw_ssd")
	rec("create-too-large", "lvcreate -y -kn -Wn -n huge_00000 -V 4194304k --thinpool thin --addtag holdfast:v3 sw_ssd")
	must(r.t, m, "dd if=/dev/urandom of=/dev/sw_ssd/backups_00000 bs=1M count=32 oflag=direct")
	rec("snapshot", "lvcreate -y -s -n backups_00000.snap1 --addtag holdfast:s1 sw_ssd/backups_00000")
	rec("snapshot-exists", "lvcreate -y -s -n backups_00000.snap1 --addtag holdfast:s1 sw_ssd/backups_00000")
	rec("snapshot-missing", "lvcreate -y -s -n none_00000.snap1 --addtag holdfast:s1 sw_ssd/none_00000")
	rec("restore", "lvcreate -y -kn -s -n copy_00000 --addtag holdfast:v4 sw_ssd/backups_00000.snap1")
	rec("fullreport", fullreport)
	rec("lvs-all", "lvs -a --reportformat json --units b --nosuffix -o lv_name,lv_attr,lv_active,pool_lv,origin,data_percent,metadata_percent,lv_tags,zero,lv_health_status sw_ssd")
	rec("extend", "lvextend -L 131072k sw_ssd/backups_00000")
	rec("extend-same", "lvextend -L 131072k sw_ssd/backups_00000")
	rec("extend-smaller", "lvextend -L 65536k sw_ssd/backups_00000")
	rec("activate-snapshot", "lvchange -ay -K sw_ssd/backups_00000.snap1")
	rec("deactivate-snapshot", "lvchange -an sw_ssd/backups_00000.snap1")
	rec("copy-temp", "lvcreate -y -kn -s -n backups_00000+rollback --addtag holdfast-rollback:s1 --addtag holdfast:v1 sw_ssd/backups_00000.snap1")
	must(r.t, m, "(sleep 60 </dev/sw_ssd/backups_00000 >/dev/null 2>&1 & echo $! >/tmp/holder)")
	rec("remove-open", "lvremove -y sw_ssd/backups_00000")
	rec("snapshot-open", "lvcreate -y -s -n backups_00000.snap2 --addtag holdfast:s2 sw_ssd/backups_00000")
	must(r.t, m, "kill $(cat /tmp/holder)")
	rec("remove-origin", "lvremove -y sw_ssd/backups_00000")
	rec("rename", "lvrename sw_ssd backups_00000+rollback backups_00000")
	rec("rename-exists", "lvrename sw_ssd backups_00000 odd_00000")
	rec("rename-missing", "lvrename sw_ssd none_00000 odd_00001")
	rec("untag", "lvchange --deltag holdfast-rollback:s1 sw_ssd/backups_00000")
	rec("remove-snapshot", "lvremove -y sw_ssd/backups_00000.snap2")
	rec("fullreport-after", fullreport)
	rec("deactivate-all", "vgchange -an sw_ssd")
	rec("fullreport-inactive", fullreport)
	rec("activate", "lvchange -ay -K sw_ssd/copy_00000")
	rec("pool-nozero", "lvchange -Zn sw_ssd/thin")
	rec("fullreport-nozero", fullreport)
	must(r.t, m, "lvchange -ay -K sw_ssd/backups_00000; lvchange --errorwhenfull y sw_ssd/thin; lvcreate -y -kn -Wn -n fill_00000 -V 300m --thinpool thin sw_ssd; dd if=/dev/urandom of=/dev/sw_ssd/fill_00000 bs=1M count=300 oflag=direct; true")
	rec("fullreport-full", fullreport)
	rec("create-full", "lvcreate -y -kn -Wn -n late_00000 -V 65536k --thinpool thin --addtag holdfast:v5 sw_ssd")
	rec("snapshot-full", "lvcreate -y -s -n copy_00000.late --addtag holdfast:s5 sw_ssd/copy_00000")
	rec("extend-full", "lvextend -L 131072k sw_ssd/copy_00000")
	rec("remove-full", "lvremove -y sw_ssd/fill_00000")
	rec("fullreport-freed", fullreport)
}

func (r *recorder) lvm(m *lab.Machine) {
	rec := func(name, line string) { r.t.Helper(); r.record(m, "lvm/"+name, line) }
	rec("version", "lvm version")
	rec("vgs-none", "vgs --reportformat json --units b --nosuffix -o vg_name,vg_uuid,vg_size,vg_free,vg_extent_size,vg_missing_pv_count")
	rec("lvs-none", "lvs --reportformat json --units b --nosuffix -o vg_name,lv_name,lv_uuid,lv_size,lv_tags,lv_active,lv_path,lv_attr")
	rec("vgs-missing", "vgs --reportformat json sw_ssd")
	rec("lvs-vg-missing", "lvs --reportformat json sw_ssd")
	rec("fullreport-vg-missing", "lvm fullreport --reportformat json sw_ssd")
	rec("lvcreate-vg-missing", "lvcreate -y -Wy -Zy -n backups_00000 -L 512m --addtag holdfast sw_ssd")
	rec("pvcreate", "pvcreate /dev/vda")
	rec("pvcreate-again", "pvcreate /dev/vda")
	rec("vgcreate", "vgcreate sw_ssd /dev/vda")
	rec("vgcreate-exists", "vgcreate sw_ssd /dev/vda")
	rec("vgs-empty", "vgs --reportformat json --units b --nosuffix -o vg_name,vg_uuid,vg_size,vg_free,vg_extent_size,vg_missing_pv_count")
	rec("lvcreate", "lvcreate -y -Wy -Zy -n backups_00000 -L 512m --addtag holdfast:incarnation=0001 --addtag holdfast sw_ssd")
	rec("lvcreate-rounded", "lvcreate -y -Wy -Zy -n odd_00000 -L 10241k sw_ssd")
	rec("lvcreate-exists", "lvcreate -y -Wy -Zy -n backups_00000 -L 512m sw_ssd")
	rec("lvcreate-no-space", "lvcreate -y -Wy -Zy -n huge_00000 -L 9g sw_ssd")
	rec("lvcreate-bad-tag", "lvcreate -y -n tagged_00000 -L 4m --addtag bad(tag sw_ssd")
	rec("vgs", "vgs --reportformat json --units b --nosuffix -o vg_name,vg_uuid,vg_size,vg_free,vg_extent_size,vg_missing_pv_count,vg_tags")
	rec("lvs", "lvs --reportformat json --units b --nosuffix -o vg_name,lv_name,lv_uuid,lv_size,lv_tags,lv_active,lv_path,lv_attr,pool_lv,data_percent,origin")
	rec("pvs", "pvs --reportformat json --units b --nosuffix -o pv_name,vg_name,pv_size,pv_free,pv_attr,pv_missing")
	rec("fullreport", "lvm fullreport --reportformat json --units b --nosuffix --configreport vg -o vg_name,vg_uuid,vg_size,vg_free,vg_extent_size,vg_missing_pv_count "+
		"--configreport lv -o lv_name,lv_uuid,lv_size,lv_tags,lv_active,lv_path,lv_attr,pool_lv,data_percent --configreport pv -o pv_name "+
		"--configreport seg -o lv_uuid --configreport pvseg -o lv_uuid sw_ssd")
	rec("lvchange-addtag", "lvchange --addtag more sw_ssd/backups_00000")
	rec("lvchange-addtag-again", "lvchange --addtag more sw_ssd/backups_00000")
	rec("lvchange-deltag", "lvchange --deltag more sw_ssd/backups_00000")
	rec("lvchange-deltag-missing", "lvchange --deltag never sw_ssd/backups_00000")
	rec("lvchange-missing", "lvchange --addtag x sw_ssd/nothing")
	rec("lvchange-inactive", "lvchange -an sw_ssd/odd_00000")
	rec("lvs-inactive", "lvs --reportformat json --units b --nosuffix -o lv_name,lv_active,lv_path,lv_attr sw_ssd")
	rec("lvchange-active", "lvchange -ay -K sw_ssd/odd_00000")
	rec("lvextend", "lvextend -L 520m sw_ssd/backups_00000")
	rec("lvextend-same", "lvextend -L 520m sw_ssd/backups_00000")
	rec("lvextend-smaller", "lvextend -L 100m sw_ssd/backups_00000")
	rec("lvextend-no-space", "lvextend -L 9g sw_ssd/backups_00000")
	rec("lvextend-missing", "lvextend -L 9g sw_ssd/nothing")
	must(r.t, m, "mkfs.ext4 -q /dev/sw_ssd/backups_00000 && mount /dev/sw_ssd/backups_00000 /mnt")
	rec("lvremove-mounted", "lvremove -y sw_ssd/backups_00000")
	rec("lvchange-inactive-mounted", "lvchange -an sw_ssd/backups_00000")
	must(r.t, m, "umount /mnt; (sleep 30 </dev/sw_ssd/backups_00000 >/dev/null 2>&1 & echo $! >/tmp/holder)")
	rec("lvremove-open", "lvremove -y sw_ssd/backups_00000")
	must(r.t, m, "kill $(cat /tmp/holder)")
	rec("lvremove", "lvremove -y sw_ssd/backups_00000")
	rec("lvremove-missing", "lvremove -y sw_ssd/backups_00000")
	rec("lvremove-vg-missing", "lvremove -y nothing/backups_00000")
	rec("lvcreate-thinpool", "lvcreate -y -T -L 512m --poolmetadatasize 8m sw_ssd/thin")
	rec("lvcreate-thin", "lvcreate -y -T -V 4g -n backups_00000 --addtag holdfast sw_ssd/thin")
	rec("lvcreate-thin-exists", "lvcreate -y -T -V 4g -n backups_00000 sw_ssd/thin")
	rec("lvs-thin", "lvs -a --reportformat json --units b --nosuffix -o vg_name,lv_name,lv_uuid,lv_size,lv_tags,lv_active,lv_path,lv_attr,pool_lv,data_percent,origin")
	rec("lvremove-thin", "lvremove -y sw_ssd/backups_00000")
	rec("lvremove-thinpool", "lvremove -y sw_ssd/thin")
	rec("lvremove-odd", "lvremove -y sw_ssd/odd_00000")
	rec("vgremove", "vgremove sw_ssd")
	rec("pvremove", "pvremove /dev/vda")
}

func (r *recorder) loop(m *lab.Machine) {
	rec := func(name, line string) { r.t.Helper(); r.record(m, "losetup/"+name, line) }
	must(r.t, m, "mkdir -p /var/lib/pool; truncate -s 64M /var/lib/pool/a.img '/var/lib/pool/b c.img'")
	rec("list-none", "losetup -l -J")
	rec("attach", "losetup --find --show --nooverlap /var/lib/pool/a.img")
	rec("attach-again", "losetup --find --show --nooverlap /var/lib/pool/a.img")
	rec("attach-missing", "losetup --find --show --nooverlap /var/lib/pool/none.img")
	must(r.t, m, "losetup --find --show --direct-io=on '/var/lib/pool/b c.img'")
	rec("list", "losetup -l -J")
	rec("list-short", "losetup --list --json -O NAME,BACK-FILE")
	must(r.t, m, "truncate -s 96M /var/lib/pool/a.img")
	rec("grow", "losetup -c /dev/loop0")
	rec("grow-missing", "losetup -c /dev/loop7")
	must(r.t, m, "rm '/var/lib/pool/b c.img'")
	rec("list-deleted", "losetup -l -J")
	must(r.t, m, "(sleep 30 </dev/loop0 >/dev/null 2>&1 & echo $! >/tmp/holder)")
	rec("detach-open", "losetup -d /dev/loop0")
	rec("list-detaching", "losetup -l -J")
	must(r.t, m, "kill $(cat /tmp/holder)")
	rec("detach", "losetup -d /dev/loop1")
	rec("detach-missing", "losetup -d /dev/loop1")
	must(r.t, m, "rm -f /var/lib/pool/*")
}

// res84 is a resource as 8.4 takes it. Without c-min-rate 0 a resync falls to 300 KiB/s as soon as 8.4 sees other I/O.
const res84 = `resource backups {
    net { protocol C; ping-int 1; cram-hmac-alg sha256; shared-secret "secret"; }
    disk { al-extents 67; c-plan-ahead 0; c-min-rate 0; resync-rate 40M; }
    on alpha { address ipv4 10.77.0.1:7000; volume 0 { device minor 1000; disk /dev/sw_ssd/backups_00000; meta-disk internal; } }
    on bravo { address ipv4 10.77.0.2:7000; volume 0 { device minor 1000; disk /dev/sw_ssd/backups_00000; meta-disk internal; } }
}
`

// events starts two event streams in a machine and returns what ends and keeps them.
func (r *recorder) events(m *lab.Machine, notes *[]string) (end func()) {
	r.t.Helper()
	streams := map[string]string{"events2-live": "drbdsetup events2", "events2-live-statistics": "drbdsetup events2 --timestamps --statistics"}
	procs := map[string]*lab.Process{}
	for name, line := range streams {
		p, err := m.Spawn(r.t.Context(), "/tmp/"+name, lab.Command{Argv: strings.Fields(line)})
		if err != nil {
			r.t.Fatal(err)
		}
		procs[name] = p
	}
	return func() {
		for name, p := range procs {
			if err := p.Signal(r.t.Context(), 15); err != nil {
				r.t.Error(err)
			}
			if _, err := p.Wait(r.t.Context()); err != nil {
				r.t.Error(err)
			}
			b, err := m.Get(r.t.Context(), "/tmp/"+name)
			if err != nil {
				r.t.Error(err)
			}
			keep(r.t, "drbd84/"+m.Name+"-"+name, strings.Fields(streams[name]), "terminated", string(b), "", strings.Join(*notes, "\n"))
		}
	}
}

func (r *recorder) drbd84(l *lab.Lab) {
	t := r.t
	a, b := l.Machine("alpha"), l.Machine("bravo")
	if v := must(t, a, "head -1 /proc/drbd"); !strings.HasPrefix(v, "version: 8.4") {
		t.Log("not DRBD 8.4, its traces stay as they were: ", v)
		return
	}
	var notes []string
	rec := func(m *lab.Machine, name, line string) {
		t.Helper()
		notes = append(notes, fmt.Sprintf("%s %s: %s", must(t, m, "date +%Y-%m-%dT%H:%M:%S.%6N"), m.Name, line))
		r.record(m, "drbd84/"+m.Name+"-"+name, line)
	}
	snap := func(when string) {
		t.Helper()
		for _, m := range l.Machines {
			rec(m, when+"-events2-now", "drbdsetup events2 --now --statistics")
			rec(m, when+"-status", "drbdsetup status --verbose --statistics")
		}
	}
	until := func(m *lab.Machine, want string) {
		t.Helper()
		script := fmt.Sprintf("i=0; while [ $i -lt 150 ]; do drbdsetup status backups --verbose 2>&1 | tr '\\n' ' ' | grep -Eq '%s' && exit 0; i=$((i+1)); sleep 0.05; done; exit 1", want)
		if _, err := m.Sh(t.Context(), script); err != nil {
			out, _ := m.Sh(t.Context(), "drbdsetup status backups --verbose --statistics; dmesg | tail -20")
			t.Fatalf("%s: no %q: %v\n%s", m.Name, want, err, out)
		}
	}
	rec(a, "modinfo", "modinfo drbd")
	rec(a, "proc-drbd", "cat /proc/drbd")
	rec(a, "version", "drbdadm --version")
	rec(a, "none-status", "drbdsetup status --verbose --statistics")
	rec(a, "none-status-name", "drbdsetup status backups --verbose --statistics")
	rec(a, "none-events2-now", "drbdsetup events2 --now --statistics")
	rec(a, "none-show", "drbdsetup show")
	rec(a, "unknown-up", "drbdadm up nothing")
	for _, m := range l.Machines {
		must(t, m, "pvcreate -q /dev/vda && vgcreate -q sw_ssd /dev/vda && lvcreate -q -y -Wy -Zy -n backups_00000 -L 64m sw_ssd")
		if err := m.PutBytes(t.Context(), []byte(res84), "/etc/drbd.d/backups.res", 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.PutBytes(t.Context(), []byte("resource broken {\n    options { quorum majority; }\n}\n"), "/tmp/broken.res", 0o644); err != nil {
		t.Fatal(err)
	}
	const c = "drbdadm -c /etc/drbd.d/backups.res "
	rec(a, "dump", c+"dump backups")
	rec(a, "dump-broken", "drbdadm -c /tmp/broken.res dump broken")
	rec(a, "dump-unknown", c+"dump nothing")
	rec(a, "adjust-dry-no-metadata", c+"-d adjust backups")
	rec(a, "up-no-metadata", c+"up backups")
	rec(a, "after-up-no-metadata-status", "drbdsetup status --verbose --statistics")
	rec(a, "down-after-failed-up", c+"down backups")
	rec(a, "dump-md-none", "drbdadm -c /etc/drbd.d/backups.res dump-md backups")
	endA, endB := r.events(a, &notes), r.events(b, &notes)
	for _, m := range l.Machines {
		rec(m, "create-md", c+"-- --force create-md backups")
	}
	rec(a, "create-md-again", c+"-- --force create-md backups")
	rec(a, "dump-md", c+"dump-md backups")
	rec(a, "get-gi-down", c+"get-gi backups")
	rec(a, "adjust-dry-down", c+"-d adjust backups")
	rec(a, "up", c+"up backups")
	until(a, "connection:(Connecting|WFConnection)")
	rec(a, "alone-status", "drbdsetup status --verbose --statistics")
	rec(a, "alone-events2-now", "drbdsetup events2 --now --statistics")
	rec(a, "primary-not-uptodate", c+"primary backups")
	rec(a, "up-again", c+"up backups")
	rec(a, "adjust-nothing", c+"adjust backups")
	rec(a, "adjust-dry-nothing", c+"-d adjust backups")
	rec(a, "create-md-attached", c+"-- --force create-md backups")
	rec(a, "dump-md-attached", c+"dump-md backups")
	rec(b, "up", c+"up backups")
	until(a, "peer-disk:Inconsistent")
	snap("inconsistent")
	rec(a, "show", "drbdsetup show backups")
	rec(a, "get-gi", c+"get-gi backups")
	rec(a, "primary-force", c+"primary --force backups")
	until(a, "replication:SyncSource")
	snap("syncing")
	rec(a, "proc-drbd-syncing", "cat /proc/drbd")
	until(a, "peer-disk:UpToDate")
	snap("primary")
	rec(a, "proc-drbd-connected", "cat /proc/drbd")
	rec(b, "primary-two", c+"primary backups")
	rec(b, "open-secondary", "dd if=/dev/drbd1000 of=/dev/null bs=4096 count=1")
	must(t, a, "mkfs.ext4 -q -E nodiscard /dev/drbd1000 && mount /dev/drbd1000 /mnt && echo hello >/mnt/f && sync")
	rec(a, "secondary-open", c+"secondary backups")
	rec(a, "down-open", c+"down backups")
	rec(a, "after-down-open-status", "drbdsetup status --verbose --statistics")
	rec(a, "adjust-after-down-open", c+"adjust backups")
	until(a, "peer-disk:UpToDate")
	rec(a, "suspend-io", c+"suspend-io backups")
	snap("suspended")
	rec(a, "resume-io", c+"resume-io backups")
	rec(b, "disconnect", c+"disconnect backups")
	until(a, "connection:(Connecting|WFConnection)")
	snap("disconnected")
	must(t, a, "dd if=/dev/zero of=/mnt/g bs=1M count=4 conv=fsync 2>/dev/null")
	rec(b, "connect", c+"connect backups")
	until(b, "disk:UpToDate.*peer-disk:UpToDate")
	rec(a, "detach-primary", c+"detach backups")
	until(a, "disk:Diskless")
	snap("diskless")
	rec(a, "attach", c+"attach backups")
	until(a, " disk:UpToDate.*peer-disk:UpToDate")
	must(t, a, "umount /mnt")
	rec(a, "secondary", c+"secondary backups")
	rec(a, "secondary-again", c+"secondary backups")
	snap("connected")
	must(t, a, "lvextend -q -L 128m sw_ssd/backups_00000")
	rec(a, "resize-peer-small", c+"resize backups")
	must(t, b, "lvextend -q -L 128m sw_ssd/backups_00000")
	rec(a, "resize", c+"-- --assume-clean resize backups")
	until(a, " disk:UpToDate.*peer-disk:UpToDate")
	// the link is cut while alpha is primary, bravo is made primary: split brain
	rec(a, "primary", c+"primary backups")
	if err := l.Cut("alpha", "bravo"); err != nil {
		t.Fatal(err)
	}
	until(b, "connection:(Connecting|WFConnection)")
	until(a, "connection:(Connecting|WFConnection)")
	must(t, a, "dd if=/dev/zero of=/dev/drbd1000 bs=4096 count=1 oflag=direct 2>/dev/null")
	rec(b, "primary-cut", c+"primary backups")
	must(t, b, "dd if=/dev/zero of=/dev/drbd1000 bs=4096 count=1 oflag=direct 2>/dev/null")
	snap("cut")
	if err := l.Heal("alpha", "bravo"); err != nil {
		t.Fatal(err)
	}
	standAlone := func(m *lab.Machine) { // 8.4's status shows no connection then
		t.Helper()
		must(t, m, "i=0; while [ $i -lt 150 ]; do [ $("+c+"cstate backups) = StandAlone ] && exit 0; i=$((i+1)); sleep 0.05; done; exit 1")
	}
	standAlone(a)
	standAlone(b)
	snap("split-brain")
	rec(b, "adjust-dry-standalone", c+"-d adjust backups")
	rec(b, "secondary-split", c+"secondary backups")
	must(t, a, c+"disconnect backups; true")
	rec(b, "connect-discard", c+"-- --discard-my-data connect backups")
	rec(a, "connect-after-split", c+"connect backups")
	until(b, " disk:UpToDate.*peer-disk:UpToDate")
	rec(a, "down-primary", c+"down backups")
	snap("peer-down")
	rec(b, "down", c+"down backups")
	rec(b, "down-again", c+"down backups")
	rec(b, "wipe-md", c+"-- --force wipe-md backups")
	rec(b, "wipe-md-again", c+"-- --force wipe-md backups")
	endA()
	endB()
	// the other way to begin: no sync at all
	for _, m := range l.Machines {
		must(t, m, c+"-- --force create-md backups && "+c+"up backups")
	}
	until(a, "peer-disk:Inconsistent")
	rec(a, "new-current-uuid", c+"-- --clear-bitmap new-current-uuid backups/0")
	until(a, " disk:UpToDate.*peer-disk:UpToDate")
	snap("skipped-sync")
	rec(b, "new-current-uuid-again", c+"-- --clear-bitmap new-current-uuid backups/0")
	for _, m := range l.Machines {
		must(t, m, c+"down backups")
	}
}
