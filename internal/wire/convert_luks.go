package wire

import (
	"holdfast/internal/model"
	"holdfast/internal/wire/pb"
)

// upEncrypted is a Want that releases without LUKS don't know: they leave the resource as it is instead of writing plain
// text to a device that is to be encrypted. It is none of the model's.
const upEncrypted = 1000

func wantOut(s *model.ResourceSpec) uint32 {
	if s.Want == model.Up && s.Encrypted() {
		return upEncrypted
	}
	return uint32(s.Want)
}

func wantIn(p *pb.ResourceSpec) model.Want {
	if p.GetWant() == upEncrypted {
		return model.Up
	}
	return model.Want(small(p.GetWant()))
}

func luksOut(s *model.LUKSSpec) *pb.LUKSSpec {
	if s == nil {
		return nil
	}
	p := &pb.LUKSSpec{Gen: int64(s.Gen), Typed: s.Typed, Discards: s.Discards}
	for _, k := range s.Keys {
		p.Keys = append(p.Keys, k)
	}
	return p
}

func luksIn(p *pb.LUKSSpec) *model.LUKSSpec {
	if p == nil {
		return nil
	}
	s := &model.LUKSSpec{Gen: int(p.GetGen()), Typed: p.GetTyped(), Discards: p.GetDiscards()}
	for _, k := range p.GetKeys() {
		s.Keys = append(s.Keys, k)
	}
	return s
}

func luksStatusOut(s *model.LUKSStatus) *pb.LUKSStatus {
	if s == nil {
		return nil
	}
	return &pb.LUKSStatus{Open: s.Open, Gen: int64(s.Gen), WrongKey: s.WrongKey}
}

func luksStatusIn(p *pb.LUKSStatus) *model.LUKSStatus {
	if p == nil {
		return nil
	}
	return &model.LUKSStatus{Open: p.GetOpen(), Gen: int(p.GetGen()), WrongKey: p.GetWrongKey()}
}
