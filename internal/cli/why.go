package cli

import (
	"fmt"
	"strings"

	"holdfast/api"
	"holdfast/internal/cli/ui"
)

// reason is why an object isn't as desired.
type reason struct {
	object string
	api.Reason
}

// why prints reasons below a table, on standard error: scripts read the table alone.
func (a *App) why(list []reason) error {
	if len(list) == 0 {
		return nil
	}
	style := a.style
	style.Color = style.Color && a.cfg.Streams.ErrTTY
	var b strings.Builder
	for _, r := range list {
		since := ""
		if r.Since > 0 {
			if d := a.cfg.Now().UnixMilli() - r.Since; d > 0 {
				since = " (for " + ui.FormatDuration(msDuration(d)) + ")"
			}
		}
		fmt.Fprintf(&b, "%s %s%s\n", style.Paint(r.object+":", ui.Yellow), oneLine(r.Message), since)
		for _, more := range []string{r.Cause, r.Correction} {
			if more != "" {
				fmt.Fprintf(&b, "    %s\n", oneLine(more))
			}
		}
	}
	_, err := a.cfg.Streams.Err.Write([]byte(b.String()))
	return err
}

func oneLine(s string) string { return ui.Fit(s, 1000) }

// statusReasons lists what a status says. A status that only waits gives its waiting line.
func statusReasons(object string, s *api.Status) []reason {
	if s == nil {
		return nil
	}
	var out []reason
	for _, r := range s.Reasons {
		if r.Since == 0 {
			r.Since = s.Since
		}
		out = append(out, reason{object, r})
	}
	if len(out) == 0 && s.Waiting != "" {
		out = append(out, reason{object, api.Reason{Message: s.Waiting, Since: s.Since}})
	}
	return out
}

func nodeReasons(nodes []api.Node) []reason {
	var out []reason
	for _, n := range nodes {
		if n.Holdfast != nil {
			out = append(out, statusReasons("node "+n.Name, &n.Holdfast.Status)...)
		}
	}
	return out
}

func poolReasons(pools []api.StoragePool) []reason {
	var out []reason
	for _, p := range pools {
		out = append(out, statusReasons("storage pool "+p.StoragePoolName+" on "+p.NodeName, p.Holdfast)...)
	}
	return out
}

func definitionReasons(dfns []api.ResourceDefinition) []reason {
	var out []reason
	for _, d := range dfns {
		out = append(out, statusReasons("resource "+d.Name, d.Holdfast)...)
	}
	return out
}

func resourceReasons(rscs []api.ResourceWithVolumes) []reason {
	var out []reason
	for _, r := range rscs {
		name := "resource " + r.Name + " on " + r.NodeName
		out = append(out, statusReasons(name, r.Holdfast)...)
		for _, v := range r.Volumes {
			out = append(out, statusReasons(fmt.Sprintf("volume %d of %s", v.VolumeNumber, name), v.Holdfast)...)
		}
	}
	return out
}
