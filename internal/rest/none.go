package rest

import (
	"net/http"

	"holdfast/api"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// What this release can't make, there is none of: such lists are empty, and that is the truth.

func noneOf(c *call) error { return c.list(nil) }

func noRemotes(c *call) error {
	return c.json(api.Remotes{S3Remotes: []api.Remote{}, LinstorRemotes: []api.Remote{}, EbsRemotes: []api.Remote{}})
}

func noSchedules(c *call) error { return c.json(api.Schedules{Data: []api.Schedule{}}) }

func noSchedulesOf(c *call) error {
	if _, err := c.definition(); err != nil {
		return err
	}
	return noSchedules(c)
}

func noQueues(c *call) error {
	return c.json(api.BackupQueues{NodeQueues: []api.BackupQueue{}, SnapQueues: []api.BackupQueue{}})
}

// noSuch answers that there is none of the name in the path.
func noSuch(what, param string) func(*call) error {
	return func(c *call) error {
		return fault.New(fault.NotFound, fault.NoObject, "%s '%s' not found.", what, c.param(param)).
			Because("This release of Holdfast has none.").Do("Do without.")
	}
}

// deleteNone: what is not there is as good as deleted (linstor-clients 2.1, rule 2).
func deleteNone(c *call) error {
	c.notes([]fault.Note{{Severity: fault.Warning, Kind: fault.NotFound, Message: "There is nothing to delete."}})
	return nil
}

// later answers for the routes of LINSTOR that this release doesn't have.
func later(c *call) error {
	c.rc(http.StatusNotImplemented, api.Rc(api.UnknownAPICall, "'%s %s' is not in this release of Holdfast.", c.route.method, c.r.URL.Path).
		Because("LINSTOR has it: "+c.route.doc+".").Do("Do without; nothing was changed."))
	return nil
}

// Counts for a dashboard.

func count(c *call, n int) error { return c.json(api.Stats{Count: int64(n)}) }

func countNodes(c *call) error { return count(c, c.snap.NodeCount()) }

func countDefinitions(c *call) error { return count(c, c.snap.DefinitionCount()) }

func countGroups(c *call) error {
	n := 0
	c.snap.Groups(func(*model.ResourceGroup) bool { n++; return true })
	return count(c, n)
}

func countPools(c *call) error {
	n := 0
	c.snap.Nodes(func(x *state.Node) bool { n += len(x.Pools); return true })
	return count(c, n)
}

func countReplicas(c *call) error {
	n := 0
	c.snap.Definitions(func(d *state.Definition) bool { n += len(d.Resources); return true })
	return count(c, n)
}

func countReports(c *call) error { return count(c, 0) }
