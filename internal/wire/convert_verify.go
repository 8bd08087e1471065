package wire

import (
	"holdfast/internal/model"
	"holdfast/internal/wire/pb"
)

func verifyOut(v model.VerifyProgress) *pb.VerifyProgress {
	if v == (model.VerifyProgress{}) {
		return nil
	}
	return &pb.VerifyProgress{Id: u(string(v.ID)), State: uint32(v.State), Reason: u(v.Reason)}
}

func verifyIn(p *pb.VerifyProgress) model.VerifyProgress {
	v := model.VerifyProgress{ID: model.UUID(p.GetId()), Reason: p.GetReason()}
	if n := p.GetState(); n <= uint32(model.VerifyBroken) {
		v.State = model.VerifyPhase(n)
	}
	return v
}
