package drbd

import "testing"

func TestPlace(t *testing.T) {
	// As drbd-utils 9.22 wrote it in the lab.
	p, ok := ParsePlace([]byte("146800640\t/dev/vg/r0\n"))
	if !ok || p != (Place{143360, "/dev/vg/r0"}) {
		t.Errorf("%+v %v", p, ok)
	}
	if got := string(p.Text()); got != "146800640\t/dev/vg/r0\n" {
		t.Errorf("%q", got)
	}
	if PlaceFile(1000) != "/var/lib/drbd/drbd-minor-1000.lkbd" {
		t.Error(PlaceFile(1000))
	}
	for _, bad := range []string{"", "\n", "x\t/dev/vg/r0\n", "0\t/dev/a\n", "-1024\t/dev/a\n", "1000\t/dev/a\n"} {
		if p, ok := ParsePlace([]byte(bad)); ok {
			t.Errorf("%q: %+v", bad, p)
		}
	}
}
