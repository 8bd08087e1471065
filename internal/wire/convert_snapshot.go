package wire

import (
	"holdfast/internal/model"
	"holdfast/internal/wire/pb"
)

func snapshotSpecOut(s *model.SnapshotSpec) *pb.SnapshotSpec {
	if s == nil {
		return nil
	}
	return &pb.SnapshotSpec{Take: s.Take, Copies: each(s.Copies, func(c *model.CopySpec) *pb.CopySpec {
		return &pb.CopySpec{Id: u(string(c.ID)), Number: int64(c.Number), Pool: u(c.Pool), Name: u(c.Name), Of: u(string(c.Of)), Device: u(c.Device)}
	})}
}

func snapshotSpecIn(p *pb.SnapshotSpec) *model.SnapshotSpec {
	if p == nil {
		return nil
	}
	return &model.SnapshotSpec{Take: p.GetTake(), Copies: each(p.GetCopies(), func(c **pb.CopySpec) model.CopySpec {
		return model.CopySpec{ID: model.UUID((*c).GetId()), Number: int((*c).GetNumber()), Pool: (*c).GetPool(), Name: (*c).GetName(),
			Of: model.UUID((*c).GetOf()), Device: (*c).GetDevice()}
	})}
}

func sourceOut(s *model.Source) *pb.Source {
	if s == nil {
		return nil
	}
	return &pb.Source{Snapshot: u(string(s.Snapshot)), Label: u(string(s.Label)), Device: u(s.Device)}
}

func sourceIn(p *pb.Source) *model.Source {
	if p == nil {
		return nil
	}
	return &model.Source{Snapshot: model.UUID(p.GetSnapshot()), Label: model.UUID(p.GetLabel()), Device: p.GetDevice()}
}

func quietOut(q model.QuietStatus) *pb.QuietStatus {
	if q == (model.QuietStatus{}) {
		return nil
	}
	return &pb.QuietStatus{Lease: u(string(q.Lease)), State: uint32(q.State), Reason: u(q.Reason)}
}

func quietIn(p *pb.QuietStatus) model.QuietStatus {
	q := model.QuietStatus{Lease: model.UUID(p.GetLease()), Reason: p.GetReason()}
	if n := p.GetState(); n <= uint32(model.QuietLapsed) {
		q.State = model.QuietState(n)
	}
	return q
}
