package sim

import (
	"fmt"
	"strings"
	"testing"
)

// budget is how many programs the satellites of all nodes may run for an operation, as the crash matrix plays it with thin pools
// while nobody dies. Each takes a moment, and a long one on a machine that is loaded or emulated: who adds one does so
// knowingly, by raising a number here. Looks at pools and nodes in their own time, and at syncs under way, aren't counted.
var budget = map[string][2]int{ // DRBD 8.4, 9
	"create":                       {12, 13},
	"auto-place":                   {9, 12},
	"spawn":                        {16, 18},
	"delete":                       {10, 12},
	"delete and create anew":       {10, 12},
	"delete a replica":             {8, 11},
	"add a replica":                {8, 7},
	"add a third replica":          {0, 11},
	"add a volume":                 {12, 9},
	"delete a volume":              {12, 9},
	"grow":                         {21, 21},
	"snapshot create":              {6, 19},
	"snapshot delete":              {6, 6},
	"snapshot restore":             {25, 27},
	"snapshot rollback":            {25, 21},
	"clone":                        {37, 52},
	"clone by copy":                {32, 45},
	"clone by copy and give it up": {8, 21},
	"clone by copy, without room for what is written": {14, 27},
	"clone and give it up":                            {38, 25},
	"automatic snapshots":                             {6, 19},
	"toggle to diskless":                              {0, 15},
	"toggle the user's disk away":                     {0, 15},
	"toggle to diskful":                               {0, 5},
	"toggle to diskful, and no peer answers":          {0, 12},
	"disk by itself":                                  {0, 11},
	"migrate":                                         {16, 15},
	"evacuate":                                        {16, 14},
	"make available":                                  {0, 0},
	"deactivate":                                      {3, 3},
	"change a connection":                             {6, 2},
	"change options":                                  {6, 3},
}

// leeway is what one operation may run, leewayAll what all may: another order of what happens at the same time takes a few more
// or less.
func leeway(budget int) int { return budget + 2 + budget/4 }

func leewayAll(budget int) int { return budget + budget/25 }

func TestPrograms(t *testing.T) {
	var table strings.Builder
	var sum, most [2]int
	for _, op := range operations {
		have := [2]int{}
		for i, drbd := range []int{8, 9} {
			if !op.on(drbd) {
				continue
			}
			sc := &scene{Scene: Scene{Operation: op.name, DRBD: drbd, Seed: 1}, op: op, length: map[string]int{}}
			if p := Play(sc.Seed, Config{scene: sc}); p.Failure != nil {
				t.Errorf("%s: %v", sc.Scene, p.Failure)
			}
			have[i] = sc.programs
			if _, known := budget[op.name]; !known {
				t.Errorf("%s has no budget: give it one", op.name)
				continue
			}
			if have[i] > leeway(budget[op.name][i]) {
				t.Errorf("%s with DRBD %d runs %d programs, the budget is %d", op.name, drbd, have[i], budget[op.name][i])
			}
			sum[i], most[i] = sum[i]+have[i], most[i]+budget[op.name][i]
		}
		fmt.Fprintf(&table, "\t%q: {%d, %d},\n", op.name, have[0], have[1])
	}
	for i, drbd := range []int{8, 9} {
		if sum[i] > leewayAll(most[i]) {
			t.Errorf("all operations with DRBD %d run %d programs, the budget is %d", drbd, sum[i], most[i])
		}
	}
	t.Logf("they run:\n%s", table.String())
}
