package satellite

import (
	"cmp"
	"context"

	"holdfast/internal/model"
	"holdfast/internal/satellite/steps"
	"holdfast/internal/tool/drbd"
)

// settleVerify notes what became of a verify that was begun. One that is wanted and runs already was begun by a process
// before this one; one that ended while no process looked is begun again, since nobody knows whether it was broken off.
func (a *Agent) settleVerify(r *replica, k *steps.Kernel) model.VerifyProgress {
	want := r.spec.Verify
	if want == "" || !a.viewKnown || a.doubt[r.spec.Name] {
		return r.verify
	}
	switch phase, why := steps.Verifying(k, steps.DiskfulPeers(r.spec)); {
	case r.verify.ID != want && phase == model.VerifyBegun:
		r.verify = model.VerifyProgress{ID: want, State: model.VerifyBegun}
	case r.verify.ID == want && r.verify.State == model.VerifyBegun && phase == model.VerifyEnded && !r.verifyAsked:
		r.verifyAsked, a.doubt[r.spec.Name] = true, true // events may not tell what differs: the kernel is asked once more
	case r.verify.ID == want && r.verify.State == model.VerifyBegun:
		r.verify.State, r.verify.Reason, r.verifyAsked = phase, why, false
	}
	return r.verify
}

// verifyStatus is what is reported of the verify that is wanted.
func verifyStatus(r *replica, k *steps.Kernel, st model.ResourceStatus) model.VerifyProgress {
	switch want := r.spec.Verify; {
	case want == "":
		return model.VerifyProgress{}
	case r.verify.ID == want:
		return r.verify
	default:
		why := steps.MayVerify(k, steps.DiskfulPeers(r.spec))
		if why == "" && st.Phase != model.Done { // it comes after what else is to be done
			why = cmp.Or(st.Reason, "other work on the replica comes first")
		}
		return model.VerifyProgress{ID: want, Reason: why}
	}
}

// startVerify never fails as a step: a verify that can't be had is no fault of the replica. It says so of the verify.
func (x *execution) startVerify(ctx context.Context, at drbd.Target, s steps.Step) error {
	x.result.verify = model.VerifyProgress{ID: s.Label, State: model.VerifyBegun}
	k, err := x.now(ctx, s)
	why := ""
	if err == nil {
		why = steps.MayVerify(k, s.Peers)
	}
	if err == nil && why == "" {
		err = x.drbd.Verify(ctx, at)
	}
	if err != nil {
		why = reason(err)
	}
	if why != "" {
		x.result.verify.State, x.result.verify.Reason = model.VerifyBroken, why
	}
	return nil
}
