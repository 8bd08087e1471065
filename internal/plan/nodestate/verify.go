package nodestate

import (
	"strings"

	"holdfast/internal/model"
	"holdfast/internal/props"
	"holdfast/internal/state"
)

// verifyAlg names the digest for comparing replicas, on all of them alike, from the first verify on: before, nothing is
// told that wasn't told before. A user's own stays (linstor-features 2.7: verify-alg, the allowed list, the switch).
func verifyAlg(d *state.Definition, out map[string]map[string]string, levels ...map[string]string) {
	if d.Verify == nil || out["Net"]["verify-alg"] != "" || props.On("DrbdOptions/auto-verify-algo-disable", false, append([]map[string]string{d.Props}, levels...)...) {
		return
	}
	alg := model.VerifyAlg
	if list, ok := props.First("DrbdOptions/auto-verify-algo-allowed-user-list", levels...); ok {
		if first, _, _ := strings.Cut(list, ","); strings.TrimSpace(first) != "" {
			alg = strings.TrimSpace(first)
		}
	}
	if out["Net"] == nil {
		out["Net"] = map[string]string{}
	}
	out["Net"]["verify-alg"] = alg
}
