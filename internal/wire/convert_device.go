package wire

import (
	"holdfast/internal/model"
	"holdfast/internal/wire/pb"
)

func devicePoolSpecOut(s *model.DevicePoolSpec) *pb.DevicePoolSpec {
	return &pb.DevicePoolSpec{Id: u(string(s.ID)), Kind: u(string(s.Kind)), Group: u(s.Group), Thin: u(s.Thin), Devices: us(s.Devices)}
}

func devicePoolSpecIn(p *pb.DevicePoolSpec) model.DevicePoolSpec {
	return model.DevicePoolSpec{ID: model.UUID(p.GetId()), Kind: model.ProviderKind(p.GetKind()), Group: p.GetGroup(), Thin: p.GetThin(),
		Devices: words[string](p.GetDevices())}
}

func devicePoolOut(s *model.DevicePoolStatus) *pb.DevicePoolStatus {
	return &pb.DevicePoolStatus{Id: u(string(s.ID)), Done: s.Done, Reason: u(s.Reason)}
}

func devicePoolIn(p *pb.DevicePoolStatus) model.DevicePoolStatus {
	return model.DevicePoolStatus{ID: model.UUID(p.GetId()), Done: p.GetDone(), Reason: p.GetReason()}
}

func blockDeviceOut(d *model.BlockDevice) *pb.BlockDevice {
	return &pb.BlockDevice{Path: u(d.Path), SizeBytes: d.SizeBytes, Model: u(d.Model), Serial: u(d.Serial), Wwn: u(d.WWN), Rotational: d.Rotational}
}

func blockDeviceIn(p *pb.BlockDevice) model.BlockDevice {
	return model.BlockDevice{Path: p.GetPath(), SizeBytes: p.GetSizeBytes(), Model: p.GetModel(), Serial: p.GetSerial(), WWN: p.GetWwn(),
		Rotational: p.GetRotational()}
}
