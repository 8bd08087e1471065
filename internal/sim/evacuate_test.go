package sim

import "testing"

// Emptying a node takes no more programs a resource, however many there are.
func TestEvacuate(t *testing.T) {
	few, err := Evacuate(4)
	if err != nil {
		t.Fatal(err)
	}
	many, err := Evacuate(12)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("4: %+v", few)
	t.Logf("12: %+v", many)
	if a, b := float64(few.Programs)/4, float64(many.Programs)/12; b > 1.2*a {
		t.Errorf("%.1f programs a resource of 4, %.1f of 12", a, b)
	}
}
