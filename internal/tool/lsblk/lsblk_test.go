package lsblk

import (
	"context"
	"errors"
	"slices"
	"testing"

	"holdfast/internal/tool/run"
)

// answers plays programs: argv[0] and the last word give what it prints.
type answers map[string]run.Result

func (a answers) Run(_ context.Context, c run.Cmd) (run.Result, error) {
	return a[c.Argv[0]+" "+c.Argv[len(c.Argv)-1]], nil
}

// util-linux 2.38.1.
const listed = `{
   "blockdevices": [
      {
         "path": "/dev/vda",
         "type": "disk",
         "size": 274877906944,
         "ro": false,
         "rota": true,
         "mountpoint": null,
         "model": null,
         "serial": null,
         "wwn": null,
         "children": [
            {
               "path": "/dev/vda1",
               "type": "part",
               "size": 274876840448,
               "ro": false,
               "rota": true,
               "mountpoint": "/",
               "model": null,
               "serial": null,
               "wwn": null
            }
         ]
      },{
         "path": "/dev/sdb",
         "type": "disk",
         "size": 1073741824,
         "ro": true,
         "rota": false,
         "mountpoint": null,
         "model": "QEMU HARDDISK",
         "serial": "abc",
         "wwn": "0x5000"
      }
   ]
}
`

func TestList(t *testing.T) {
	tool := Tool{Run: answers{"lsblk " + fields: {Stdout: []byte(listed)}}}
	all, err := tool.List(context.Background())
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	if v := all[0]; v.Path != "/dev/vda" || v.SizeBytes != 256<<30 || len(v.Children) != 1 || v.Children[0].Mounted != "/" || !v.Rotational {
		t.Errorf("%+v", v)
	}
	if v := all[1]; !v.ReadOnly || v.Model != "QEMU HARDDISK" || v.Serial != "abc" || v.WWN != "0x5000" || v.Children != nil {
		t.Errorf("%+v", v)
	}
}

func TestDeviceErrors(t *testing.T) {
	tool := Tool{Run: answers{"lsblk /dev/none": {Exit: 32, Stderr: []byte("lsblk: /dev/none: not a block device\n")}}}
	if _, err := tool.Device(context.Background(), "/dev/none"); !errors.Is(err, ErrNoDevice) {
		t.Error(err)
	}
	for _, bad := range []string{"", "-a", "/dev", "/dev/", "/dev/a b", "/dev/../etc/passwd", "/dev/a/..", "/etc/passwd", "/dev/a;b", "/dev//a"} {
		if err := CheckPath(bad); !errors.Is(err, ErrBadPath) {
			t.Errorf("%q is let through", bad)
		}
	}
	for _, good := range []string{"/dev/sdb", "/dev/disk/by-id/nvme-eui.0025", "/dev/disk/by-path/pci-0000:00:1f.2-ata-1"} {
		if err := CheckPath(good); err != nil {
			t.Error(err)
		}
	}
}

func TestSignatures(t *testing.T) {
	tool := Tool{Run: answers{
		"wipefs /dev/empty": {Stdout: []byte("{\n   \"signatures\": [\n\n   ]\n}\n")},
		"wipefs /dev/mute":  {},
		"wipefs /dev/swap":  {Stdout: []byte(`{"signatures": [{"device": "swap", "offset": "0xff6", "type": "swap", "uuid": "e6", "label": null}, {"type": "dos"}]}`)},
		"wipefs /dev/bad":   {Exit: 1, Stderr: []byte("wipefs: error: /dev/bad: probing initialization failed: Permission denied\n")},
		"wipefs /dev/noise": {Stdout: []byte("what?")},
	}}
	for path, want := range map[string][]string{"/dev/empty": nil, "/dev/mute": nil, "/dev/swap": {"swap", "dos"}} {
		if got, err := tool.Signatures(context.Background(), path); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v %v", path, got, err)
		}
	}
	for _, path := range []string{"/dev/bad", "/dev/noise"} {
		if got, err := tool.Signatures(context.Background(), path); err == nil {
			t.Errorf("%s: %v and no error", path, got)
		}
	}
}
