package wire

import (
	"holdfast/internal/model"
	"holdfast/internal/wire/pb"
)

func throttleOut(s *model.Throttle) *pb.Throttle {
	if s == nil {
		return nil
	}
	return &pb.Throttle{ReadBytes: s.ReadBytes, WriteBytes: s.WriteBytes, ReadOps: s.ReadOps, WriteOps: s.WriteOps}
}

func throttleIn(p *pb.Throttle) *model.Throttle {
	if p == nil {
		return nil
	}
	return &model.Throttle{ReadBytes: p.GetReadBytes(), WriteBytes: p.GetWriteBytes(), ReadOps: p.GetReadOps(), WriteOps: p.GetWriteOps()}
}
