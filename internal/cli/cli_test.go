package cli

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	flag.Parse()
	time.Local = time.UTC
	os.Exit(m.Run())
}

// cluster answers reads from testdata/cluster and every change with the same reply; it keeps the requests.
type cluster struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string
}

const (
	reply = `[{"ret_code":20709377,"message":"New node 'alpha' registered.","details":"Node 'alpha' UUID is: 1"},` +
		`{"ret_code":-9223372036854774806,"message":"No active connection to satellite 'alpha'"}]`
	refusal = `[{"ret_code":-4611686018406678028,"message":"Node 'bad' already exists.","cause":"It was made before.",` +
		`"correction":"- Choose another name\n- or delete it","details":"Node: bad","error_report_ids":["5F000000-00000-000001"]}]`
	notFound = `[{"ret_code":-4611686018427387604,"message":"Node 'x' not found."}]`
)

func newCluster(t *testing.T) *cluster {
	c := &cluster{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		line := r.Method + " " + r.URL.EscapedPath()
		if r.URL.RawQuery != "" {
			line += "?" + r.URL.RawQuery
		}
		if len(body) > 0 {
			line += " " + string(body)
		}
		c.mu.Lock()
		c.requests = append(c.requests, line)
		c.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(r.URL.Path, "/bad"):
			w.WriteHeader(500)
			io.WriteString(w, refusal)
		case r.Method != http.MethodGet:
			io.WriteString(w, reply)
		default:
			b, err := os.ReadFile(filepath.Join("testdata/cluster", "GET"+strings.ReplaceAll(r.URL.Path, "/", "_")+".json"))
			if err != nil {
				w.WriteHeader(404)
				io.WriteString(w, notFound)
				return
			}
			w.Write(b)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// taken returns the requests since the last call.
func (c *cluster) taken() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.requests
	c.requests = nil
	return r
}

// outcome is what a command line did.
type outcome struct {
	code     int
	out, err string
}

var testNow = time.UnixMilli(1785549700000)

// conf is a configuration for tests, with a fixed clock and no waiting.
func conf(url string) Config {
	return Config{
		Prog: "linstor", Version: "1.2.3", Env: []string{"LS_CONTROLLERS=" + url, "LANG=C.UTF-8"},
		Now:   func() time.Time { return testNow },
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

func run(cfg Config, line ...string) outcome {
	var out, err bytes.Buffer
	cfg.Streams.Out, cfg.Streams.Err = &out, &err
	return outcome{New(cfg).Run(context.Background(), line), out.String(), err.String()}
}

// The golden files under testdata/golden were compared byte by byte with the output of LINSTOR's client for the same JSON.
func TestLists(t *testing.T) {
	c := newCluster(t)
	for _, line := range []string{
		"node list", "n l --show-aux-props -s Aux/site=Site", "n l -g state", "node info", "node info -f", "n i l alpha", "n dsc alpha",
		"n lp alpha", "sp l", "sp l --show-props Aux/x", "sp lp alpha swpool", "rd l", "rd l -e --ports", "rd lp backups",
		"vd l", "vd l -e -g size", "vd lp backups 0", "vd lp backups 9", "r l", "r l --faulty", "r l --show-drbd-ports", "r lp alpha backups", "r inv alpha", "r involved node2 -i -m 3", "r inv node10 -d",
		"v l", "r lv --hrep", "v lp alpha backups 0", "rg l", "rg lp grp", "vg l grp", "vg lp grp 0", "c lp", "c v", "c which",
		"kv l", "kv s ui", "kv s nothing", "-m kv s nothing", "err l", "err l -f", "err l --report-id 5F000001", "err s 5F000000-00000-000001", "s l", "r diagnose", "list-commands", "help node",
		"advise resource", "adv m alpha", "adv r -f too-few-replicas", "rg qmvs grp", "ps l", "-m ps l", "spr qry", "nc l", "nc lp alpha bravo", "nc p l alpha bravo", "rc l backups", "rc lp alpha bravo backups",
		"-m --output-version v0 n l", "-m --output-version v0 sp l", "-m --output-version v0 rd l", "-m --output-version v0 vd l", "-m --output-version v0 r l",
		"-m --output-version v0 s l", "-m --output-version v0 nc l", "-m --output-version v0 rc l backups", "-m --output-version v0 rg l",
		"-m spr qry", "-m rg qmvs grp", "-m n l", "-m rd lp backups", "-m c v", "-m c which", "-m err l", "-m n dsc node2", "-m kv l",
	} {
		t.Run(line, func(t *testing.T) {
			got := run(conf(c.URL), strings.Fields(line)...)
			got.out = strings.ReplaceAll(got.out, strings.TrimPrefix(c.URL, "http://"), "ADDRESS")
			if got.code != 0 {
				t.Errorf("exit code %d, %s", got.code, got.err)
			}
			golden(t, line, got.out)
		})
	}
}

func TestListsOnATerminal(t *testing.T) {
	c := newCluster(t)
	cfg := conf(c.URL)
	cfg.Streams.OutTTY, cfg.Streams.ErrTTY = true, true
	for _, line := range []string{"node list", "r l", "v l", "sp l", "rg l", "n dsc alpha", "n c alpha 1.1.1.1"} {
		t.Run(line, func(t *testing.T) {
			golden(t, "tty "+line, run(cfg, strings.Fields(line)...).out)
		})
	}
	for _, env := range []string{"NO_COLOR=1", "TERM=dumb", "LS_CLIENT_NO_COLOR="} {
		cfg := cfg
		cfg.Env = append(cfg.Env, env)
		if out := run(cfg, "n", "l").out; strings.Contains(out, "\x1b[") || !strings.Contains(out, "╭") {
			t.Errorf("%s: %s", env, out)
		}
	}
	cfg.Env = append(cfg.Env, "LC_ALL=C")
	if out := run(cfg, "n", "l").out; strings.Contains(out, "╭") || !strings.Contains(out, "\x1b[") {
		t.Error(out)
	}
	if out := run(cfg, "n", "l", "-p").out; strings.ContainsAny(out, "╭\x1b") {
		t.Error(out)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata/golden", strings.NewReplacer(" ", "_", "/", "-").Replace(name)+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Error(d)
	}
}

// Why something isn't as it should be stands below the table, on standard error.
func TestListsSayWhy(t *testing.T) {
	c := newCluster(t)
	got := run(conf(c.URL), "node", "list")
	want := "node node10: No heartbeat for 12 s. (for 1m40s)\n" +
		"    Check the machine and its network; 'systemctl status holdfast-satellite' there says more.\n"
	if d := cmp.Diff(want, got.err); d != "" {
		t.Error(d)
	}
}

// What each command line asks of the controller, in both spellings and with the short names.
func TestRequests(t *testing.T) {
	c := newCluster(t)
	const rd = "/v1/resource-definitions"
	for _, tc := range []struct {
		line string
		want string // requests, one a line
	}{
		{"node create --node-type Combined alpha 10.77.0.1", `POST /v1/nodes {"name":"alpha","type":"COMBINED","net_interfaces":[{"name":"default","address":"10.77.0.1","satellite_port":3366,"satellite_encryption_type":"PLAIN"}]}`},
		{"n c bravo 10.77.0.2 --communication-type ssl -p 99 --fingerprint ab:cd --async", `POST /v1/nodes?async=true {"name":"bravo","type":"SATELLITE","net_interfaces":[{"name":"default","address":"10.77.0.2","satellite_port":99,"satellite_encryption_type":"SSL"}],"holdfast":{"fingerprint":"ab:cd"}}`},
		{"rg qsi grp --place-count 3 -s swpool", `POST /v1/resource-groups/grp/query-size-info {"select_filter":{"place_count":3,"storage_pool_list":["swpool"]}}`},
		{"ps cdp lvmthin alpha /dev/sdb /dev/sdc --pool-name ssd --storage-pool fast", `POST /v1/physical-storage/alpha {"provider_kind":"LVM_THIN","device_paths":["/dev/sdb","/dev/sdc"],"pool_name":"ssd","with_storage_pool":{"name":"fast"}}`},
		{"r popt alpha bravo backups --c-max-rate 4096K", `PUT /v1/resource-definitions/backups/resource-connections/alpha/bravo {"override_props":{"DrbdOptions/PeerDevice/c-max-rate":"4096"}}`},
		{"nc popt alpha bravo --protocol A --unset-c-max-rate", `PUT /v1/node-connections/alpha/bravo {"override_props":{"DrbdOptions/Net/protocol":"A"},"delete_props":["DrbdOptions/PeerDevice/c-max-rate"]}`},
		{"rc p c alpha bravo backups fast nic2 nic3", `PUT /v1/resource-definitions/backups/resource-connections/alpha/bravo {"override_props":{"Paths/fast/alpha":"nic2","Paths/fast/bravo":"nic3"}}`},
		{"nc p d alpha bravo fast", `PUT /v1/node-connections/alpha/bravo {"delete_namespaces":["Paths/fast"]}`},
		{"rc sp alpha bravo backups a b --aux", `PUT /v1/resource-definitions/backups/resource-connections/alpha/bravo {"override_props":{"Aux/a":"b"}}`},
		{"c qmvs 2 -s swpool", `OPTIONS /v1/query-max-volume-size {"place_count":2,"storage_pool_list":["swpool"]}`},
		{"rg adj grp", `POST /v1/resource-groups/grp/adjust {}`},
		{"rg adj", `POST /v1/resource-groups/adjustall {}`},
		{"n c ctl 10.0.0.1 --node-type controller", `POST /v1/nodes {"name":"ctl","type":"CONTROLLER","net_interfaces":[{"name":"default","address":"10.0.0.1","satellite_port":3370,"satellite_encryption_type":"PLAIN"}]}`},
		{"n c 127.0.0.1", `POST /v1/nodes {"name":"127.0.0.1","type":"SATELLITE","net_interfaces":[{"name":"default","address":"127.0.0.1","satellite_port":3366,"satellite_encryption_type":"PLAIN"}]}`},
		{"n m alpha -t auxiliary", `PUT /v1/nodes/alpha {"node_type":"AUXILIARY"}`},
		{"n d alpha --lose backups", "DELETE /v1/nodes/alpha?lose=backups"},
		{"n lo alpha", "DELETE /v1/nodes/alpha/lost"},
		{"n rc alpha bravo", "PUT /v1/nodes/alpha/reconnect\nPUT /v1/nodes/bravo/reconnect"},
		{"n sp alpha --aux site a", `PUT /v1/nodes/alpha {"override_props":{"Aux/site":"a"}}`},
		{"n sp alpha Aux/site", `PUT /v1/nodes/alpha {"delete_props":["Aux/site"]}`},
		{"n sp alpha key -- -1", `PUT /v1/nodes/alpha {"override_props":{"key":"-1"}}`},
		{"n sp alpha key -1", `PUT /v1/nodes/alpha {"override_props":{"key":"-1"}}`},
		{"n i c alpha repl 10.78.0.1", `POST /v1/nodes/alpha/net-interfaces {"name":"repl","address":"10.78.0.1"}`},
		{"n i c alpha repl 10.78.0.1 -p 3366 --active", `POST /v1/nodes/alpha/net-interfaces {"name":"repl","address":"10.78.0.1","satellite_port":3366,"satellite_encryption_type":"PLAIN","is_active":true}`},
		{"n i m alpha repl --ip 10.78.0.2", `PUT /v1/nodes/alpha/net-interfaces/repl {"name":"repl","address":"10.78.0.2"}`},
		{"n i d alpha a b", "DELETE /v1/nodes/alpha/net-interfaces/a\nDELETE /v1/nodes/alpha/net-interfaces/b"},
		{"n l -n alpha bravo --props Aux/x Aux/y=1", "GET /v1/nodes?nodes=alpha&nodes=bravo&props=Aux%2Fx&props=Aux%2Fy%3D1"},

		{"storage-pool create lvm alpha swpool sw_ssd", pool("alpha", "LVM", "sw_ssd", "")},
		{"storage-pool create alpha swpool lvm sw_ssd", pool("alpha", "LVM", "sw_ssd", "")},
		{"sp c alpha swpool LVM_THIN vg/thin", pool("alpha", "LVM_THIN", "vg/thin", "")},
		{"sp c filethin lvm swpool /srv", pool("lvm", "FILE_THIN", "/srv", "")},
		{"sp c --shared-space san lvm alpha swpool vg", pool("alpha", "LVM", "vg", "san")},
		{"sp c diskless alpha swpool", `POST /v1/nodes/alpha/storage-pools {"storage_pool_name":"swpool","provider_kind":"DISKLESS","supports_snapshots":false,"external_locking":false}`},
		{"sp d -q alpha bravo swpool", "DELETE /v1/nodes/alpha/storage-pools/swpool\nDELETE /v1/nodes/bravo/storage-pools/swpool"},
		{"sp l -s swpool -n alpha", "GET /v1/view/storage-pools?nodes=alpha&storage_pools=swpool"},
		{"sp sp alpha swpool StorDriver/LvcreateOptions x", `PUT /v1/nodes/alpha/storage-pools/swpool {"override_props":{"StorDriver/LvcreateOptions":"x"}}`},

		{"resource-definition create backups", `POST ` + rd + ` {"resource_definition":{"name":"backups"}}`},
		{"rd c db -l drbd,storage --peer-slots 3 --resource-group grp -p 7100", `POST ` + rd + ` {"drbd_port":7100,"drbd_peer_slots":3,"resource_definition":{"name":"db","layer_data":[{"type":"DRBD"},{"type":"STORAGE"}],"resource_group_name":"grp"}}`},
		{"rd c -e x/y", `POST ` + rd + ` {"resource_definition":{"external_name":"x/y"}}`},
		{"rd m backups --resource-group g", `PUT ` + rd + `/backups {"resource_group":"g"}`},
		{"rd d a b --async", "DELETE " + rd + "/a?async=true\nDELETE " + rd + "/b?async=true"},
		{"rd d backups --lose=backups", "DELETE " + rd + "/backups?lose=backups"},
		{"rd ap backups --place-count +1 --drbd-diskless", `POST ` + rd + `/backups/autoplace {"select_filter":{"additional_place_count":1,"diskless_type":"DRBD_DISKLESS"}}`},
		{"rd opt backups --protocol C --ping-timeout 20 --c-max-rate 4M --drbd-timeout 100 --unset-quorum", `PUT ` + rd + `/backups {"override_props":{"DrbdOptions/Net/ping-timeout":"20","DrbdOptions/Net/protocol":"C","DrbdOptions/Net/timeout":"100","DrbdOptions/PeerDevice/c-max-rate":"4096"},"delete_props":["DrbdOptions/Resource/quorum"]}`},
		{"rd opt backups --handler-fence-peer /usr/lib/x", `PUT ` + rd + `/backups {"override_props":{"DrbdOptions/Handlers/fence-peer":"/usr/lib/x"}}`},

		{"volume-definition create backups 512M", `POST ` + rd + `/backups/volume-definitions {"volume_definition":{"size_kib":524288}}`},
		{"vd c backups 1 -n 3 -m 1200 -s swpool --gross", `POST ` + rd + `/backups/volume-definitions {"volume_definition":{"volume_number":3,"size_kib":1048576,"props":{"StorPoolName":"swpool"},"flags":["GROSS_SIZE"]},"drbd_minor_number":1200}`},
		{"vd size backups 0 1G", `PUT ` + rd + `/backups/volume-definitions/0 {"size_kib":1048576}`},
		{"vd d backups 1", "DELETE " + rd + "/backups/volume-definitions/1"},
		{"vd opt backups 0 --al-extents 6007", `PUT ` + rd + `/backups/volume-definitions/0 {"override_props":{"DrbdOptions/Disk/al-extents":"6007"}}`},
		{"vd l -r backups", "GET " + rd + "?resource_definitions=backups&with_volume_definitions=true"},

		{"resource create backups --auto-place 2", `POST ` + rd + `/backups/autoplace {"select_filter":{"place_count":2}}`},
		{"resource create --auto-place 2 backups", `POST ` + rd + `/backups/autoplace {"select_filter":{"place_count":2}}`},
		{"resource create --auto-place backups", `POST ` + rd + `/backups/autoplace {"select_filter":{}}`},
		{"r c backups --auto-place all -s p1 p2 --diskless-on-remaining false --providers lvm,lvmthin --replicas-on-same site --replicas-on-different rack=1 --x-replicas-on-different dc 2 --do-not-place-with a b", `POST ` + rd + `/backups/autoplace {"diskless_on_remaining":false,"select_filter":{"place_count":-1,"additional_place_count":0,"storage_pool_list":["p1","p2"],"not_place_with_rsc":["a","b"],"replicas_on_same":["Aux/site"],"replicas_on_different":["Aux/rack=1"],"x_replicas_on_different_map":{"Aux/dc":2},"provider_list":["LVM","LVM_THIN"],"diskless_on_remaining":false}}`},
		{"r c backups --auto-place 2 -l drbd,storage --diskless-on-remaining", `POST ` + rd + `/backups/autoplace {"diskless_on_remaining":true,"select_filter":{"place_count":2,"diskless_on_remaining":true},"layer_list":["DRBD","STORAGE"]}`},
		{"r c alpha bravo backups --storage-pool swpool --node-id 3", `POST ` + rd + `/backups/resources [{"resource":{"name":"backups","node_name":"alpha","props":{"StorPoolName":"swpool"}},"drbd_node_id":3},{"resource":{"name":"backups","node_name":"bravo","props":{"StorPoolName":"swpool"}},"drbd_node_id":3}]`},
		{"r c --storage-pool swpool alpha backups", `POST ` + rd + `/backups/resources [{"resource":{"name":"backups","node_name":"alpha","props":{"StorPoolName":"swpool"}}}]`},
		{"r c --storage swpool --async alpha backups", `POST ` + rd + `/backups/resources?async=true [{"resource":{"name":"backups","node_name":"alpha","props":{"StorPoolName":"swpool"}}}]`},
		{"r c charlie backups --diskless", `POST ` + rd + `/backups/resources [{"resource":{"name":"backups","node_name":"charlie","flags":["DISKLESS"]}}]`},
		{"r c charlie backups --drbd-diskless", `POST ` + rd + `/backups/resources [{"resource":{"name":"backups","node_name":"charlie","flags":["DRBD_DISKLESS"]}}]`},
		{"r d alpha bravo backups --keep-tiebreaker --lose backups", "DELETE " + rd + "/backups/resources/alpha?keep_tiebreaker=true&lose=backups\nDELETE " + rd + "/backups/resources/bravo?keep_tiebreaker=true&lose=backups"},
		{"r mkavail alpha backups --diskful", `POST ` + rd + `/backups/resources/alpha/make-available {"diskful":true}`},
		{"r td alpha backups -s swpool --migrate-from bravo", `PUT ` + rd + `/backups/resources/alpha/toggle-disk {"operation":"INTO_DRBD_DISKFUL","storage_pool":"swpool","migrate_from":"bravo"}`},
		{"r td alpha backups -d", `PUT ` + rd + `/backups/resources/alpha/toggle-disk {"operation":"INTO_DRBD_DISKLESS"}`},
		{"r act alpha backups", "POST " + rd + "/backups/resources/alpha/activate"},
		{"r sp alpha backups Aux/x 1", `PUT ` + rd + `/backups/resources/alpha {"override_props":{"Aux/x":"1"}}`},
		{"r l -r backups db -n alpha", "GET /v1/view/resources?nodes=alpha&resources=backups&resources=db"},
		{"v sp alpha backups 0 Aux/x 1", `PUT ` + rd + `/backups/resources/alpha/volumes/0 {"override_props":{"Aux/x":"1"}}`},
		{"v l -s swpool", "GET /v1/view/resources?storage_pools=swpool"},

		{"rg c grp --place-count 2 -s swpool -d fast", `POST /v1/resource-groups {"name":"grp","description":"fast","select_filter":{"place_count":2,"storage_pool_list":["swpool"]}}`},
		{"rg m grp --replicas-on-same", `PUT /v1/resource-groups/grp {"select_filter":{"replicas_on_same":[]}}`},
		{"rg d grp", "DELETE /v1/resource-groups/grp"},
		{"rg spawn grp db 1G 512M", `POST /v1/resource-groups/grp/spawn {"resource_definition_name":"db","volume_sizes":[1048576,524288]}`},
		{"rg spawn -p -d grp db 1G --place-count 3", `POST /v1/resource-groups/grp/spawn {"resource_definition_name":"db","volume_sizes":[1048576],"select_filter":{"place_count":3},"partial":true,"definitions_only":true}`},
		{"rg adjust grp", `POST /v1/resource-groups/grp/adjust {}`},
		{"rg adjust", `POST /v1/resource-groups/adjustall {}`},
		{"vg c grp -n 0", `POST /v1/resource-groups/grp/volume-groups {"volume_number":0}`},
		{"vg d grp 0", "DELETE /v1/resource-groups/grp/volume-groups/0"},
		{"vg sp grp 0 Aux/x 1", `PUT /v1/resource-groups/grp/volume-groups/0 {"override_props":{"Aux/x":"1"}}`},

		{"c sp DrbdOptions/auto-diskful 5", `POST /v1/controller/properties {"override_props":{"DrbdOptions/auto-diskful":"5"}}`},
		{"c opt --on-no-quorum suspend-io", `POST /v1/controller/properties {"override_props":{"DrbdOptions/Resource/on-no-quorum":"suspend-io"}}`},
		{"kv m ui a 1", `PUT /v1/key-value-store/ui {"override_props":{"a":"1"}}`},
		{"kv m ui a", `PUT /v1/key-value-store/ui {"delete_props":["a"]}`},
		{"err l -s 1d2h -t 2026-07-30 -n alpha", "GET /v1/error-reports?node=alpha&since=1785456100000&to=1785455999000"},
		{"err d A B --since 2026-07-01", `PATCH /v1/error-reports {"since":1782950399000,"ids":["A","B"]}`},
	} {
		got := run(conf(c.URL), strings.Fields(tc.line)...)
		if d := cmp.Diff(tc.want, strings.Join(c.taken(), "\n")); d != "" {
			t.Errorf("%s: exit code %d %s\n%s", tc.line, got.code, got.err, d)
		}
	}
}

func pool(node, kind, place, shared string) string {
	if shared != "" {
		shared = `"free_space_mgr_name":"` + shared + `",`
	}
	return fmt.Sprintf(`POST /v1/nodes/%s/storage-pools {"storage_pool_name":"swpool","provider_kind":"%s","props":{"StorDriver/StorPoolName":"%s"},%s"supports_snapshots":false,"external_locking":false}`, node, kind, place, shared)
}

// Mistakes end with code 2, say what is wrong, and ask nothing of the controller.
func TestUsageErrors(t *testing.T) {
	c := newCluster(t)
	for line, want := range map[string]string{
		"xyz":                                   `unknown command "xyz"`,
		"node":                                  "a sub-command is missing",
		"node xyz":                              `unknown command "xyz"`,
		"node create":                           "too few arguments",
		"node create a 1.1.1.1 b":               `unexpected argument "b"`,
		"node create a 1.1.1.1 --node-type x":   `"x" is not a node type`,
		"node create a 1.1.1.1 --xyz":           "unknown option --xyz",
		"node create a 1.1.1.1 -x":              "unknown option -x",
		"node create a 1.1.1.1 -p":              "option --port needs a value",
		"node create a 1.1.1.1 -p x":            "invalid argument",
		"node create a 1.1.1.1 --inter x":       "--interface-name or --interface-type",
		"node list -g nothing":                  "is not one of node, nodetype, addresses, state",
		"rd c":                                  "a name or --external-name is needed",
		"rd c a -l drbd,xyz":                    `"xyz" is not a layer`,
		"vd c a 5Q":                             `"Q" is not a unit`,
		"vd c a big":                            "not a whole number",
		"vd d a x":                              "not a volume number",
		"r c backups":                           "name a node, or use --auto-place",
		"r c --auto-place 2":                    "too few arguments",
		"r c alpha backups --auto-place 2":      `"alpha" was named`,
		"r c alpha backups -s a b":              "takes one --storage-pool",
		"r td alpha backups -d -s p":            "--diskless goes with no storage pool",
		"rd ap a --place-count x":               `"x" is not a number`,
		"rd opt a":                              "no option is given",
		"rd opt a --protocol D":                 "is not one of A, B, C",
		"rd opt a --ping-int 500":               "outside 1-120",
		"rd opt a --protocol C --unset-proto":   "exclude each other",
		"sp c alpha p lvm":                      "create NODE POOL lvm VOLUME_GROUP",
		"sp c alpha p xyz vg":                   "is not a kind of storage pool",
		"--output-version v2 n l":               "isn't one of v0, v1",
		"--controllers ftp://x n l":             "unknown scheme",
		"--user u n l":                          "isn't encrypted",
		"err l -s tomorrow":                     "is not a time",
		"n l --from-file /nonexistent/file.txt": "no such file",
	} {
		cfg := conf(c.URL)
		got := run(cfg, strings.Fields(line)...)
		if got.code != ExitUsage || !strings.Contains(got.err, want) || got.out != "" {
			t.Errorf("%s: code %d\nout %s\nerr %s\nwant %s", line, got.code, got.out, got.err, want)
		}
		if asked := c.taken(); len(asked) > 0 {
			t.Errorf("%s: asked %s", line, asked)
		}
	}
}

func TestExitCodes(t *testing.T) {
	c := newCluster(t)
	for _, tc := range []struct {
		line string
		code int
		out  string
		err  string
	}{
		{"n c alpha 1.1.1.1", ExitOK, "SUCCESS:\nDescription:\n    New node 'alpha' registered.\nDetails:\n    Node 'alpha' UUID is: 1\n" +
			"WARNING:\n    No active connection to satellite 'alpha'\n", ""},
		{"--warn-as-error n c alpha 1.1.1.1", ExitAPI, "WARNING:", ""},
		{"n d bad", ExitAPI, "ERROR:\nDescription:\n    Node 'bad' already exists.\nCause:\n    It was made before.\nCorrection:\n" +
			"    - Choose another name\n    - or delete it\nDetails:\n    Node: bad\nShow reports:\n" +
			"    linstor error-reports show 5F000000-00000-000001\n", ""},
		{"rd d bad good", ExitAPI, "SUCCESS:", ""},
		{"-m n d bad", ExitOK, `"ret_code": -4611686018406678028`, ""},
		{"kv s bad", ExitAPI, "ERROR:", ""},
		{"n lp nope", ExitNotFound, "", "Error: Node 'nope' not found on controller.\n"},
		{"n i l nope", ExitNotFound, "", "not found"},
		{"n dsc nope", ExitNotFound, "", "nope: no such node"},
		{"rd lp nope", ExitOK, "No property map found for this entry.\n", ""},
		{"-V c which", ExitOK, "linstor://", ""},
		{"-V n c alpha 1.1.1.1", ExitOK, "Connected to http://", ""},
		{"--version", ExitOK, "linstor 1.2.3\n", ""},
		{"", ExitOK, "Usage:", ""},
	} {
		got := run(conf(c.URL), strings.Fields(tc.line)...)
		if got.code != tc.code || !strings.Contains(got.out, tc.out) || !strings.Contains(got.err, tc.err) || tc.err == "" && got.err != "" {
			t.Errorf("%s: code %d, want %d\nout %s\nerr %s", tc.line, got.code, tc.code, got.out, got.err)
		}
	}
}

func TestNoControllerAndTimeout(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	for _, line := range []string{"n l", "n d alpha", "-m n l"} {
		got := run(conf(addr), strings.Fields(line)...)
		if got.code != ExitConnect || !strings.Contains(got.err, "LS_CONTROLLERS") || got.out != "" {
			t.Errorf("%s: %+v", line, got)
		}
	}

	stop := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	defer slow.Close()
	defer close(stop)
	if got := run(conf(slow.URL), "-t", "1", "n", "l"); got.code != ExitTimeout {
		t.Errorf("%+v", got)
	}
}

func TestConfigurationFileAndEnvironment(t *testing.T) {
	c := newCluster(t)
	files := fstest.MapFS{
		"etc/linstor/linstor-client.d/a.conf": {Data: []byte("[global]\nno-color\n[node.list]\nshow-props = [\"Aux/site\"]\n")},
		"etc/linstor/linstor-client.conf":     {Data: []byte("# comment\n[global]\ncontrollers = " + c.URL + "\nmachine-readable\n")},
		"root/.config/linstor/linstor-client.conf": {Data: []byte("[global]\ncontrollers=" + c.URL + "\n" +
			"[resource.list]\nnodes=[\"alpha\"]\nfaulty=true\n")},
	}
	cfg := conf("")
	cfg.Env, cfg.FS = []string{"HOME=/home/x"}, files
	if got := run(cfg, "n", "l"); got.code != 0 || !strings.HasPrefix(got.out, "[\n  [\n") {
		t.Errorf("the file of the system: %+v", got)
	}
	cfg.Env = []string{"HOME=/root"}
	if got := run(cfg, "n", "l"); got.code != 0 || !strings.Contains(got.out, "| Aux/site |") {
		t.Errorf("the user's file: %+v", got)
	}
	c.taken()
	run(cfg, "r", "l", "-n", "bravo")
	if d := cmp.Diff([]string{"GET /v1/view/resources?nodes=alpha&nodes=bravo"}, c.taken()); d != "" {
		t.Error(d)
	}
	if got := run(cfg, "--disable-config", "--controllers", c.URL, "n", "l"); strings.Contains(got.out, "Aux/site") {
		t.Error(got.out)
	}
	cfg.Env = []string{"HOME=/root", "LS_CLIENT_MACHINE_READABLE=true"}
	if got := run(cfg, "n", "l"); !strings.HasPrefix(got.out, "[\n  [\n") {
		t.Errorf("%+v", got)
	}
	cfg.Env = []string{"LS_CLIENT_NONSENSE=1"}
	if got := run(cfg, "n", "l"); got.code != ExitUsage {
		t.Errorf("%+v", got)
	}
	files["etc/linstor/linstor-client.conf"] = &fstest.MapFile{Data: []byte("nonsense\n")}
	cfg.Env = nil
	if got := run(cfg, "n", "l"); got.code != ExitUsage || !strings.Contains(got.err, "linstor-client.conf") {
		t.Errorf("%+v", got)
	}
}

func TestATokenFileIsSent(t *testing.T) {
	var header string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header.Get("Authorization")
		io.WriteString(w, "[]")
	}))
	defer srv.Close()
	cfg := conf(srv.URL)
	cfg.FS = fstest.MapFS{tokenFile: {Data: []byte(`{"token":"abc"}`)}}
	if run(cfg, "n", "l"); header != "Bearer abc" {
		t.Error(header)
	}
	if run(cfg, "--user", "u", "--password", "p", "--allow-insecure-auth", "n", "l"); header != "Basic dTpw" {
		t.Error(header)
	}
}

func TestCurlSendsNothing(t *testing.T) {
	c := newCluster(t)
	if got := run(conf("ctl:3370"), "--curl", "rd", "d", "a1", "b2"); got.code != 0 ||
		got.out != "curl -X DELETE 'http://ctl:3370/v1/resource-definitions/a1'\ncurl -X DELETE 'http://ctl:3370/v1/resource-definitions/b2'\n" {
		t.Errorf("%+v", got)
	}
	got := run(conf("ctl:3370"), "--curl", "n", "d", "al'pha")
	if got.code != 0 || got.out != "curl -X DELETE 'http://ctl:3370/v1/nodes/al%27pha'\n" {
		t.Errorf("%+v", got)
	}
	if asked := c.taken(); len(asked) > 0 {
		t.Error(asked)
	}
}

func TestListsFromAFile(t *testing.T) {
	got := run(conf("nowhere:1"), "n", "l", "--from-file", "testdata/cluster/GET_v1_nodes.json")
	if got.code != 0 || !strings.Contains(got.out, "| alpha ") {
		t.Errorf("%+v", got)
	}
}

// The program's daemons are plugged in beside the commands; "controller" is both.
func TestExtraCommands(t *testing.T) {
	c := newCluster(t)
	var ran, file string
	daemon := &cobra.Command{Use: "controller", Short: "Run the controller", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { ran = "controller"; return nil }}
	daemon.Flags().StringVar(&file, "config", "", "")
	sat := &cobra.Command{Use: "satellite", RunE: func(*cobra.Command, []string) error { ran = "satellite"; return nil }}
	do := func(line string) outcome {
		cfg := conf(c.URL)
		var out, err bytes.Buffer
		cfg.Streams.Out, cfg.Streams.Err = &out, &err
		return outcome{New(cfg, daemon, sat).Run(context.Background(), strings.Fields(line)), out.String(), err.String()}
	}
	if got := do("controller --config x.toml"); got.code != 0 || ran != "controller" || file != "x.toml" {
		t.Errorf("%+v %s %s", got, ran, file)
	}
	if got := do("controller version"); got.code != 0 || !strings.Contains(got.out, "linstor controller 1.0.0") {
		t.Errorf("%+v", got)
	}
	if got := do("satellite"); got.code != 0 || ran != "satellite" {
		t.Errorf("%+v %s", got, ran)
	}
	if got := do("controller xyz"); got.code == 0 {
		t.Errorf("%+v", got)
	}
	// A client's configuration doesn't keep a daemon from starting.
	ran = ""
	cfg := conf(c.URL)
	cfg.Env = append(cfg.Env, "LS_CLIENT_NONSENSE=1")
	cfg.Streams.Out, cfg.Streams.Err = io.Discard, io.Discard
	if code := New(cfg, daemon, sat).Run(context.Background(), []string{"controller"}); code != 0 || ran != "controller" {
		t.Errorf("%d %s", code, ran)
	}
}

// Every command has a help text, and no two options of a command share a letter (pflag would panic).
func TestEveryCommandHasHelp(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Short == "" {
			t.Errorf("%s has no help", cmd.CommandPath())
		}
		names := map[string]string{}
		for _, sub := range cmd.Commands() {
			for _, n := range append(sub.Aliases, sub.Name()) {
				if names[n] != "" {
					t.Errorf("%s: %s and %s share the name %s", cmd.CommandPath(), names[n], sub.Name(), n)
				}
				names[n] = sub.Name()
			}
			walk(sub)
		}
		if cmd.HasParent() {
			if got := run(conf("nowhere:1"), append(strings.Fields(cmd.CommandPath())[1:], "--help")...); got.code != 0 || !strings.Contains(got.out, "Usage:") {
				t.Errorf("%s --help: %+v", cmd.CommandPath(), got)
			}
		}
	}
	walk(newRoot(New(conf(""))))
}
