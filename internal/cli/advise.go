package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/api"
	"holdfast/client"
	"holdfast/internal/cli/ui"
)

// issue is something that could be better, with a command that would mend it.
type issue struct {
	Resource string `json:"resource"`
	What     string `json:"what"`
	Fix      string `json:"fix"`
	kind     string
}

// issueKinds are LINSTOR's words for --filter.
var issueKinds = []string{"single-replica", "pot-split-brain", "diskless-in-use", "too-few-replicas", "too-many-replicas", "no-tiebreaker"}

// advice is what the checks look at, by lower-case name of the definition.
type advice struct {
	prog   string
	defs   []api.ResourceDefinition
	groups map[string]api.ResourceGroup
	on     map[string][]api.ResourceWithVolumes
	pools  []api.StoragePool
}

func (a *App) advice(ctx context.Context, c *client.Client, rscs []string) (*advice, error) {
	w := &advice{prog: a.cfg.Prog, groups: map[string]api.ResourceGroup{}, on: map[string][]api.ResourceWithVolumes{}}
	groups, err := c.ResourceGroups(ctx, client.Filter{})
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		w.groups[strings.ToLower(g.Name)] = g
	}
	if w.defs, err = c.ResourceDefinitions(ctx, client.Filter{ResourceDefinitions: rscs}); err != nil {
		return nil, err
	}
	all, err := c.ResourceView(ctx, client.Filter{Resources: rscs})
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		if !api.HasFlag(r.Flags, api.FlagDelete) {
			k := strings.ToLower(r.Name)
			w.on[k] = append(w.on[k], r)
		}
	}
	w.pools, err = c.StoragePools(ctx, client.Filter{})
	return w, err
}

// diskful and diskless replicas of a definition.
func (w *advice) replicas(name string) (full, less []api.ResourceWithVolumes) {
	for _, r := range w.on[strings.ToLower(name)] {
		if api.HasFlag(r.Flags, api.FlagDiskless) {
			less = append(less, r)
		} else {
			full = append(full, r)
		}
	}
	return full, less
}

func used(r api.ResourceWithVolumes) bool {
	return r.State != nil && r.State.InUse != nil && *r.State.InUse
}

// resource checks one definition as it is.
func (w *advice) resource(d api.ResourceDefinition) (out []issue) {
	full, less := w.replicas(d.Name)
	f := &api.AutoSelectFilter{}
	if g, ok := w.groups[strings.ToLower(d.ResourceGroupName)]; ok && g.SelectFilter != nil {
		f = g.SelectFilter
	}
	for _, r := range less {
		if used(r) && w.poolOn(r.NodeName, f.StoragePoolList) {
			out = append(out, issue{d.Name, "It is used on " + r.NodeName + " without a disk there, though that node has a storage pool for it.",
				fmt.Sprintf("%s resource toggle-disk %s %s", w.prog, r.NodeName, d.Name), "diskless-in-use"})
		}
	}
	want := int(f.PlaceCount.Value(2))
	place := fmt.Sprintf("%s resource-definition auto-place --place-count %d %s", w.prog, want, d.Name)
	switch {
	case len(full) < want:
		out = append(out, issue{d.Name, fmt.Sprintf("It has %d of the %d replicas that its resource group asks for.", len(full), want), place, "too-few-replicas"})
	case len(full) > want:
		var spare []string
		for _, r := range full {
			good := len(r.Volumes) > 0
			for _, v := range r.Volumes {
				good = good && v.State != nil && v.State.DiskState == "UpToDate"
			}
			if good && !used(r) && len(spare) < len(full)-want {
				spare = append(spare, r.NodeName)
			}
		}
		fix := "wait until the replicas are UpToDate and unused"
		if len(spare) > 0 {
			fix = fmt.Sprintf("%s resource delete %s %s", w.prog, strings.Join(spare, " "), d.Name)
		}
		out = append(out, issue{d.Name, fmt.Sprintf("It has %d replicas, its resource group asks for %d.", len(full), want), fix, "too-many-replicas"})
	}
	if len(full) == 2 && len(less) == 0 && w.nodesWithPools() > 2 {
		out = append(out, issue{d.Name, "Two replicas and no third vote: where the two lose each other neither has a majority.", w.tie(d.Name), "no-tiebreaker"})
	}
	return out
}

func (w *advice) tie(name string) string {
	return fmt.Sprintf("%s resource-definition auto-place --drbd-diskless --place-count 1 %s", w.prog, name)
}

// maintenance checks what becomes of one definition while that node is away.
func (w *advice) maintenance(node string, d api.ResourceDefinition) []issue {
	full, less := w.replicas(d.Name)
	on := func(list []api.ResourceWithVolumes) bool {
		return slices.ContainsFunc(list, func(r api.ResourceWithVolumes) bool { return strings.EqualFold(r.NodeName, node) })
	}
	switch {
	case !on(full) && !on(less):
	case on(full) && len(full) == 1:
		return []issue{{d.Name, "Its only replica is on " + node + ": it can't be used meanwhile.",
			fmt.Sprintf("%s resource-definition auto-place --place-count 2 %s", w.prog, d.Name), "single-replica"}}
	case len(full)+len(less) < 3:
		return []issue{{d.Name, "One of its two replicas is on " + node + " and there is no third vote: the two may part ways.", w.tie(d.Name), "pot-split-brain"}}
	}
	return nil
}

// poolOn tells whether the node has one of those pools with disks; any, if none are named.
func (w *advice) poolOn(node string, names []string) bool {
	return slices.ContainsFunc(w.pools, func(p api.StoragePool) bool {
		return p.ProviderKind != api.Diskless && strings.EqualFold(p.NodeName, node) &&
			(len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, p.StoragePoolName) }))
	})
}

func (w *advice) nodesWithPools() int {
	nodes := map[string]bool{}
	for _, p := range w.pools {
		nodes[strings.ToLower(p.NodeName)] = true
	}
	return len(nodes)
}

func newAdvise(a *App) *cobra.Command {
	return group("advise", "adv", "What could be better, and how",
		newAdviseCommand(a, "resource", "r", "Point out what could be better about the resources", 0, func(w *advice, _ []string, d api.ResourceDefinition) []issue {
			return w.resource(d)
		}),
		newAdviseCommand(a, "maintenance NODE", "m", "Point out what would suffer while a node is away", 1, func(w *advice, args []string, d api.ResourceDefinition) []issue {
			return w.maintenance(args[0], d)
		}))
}

var adviseColumns = []ui.Column{{Name: "Resource"}, {Name: "Issue"}, {Name: "Possible fix"}}

func newAdviseCommand(a *App, use, alias, short string, args int, check func(*advice, []string, api.ResourceDefinition) []issue) *cobra.Command {
	var kinds, rscs []string
	pastable := false
	cmd := takes(&cobra.Command{
		Use:     use,
		Aliases: []string{alias},
		Short:   short,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, k := range kinds {
				if !contains(issueKinds, k) {
					return usagef(cmd, "--filter: %q is not one of %s", k, strings.Join(issueKinds, ", "))
				}
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			w, err := a.advice(cmd.Context(), c, rscs)
			if err != nil {
				return a.failed(err)
			}
			found := []issue{}
			for _, d := range w.defs {
				if api.HasFlag(d.Flags, api.FlagDelete) {
					continue
				}
				for _, i := range check(w, args, d) {
					if len(kinds) == 0 || contains(kinds, i.kind) {
						found = append(found, i)
					}
				}
			}
			if a.opt.machine {
				return a.jsonLine(found)
			}
			t := &ui.Table{Columns: adviseColumns}
			for _, i := range found {
				t.Add(ui.Texts(i.Resource, i.What, i.Fix)...)
			}
			return t.Write(a.out(), a.styleFor(pastable))
		},
	}, args, args)
	cmd.Flags().BoolVarP(&pastable, "pastable", "p", false, "plain characters, no colours")
	manyVar(cmd, &kinds, "filter", "f", "only these kinds: "+strings.Join(issueKinds, ", "))
	manyVar(cmd, &rscs, "resources", "r", "only these resources")
	return cmd
}
