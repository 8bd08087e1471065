package controller

import (
	"context"
	"testing"
	"time"

	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/state"
	"holdfast/internal/store/memory"
)

// refused is a command that is refused so many times.
type refused struct {
	times, asked int
	passing      bool
}

func (r *refused) Apply(*state.Tx, core.Env) (core.Reply, error) {
	if r.asked++; r.asked <= r.times {
		err := fault.New(fault.InUse, fault.Resource, "It can't be deleted.").Because("It is in use.").Do("Unmount it.")
		if r.passing {
			err = err.MayPass()
		}
		return core.Reply{}, err
	}
	return core.Reply{Notes: []fault.Note{{Message: "done"}}}, nil
}

// Who unmounts and deletes at once isn't refused for what a node said before; what doesn't pass is refused all the same.
func TestPassing(t *testing.T) {
	c, _, _ := startController(t, memory.New(""), newCluster(t))
	for what, r := range map[string]*refused{"passes": {times: 2, passing: true}, "stays": {times: 1000, passing: true}, "another refusal": {times: 1000}} {
		_, err := c.Do(t.Context(), r, true)
		if fault.Is(err, fault.InUse) != (r.times > 2) {
			t.Errorf("%s: %v", what, err)
		}
		if !r.passing && r.asked != 1 || r.passing && r.asked < 3 || r.asked > int(passingFor/(passingFor/8))+2 {
			t.Errorf("%s: asked %d times", what, r.asked)
		}
	}
	gone := &refused{times: 1000, passing: true}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Do(ctx, gone, true); err == nil || gone.asked > 2 {
		t.Errorf("nobody waits any more: %v, asked %d times", err, gone.asked)
	}
}
