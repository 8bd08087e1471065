package wire

import (
	"holdfast/internal/model"
	"holdfast/internal/wire/pb"
)

func fileSystemOut(s *model.FileSystemSpec) *pb.FileSystemSpec {
	if s == nil {
		return nil
	}
	return &pb.FileSystemSpec{Type: u(s.Type), Params: u(s.Params), User: u(s.User), Group: u(s.Group), Now: s.Now}
}

func fileSystemIn(p *pb.FileSystemSpec) *model.FileSystemSpec {
	if p == nil {
		return nil
	}
	return &model.FileSystemSpec{Type: p.GetType(), Params: p.GetParams(), User: p.GetUser(), Group: p.GetGroup(), Now: p.GetNow()}
}
