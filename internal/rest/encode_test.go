package rest

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"holdfast/api"
)

// The encoder gives what encoding/json gives, whatever is in the fields: a field that is added to the API and forgotten in
// the encoder fails here.
func TestEncoderIsEncodingJSON(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var v api.ResourceWithVolumes
		fill(rng, reflect.ValueOf(&v).Elem(), 0)
		want, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		e := new(encoder)
		if e.replica(&v); e.err != nil {
			t.Fatal(e.err)
		}
		if d := cmp.Diff(string(want), string(e.b)); d != "" {
			t.Fatal(d)
		}
	}
}

var words = []string{"", "", "a", "UpToDate", "x y", `"q"\`, "<a&b>", "ü", "\u2028", "\n", "bad\xff", "/dev/drbd1000"}

// fill puts something into every field, nothing included.
func fill(rng *rand.Rand, v reflect.Value, depth int) {
	if v.Type() == reflect.TypeFor[api.VolumeLayer]() {
		l := api.VolumeLayer{Type: "DRBD"}
		if data := []any{nil, new(api.DrbdVolume), new(api.StorageVolume), new(api.LUKSVolume)}[rng.IntN(4)]; data != nil {
			fill(rng, reflect.ValueOf(data).Elem(), depth+1)
			l.Data = data
		}
		v.Set(reflect.ValueOf(l))
		return
	}
	some := depth < 7 && rng.IntN(3) > 0
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(rng, v.Field(i), depth+1)
		}
	case reflect.Pointer:
		if some {
			v.Set(reflect.New(v.Type().Elem()))
			fill(rng, v.Elem(), depth+1)
		}
	case reflect.Slice:
		if some {
			v.Set(reflect.MakeSlice(v.Type(), rng.IntN(3), 3))
			for i := range v.Len() {
				fill(rng, v.Index(i), depth+1)
			}
		}
	case reflect.Map:
		if some {
			v.Set(reflect.MakeMap(v.Type()))
			for range rng.IntN(4) {
				key, val := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				fill(rng, key, depth+1)
				fill(rng, val, depth+1)
				v.SetMapIndex(key, val)
			}
		}
	case reflect.String:
		v.SetString(words[rng.IntN(len(words))])
	case reflect.Bool:
		v.SetBool(rng.IntN(2) == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt([]int64{0, 1, -1, 524288, -1 << 63}[rng.IntN(5)])
	case reflect.Float64:
		v.SetFloat([]float64{0, 50, 33.333, 1e-9}[rng.IntN(4)])
	default:
		panic(v.Type().String())
	}
}
