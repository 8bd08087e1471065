package wire

import (
	"holdfast/internal/model"
	"holdfast/internal/wire/pb"
)

func snapshotSpecOut(s *model.SnapshotSpec) *pb.SnapshotSpec {
	if s == nil {
		return nil
	}
	return &pb.SnapshotSpec{Take: s.Take, Copies: each(s.Copies, copySpecOut)}
}

func copySpecOut(c *model.CopySpec) *pb.CopySpec {
	return &pb.CopySpec{Id: u(string(c.ID)), Number: int64(c.Number), Pool: u(c.Pool), Name: u(c.Name), Of: u(string(c.Of)), Device: u(c.Device), RoomKib: c.RoomKiB}
}

func copySpecIn(p *pb.CopySpec) model.CopySpec {
	return model.CopySpec{ID: model.UUID(p.GetId()), Number: int(p.GetNumber()), Pool: p.GetPool(), Name: p.GetName(), Of: model.UUID(p.GetOf()), Device: p.GetDevice(), RoomKiB: p.GetRoomKib()}
}

func rollbackSpecOut(s *model.RollbackSpec) *pb.RollbackSpec {
	if s == nil {
		return nil
	}
	return &pb.RollbackSpec{Id: u(string(s.ID)), Go: s.Go, Copies: each(s.Copies, copySpecOut), Fill: s.Fill, Anew: s.Anew}
}

func rollbackSpecIn(p *pb.RollbackSpec) *model.RollbackSpec {
	if p == nil {
		return nil
	}
	return &model.RollbackSpec{ID: model.UUID(p.GetId()), Go: p.GetGo(), Copies: each(p.GetCopies(), deref(copySpecIn)), Fill: p.GetFill(), Anew: p.GetAnew()}
}

func rollbackOut(s model.RollbackStatus) *pb.RollbackStatus {
	if s == (model.RollbackStatus{}) {
		return nil
	}
	return &pb.RollbackStatus{Id: u(string(s.ID)), State: uint32(s.State)}
}

func rollbackIn(p *pb.RollbackStatus) model.RollbackStatus {
	s := model.RollbackStatus{ID: model.UUID(p.GetId())}
	if n := p.GetState(); n <= uint32(model.Rolled) {
		s.State = model.RolledState(n)
	}
	return s
}

func snapshotSpecIn(p *pb.SnapshotSpec) *model.SnapshotSpec {
	if p == nil {
		return nil
	}
	return &model.SnapshotSpec{Take: p.GetTake(), Copies: each(p.GetCopies(), deref(copySpecIn))}
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
