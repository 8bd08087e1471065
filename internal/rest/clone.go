package rest

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"holdfast/api"
	"holdfast/internal/core"
	"holdfast/internal/fault"
	"holdfast/internal/model"
	"holdfast/internal/state"
)

// cloneDefinition answers at the commit: where the clone stands is asked for at Location.
func cloneDefinition(c *call) error {
	if planned, err := c.flag(api.QueryPlan, false); err != nil || planned {
		if err == nil {
			err = badInput("the plan of a clone can't be shown; leave 'plan' away: then it is made")
		}
		return err
	}
	var in api.ResourceDefinitionCloneRequest
	if err := c.decode(&in, false); err != nil {
		return err
	}
	if len(in.VolumePassphrases) > 0 {
		return fault.New(fault.Unsupported, fault.ResourceDefinition, "Passphrases can't be given for a clone.").In("volume_passphrases").
			Because("Its volumes are encrypted as the source's are, and open with the same passphrases.").Do("Leave them away; change them when the clone is complete.")
	}
	if in.Name == "" && in.ExternalName == "" {
		return fault.New(fault.Invalid, fault.ResourceDefinition, "The clone has no name.").In("name").
			Because("Neither a name nor an external name was given.").Do("Give one.")
	}
	cmd := core.DefinitionClone{Source: c.param("rsc"), Name: in.Name, ExternalName: in.ExternalName, Group: in.ResourceGroup,
		Override: keys(in.OverrideProps), Delete: keyList(in.DeleteProps), Namespaces: keyList(in.DeleteNamespaces)}
	for _, l := range in.LayerList {
		cmd.Layers = append(cmd.Layers, model.LayerKind(l))
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), c.s.limits.Write)
	defer cancel()
	reply, err := c.s.b.Do(ctx, cmd, true)
	if err != nil {
		return err
	}
	name, _ := reply.Data.(string)
	out := api.ResourceDefinitionCloneStarted{SourceName: c.param("rsc"), CloneName: name,
		Location: "/v1/resource-definitions/" + url.PathEscape(c.param("rsc")) + "/clone/" + url.PathEscape(name)}
	for _, n := range reply.Notes {
		out.Messages = append(out.Messages, toRc(n, c.route.op, c.route.obj))
	}
	return c.json(out)
}

// cloneStatus of a definition that isn't a clone, or is one no more, is COMPLETE.
func cloneStatus(c *call) error {
	if _, err := c.definition(); err != nil {
		return err
	}
	d := c.snap.Definition(c.param("clone"))
	if d == nil || d.Deleting {
		return fault.New(fault.NotFound, fault.ResourceDefinition, "Resource definition '%s' not found.", c.param("clone")).
			Because("There is none of that name.").Do("`resource-definition list` shows what there is.").Ref(api.RefRscDfn, c.param("clone"))
	}
	out := api.ResourceDefinitionCloneStatus{Status: api.CloneComplete}
	if x := d.Cloning; x.Unmade() {
		out.Status = api.CloneRunning
		if x.State == model.CloneFailed {
			out.Status = api.CloneFailed
		}
		condition, r := cloneReason(d)
		out.Holdfast = &api.Status{Condition: condition, Reasons: []api.Reason{r}, Waiting: r.Message}
	}
	return c.json(out)
}

// cloneReason says where the clone d stands, whose data aren't whole.
func cloneReason(d *state.Definition) (condition string, reason api.Reason) {
	x := d.Cloning
	reason = api.Reason{Kind: "cloning", Since: x.SinceMS}
	switch x.State {
	case model.CloneFailed:
		reason.Kind = "clone-failed"
		reason.Message = fmt.Sprintf("It was to be a clone of '%s', which failed: %s.", x.SourceName, x.Reason)
		reason.Correction = fmt.Sprintf("Delete it (`resource-definition delete %s`), mend what the message names, then clone again.", d.Name)
		return "failed", reason
	case model.CloneTaking:
		reason.Message = fmt.Sprintf("The snapshot of '%s' that it is made from is being taken.", x.SourceName)
	default:
		whole := 0
		for i := range d.Volumes {
			if d.Volumes[i].Initialised {
				whole++
			}
		}
		reason.Message = fmt.Sprintf("It is made from a snapshot of '%s': %d of %d volumes are whole.", x.SourceName, whole, len(d.Volumes))
		for _, r := range d.Resources {
			if st := d.Seen[r.UUID]; st != nil && st.Phase != model.Done && st.Reason != "" && slices.ContainsFunc(r.Volumes, func(v model.Volume) bool { return v.From != nil }) {
				reason.Message += fmt.Sprintf(" On %s: %s.", r.Node, st.Reason)
			}
		}
	}
	return "working", reason
}
