package api

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The values of LINSTOR's own worked examples.
func TestCodesHaveLinstorsValues(t *testing.T) {
	for _, c := range []struct {
		name string
		got  Code
		want int64
	}{
		{"node created", Created.In(OpCreate, ObjNode), 20709377},
		{"node deleted", Deleted.In(OpDelete, ObjNode), 54263810},
		{"definition modified", Modified.In(OpModify, ObjRscDfn), 37224451},
		{"autoplace, not enough nodes", FailNotEnoughNodes.In(OpCreate, ObjRsc), -4611686018407201820},
		{"parse error", APICallParseError, -3458764513820540931},
		{"parse error has no context", APICallParseError.In(OpCreate, ObjRsc), -3458764513820540931},
		{"context stays", Created.In(OpCreate, ObjNode).In(OpDelete, ObjRsc), 20709377},
	} {
		if int64(c.got) != c.want {
			t.Errorf("%s: %d, want %d", c.name, c.got, c.want)
		}
	}
	if got := FailExistsNode.In(OpCreate, ObjNode).String(); got != "0xc0000000013c01f4" {
		t.Errorf("node exists: %s", got)
	}
}

func TestClass(t *testing.T) {
	for code, want := range map[Code]string{
		Created: "SUCCESS", InfoPropSet: "INFO", WarnNotFound: "WARNING", FailInUse: "ERROR",
		APICallParseError: "ERROR",
	} {
		if got := code.Class().String(); got != want {
			t.Errorf("%s: %s, want %s", code, got, want)
		}
	}
	if !FailInUse.In(OpDelete, ObjRsc).Is(FailInUse) || FailInUse.Is(FailNotConnected) {
		t.Error("Is compares type and number only")
	}
}

func TestHTTPStatus(t *testing.T) {
	for _, c := range []struct {
		rcs  []ApiCallRc
		want int
	}{
		{nil, 201},
		{[]ApiCallRc{Rc(Created, "x"), Rc(WarnNotFound, "x")}, 201},
		{[]ApiCallRc{Rc(WarnNotFound, "x"), Rc(FailNotFoundRsc, "x"), Rc(FailInUse, "x")}, http.StatusNotFound},
		{[]ApiCallRc{Rc(FailAccDeniedNode, "x")}, http.StatusForbidden},
		{[]ApiCallRc{Rc(FailSignIn, "x")}, http.StatusForbidden},
		{[]ApiCallRc{Rc(FailSignInMissingCredentials, "x")}, http.StatusUnauthorized},
		{[]ApiCallRc{Rc(FailExistsNode, "x")}, http.StatusInternalServerError},
		{[]ApiCallRc{Rc(APICallParseError, "x")}, http.StatusBadRequest},
	} {
		if got := HTTPStatus(c.rcs, 201); got != c.want {
			t.Errorf("%v: %d, want %d", c.rcs, got, c.want)
		}
	}
}

// Requests as the Python client, the Proxmox plugin and old Go clients send them.
func TestRequestsAreReadLeniently(t *testing.T) {
	var g ResourceGroup
	read(t, `{"name":"g","select_filter":{"place_count":"2","diskless_on_remaining":null,"layer_stack":["drbd","Storage"],
		"provider_list":["lvmthin","LVM_THIN"]}}`, &g)
	want := ResourceGroup{Name: "g", SelectFilter: &AutoSelectFilter{PlaceCount: NewInt(2),
		LayerStack: []LayerType{LayerDRBD, LayerStorage}, ProviderList: []ProviderKind{LVMThin, LVMThin}}}
	if d := cmp.Diff(want, g); d != "" {
		t.Error(d)
	}

	var m ResourceDefinitionModify
	read(t, `{"override_props":{"Aux/pm/vmid":100,"Aux/on":true,"Aux/none":null,"Aux/s":"x"},"drbd_peer_slots":null}`, &m)
	if d := cmp.Diff(Props{"Aux/pm/vmid": "100", "Aux/on": "true", "Aux/s": "x"}, m.OverrideProps); d != "" {
		t.Error(d)
	}
	if m.DrbdPeerSlots != nil {
		t.Error("null is absent")
	}

	var n Node
	read(t, `{"name":"a","type":"Combined","net_interfaces":[{"name":"default","address":"10.0.0.1",
		"satellite_port":"3366","satellite_encryption_type":"Plain","is_active":"True"}]}`, &n)
	if n.Type != NodeCombined || n.NetInterfaces[0].SatellitePort.Value(0) != 3366 ||
		n.NetInterfaces[0].SatelliteEncryptionType != EncryptionPlain || !n.NetInterfaces[0].IsActive.Value(false) {
		t.Errorf("%+v", n)
	}

	var rc []ResourceCreate
	read(t, `[{"resource":{"name":"r","node_name":"a","layer_object":{"drbd":{"drbd_resource_definition":{}},"luks":{},
		"storage":{},"nvme":{}},"state":{}},"layer_list":[]}]`, &rc)
	if rc[0].Resource.NodeName != "a" {
		t.Errorf("%+v", rc)
	}

	for _, bad := range []string{`{"select_filter":{"place_count":"two"}}`, `{"props":{"a":{}}}`, `{"props":[]}`,
		`{"select_filter":{"place_count":1.5}}`} {
		if err := json.Unmarshal([]byte(bad), new(ResourceGroup)); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

func TestResponsesOmitWhatIsEmpty(t *testing.T) {
	for _, c := range []struct {
		in   any
		want string
	}{
		{VolumeDefinition{VolumeNumber: NewInt(0), SizeKib: 524288, LayerData: []VolumeDefinitionLayer{
			{Type: LayerDRBD, Data: &DrbdVolumeDefinition{MinorNumber: 1000}}, {Type: LayerStorage}}},
			`{"volume_number":0,"size_kib":524288,"layer_data":[{"type":"DRBD","data":{"resource_name_suffix":"",` +
				`"volume_number":0,"minor_number":1000}},{"type":"STORAGE"}]}`},
		{Resource{Name: "r", NodeName: "a", State: &ResourceState{}, LayerObject: &ResourceLayer{Type: LayerStorage}},
			`{"name":"r","node_name":"a","layer_object":{"resource_name_suffix":"","type":"STORAGE"},"state":{}}`},
		{NodeModify{PropsModify: PropsModify{DeleteProps: []string{"Aux/x"}}}, `{"delete_props":["Aux/x"]}`},
		{Rc(FailExistsNode.In(OpCreate, ObjNode), "Node '%s' already exists.", "a"),
			`{"ret_code":-4611686018406678028,"message":"Node 'a' already exists."}`},
	} {
		got, err := json.Marshal(c.in)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, string(got)); d != "" {
			t.Error(d)
		}
	}
}

func TestLayerDataIsTyped(t *testing.T) {
	var v Volume
	read(t, `{"volume_number":0,"layer_data_list":[{"data":{"device_path":"/dev/drbd1000","usable_size_kib":4},"type":"drbd"},
		{"type":"STORAGE","data":{"volume_number":0,"device_path":"/dev/vg/x"}},{"type":"LUKS"}]}`, &v)
	want := []VolumeLayer{
		{LayerDRBD, &DrbdVolume{DevicePath: "/dev/drbd1000", UsableSizeKib: 4}},
		{LayerStorage, &StorageVolume{DevicePath: "/dev/vg/x"}},
		{LayerLUKS, nil},
	}
	if d := cmp.Diff(want, v.LayerDataList); d != "" {
		t.Error(d)
	}
}

func read(t *testing.T, s string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(s), v); err != nil {
		t.Fatal(err)
	}
}

func TestInt(t *testing.T) {
	for in, want := range map[string]Int{`2`: 2, `"2"`: 2, `" 2 "`: 2, `4096.0`: 4096, `1e5`: 100000, `-3`: -3, `null`: 0} {
		var i Int
		if err := json.Unmarshal([]byte(in), &i); err != nil || i != want {
			t.Errorf("%s: %d, %v; want %d", in, i, err, want)
		}
	}
	for _, in := range []string{`4096.5`, `"x"`, `1e300`, `"NaN"`, `"Inf"`, `true`, `""`} {
		if err := json.Unmarshal([]byte(in), new(Int)); err == nil {
			t.Errorf("%s is no integer", in)
		}
	}
}
