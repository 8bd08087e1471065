package controller

import (
	"fmt"
	"reflect"
	"testing"

	"holdfast/internal/model"
)

// Every field of a spec must count: one that doesn't would never be told to a node.
func TestSumCountsEveryField(t *testing.T) {
	fill := func() *model.ResourceSpec {
		var r model.ResourceSpec
		grow(reflect.ValueOf(&r).Elem())
		return &r
	}
	base := sumSpec(fill())
	if base != sumSpec(fill()) {
		t.Fatal("equal specs differ")
	}
	n := 0
	for i := 0; ; i++ {
		r := fill()
		left := i
		path := alter(reflect.ValueOf(r).Elem(), "spec", &left)
		if path == "" {
			break
		}
		n++
		if sumSpec(r) == base {
			t.Errorf("%s doesn't count", path)
		}
	}
	if n < 34 {
		t.Fatalf("only %d fields walked", n)
	}
	p := []model.PoolSpec{{UUID: "u", Name: "n", Kind: "k", Backing: "b"}}
	pools := sumPools(p, nil)
	for i := range 4 {
		q := []model.PoolSpec{p[0]}
		left := i
		alter(reflect.ValueOf(&q[0]).Elem(), "pool", &left)
		if sumPools(q, nil) == pools {
			t.Errorf("pool field %d doesn't count", i)
		}
	}
	d := []model.DevicePoolSpec{{ID: "i", Kind: "k", Group: "g", Thin: "t", Devices: []string{"d"}}}
	pools = sumPools(nil, d)
	for i := range 5 {
		q := []model.DevicePoolSpec{d[0]}
		q[0].Devices = []string{"d"}
		left := i
		alter(reflect.ValueOf(&q[0]).Elem(), "device pool", &left)
		if sumPools(nil, q) == pools {
			t.Errorf("device pool field %d doesn't count", i)
		}
	}
}

// grow makes every pointer, slice and map hold one value.
func grow(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			grow(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		grow(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		grow(v.Index(0))
	case reflect.Map:
		e := reflect.New(v.Type().Elem()).Elem()
		grow(e)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key").Convert(v.Type().Key()), e)
	}
}

// alter changes the leaf that *left counts down to and says where it is.
func alter(v reflect.Value, path string, left *int) string {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if p := alter(v.Field(i), path+"."+v.Type().Field(i).Name, left); p != "" {
				return p
			}
		}
		return ""
	case reflect.Pointer:
		return alter(v.Elem(), path, left)
	case reflect.Slice:
		return alter(v.Index(0), path+"[0]", left)
	case reflect.Map:
		for _, k := range v.MapKeys() {
			e := reflect.New(v.Type().Elem()).Elem()
			e.Set(v.MapIndex(k))
			p := alter(e, fmt.Sprintf("%s[%v]", path, k), left)
			if p != "" {
				v.SetMapIndex(k, e)
				return p
			}
		}
		return ""
	}
	if *left > 0 {
		*left--
		return ""
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(v.Uint() + 1)
	default:
		panic("walk " + path + ": " + v.Kind().String())
	}
	return path
}
