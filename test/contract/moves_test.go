package contract

import "testing"

// Disks that come and go, replicas that move, a node that is emptied.
func TestPythonClientMoves(t *testing.T) {
	script(t, start(t, "alpha", "bravo", "charlie"), "moves.py")
}
