package rest

import (
	"holdfast/api"
	"holdfast/internal/plan/safe"
)

// safeToStop answers from memory: no node is asked.
func safeToStop(c *call) error {
	n, err := c.node()
	if err != nil {
		return err
	}
	out := api.SafeToStop{Node: n.Name, Safe: true, Losses: []api.Loss{}}
	for _, l := range safe.ToStop(c.snap, n.Name) {
		out.Losses = append(out.Losses, api.Loss{Resource: l.Definition, Volume: l.Volume, Kind: string(l.Kind), Copies: l.Copies, Message: l.Text})
		out.Safe = out.Safe && !l.Kind.Stops()
	}
	return c.json(out)
}
