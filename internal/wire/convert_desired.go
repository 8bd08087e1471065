package wire

import (
	"holdfast/internal/model"
	"holdfast/internal/wire/pb"
)

func desiredOut(m Desired) *pb.Desired {
	return &pb.Desired{Order: orderOut(m.Order), Seq: m.Seq, Full: m.Full, Pools: each(m.Pools, poolSpecOut),
		PoolsSet: m.PoolsSet, Resources: each(m.Resources, resourceSpecOut), Dropped: us(m.Dropped), Rescan: m.Rescan,
		DevicePools: each(m.DevicePools, devicePoolSpecOut)}
}

func desiredIn(p *pb.Desired) Desired {
	return Desired{Order: orderIn(p.GetOrder()), Seq: p.GetSeq(), Full: p.GetFull(),
		Pools: each(p.GetPools(), deref(poolSpecIn)), PoolsSet: p.GetPoolsSet(),
		Resources: each(p.GetResources(), deref(resourceSpecIn)), Dropped: words[model.UUID](p.GetDropped()),
		Rescan: p.GetRescan(), DevicePools: each(p.GetDevicePools(), deref(devicePoolSpecIn))}
}

func poolSpecOut(s *model.PoolSpec) *pb.PoolSpec {
	return &pb.PoolSpec{Uuid: u(string(s.UUID)), Name: u(s.Name), Kind: u(string(s.Kind)), Backing: u(s.Backing)}
}

func poolSpecIn(p *pb.PoolSpec) model.PoolSpec {
	return model.PoolSpec{UUID: model.UUID(p.GetUuid()), Name: p.GetName(), Kind: model.ProviderKind(p.GetKind()),
		Backing: p.GetBacking()}
}

func resourceSpecOut(s *model.ResourceSpec) *pb.ResourceSpec {
	p := &pb.ResourceSpec{Definition: u(string(s.Definition)), Name: u(s.Name), Id: u(string(s.ID)),
		Generation: s.Generation, Want: wantOut(s), Diskless: s.Diskless, WholeDefinition: s.WholeDefinition,
		LastUnused: s.LastUnused, Lose: s.Lose, HeldBy: u(string(s.HeldBy)), Volumes: each(s.Volumes, volumeSpecOut),
		Quiet: u(string(s.Quiet)), Unheld: s.Unheld, Snapshot: snapshotSpecOut(s.Snapshot),
		Rollback: rollbackSpecOut(s.Rollback),
		Client:   s.Client, DropDisk: s.DropDisk, Hold: s.Hold, Down: s.Down, Verify: u(string(s.Verify))}
	if d := s.DRBD; d != nil {
		p.Drbd = &pb.DRBDSpec{Generation: int64(d.Generation), Secret: u(d.Secret), PeerSlots: int64(d.PeerSlots),
			NodeId: int64(d.NodeID), Address: u(d.Address), Port: int64(d.Port), Options: optionsOut(d.Options),
			Peers: each(d.Peers, peerSpecOut), Forget: ints(d.Forget), Others: us(d.Others)}
	}
	return p
}

func resourceSpecIn(p *pb.ResourceSpec) model.ResourceSpec {
	s := model.ResourceSpec{Definition: model.UUID(p.GetDefinition()), Name: p.GetName(), ID: model.UUID(p.GetId()),
		Generation: p.GetGeneration(), Want: wantIn(p), Diskless: p.GetDiskless(),
		WholeDefinition: p.GetWholeDefinition(), LastUnused: p.GetLastUnused(), Lose: p.GetLose(), HeldBy: model.UUID(p.GetHeldBy()),
		Volumes: each(p.GetVolumes(), deref(volumeSpecIn)), Quiet: model.UUID(p.GetQuiet()), Unheld: p.GetUnheld(), Snapshot: snapshotSpecIn(p.GetSnapshot()),
		Rollback: rollbackSpecIn(p.GetRollback()),
		Client:   p.GetClient(), DropDisk: p.GetDropDisk(), Hold: p.GetHold(), Down: p.GetDown(), Verify: model.UUID(p.GetVerify())}
	if d := p.GetDrbd(); d != nil {
		s.DRBD = &model.DRBDSpec{Generation: model.DRBDGeneration(d.GetGeneration()), Secret: d.GetSecret(),
			PeerSlots: int(d.GetPeerSlots()), NodeID: int(d.GetNodeId()), Address: d.GetAddress(), Port: int(d.GetPort()),
			Options: optionsIn(d.GetOptions()), Peers: each(d.GetPeers(), deref(peerSpecIn)), Forget: intsIn(d.GetForget()), Others: words[model.UUID](d.GetOthers())}
	}
	return s
}

func peerSpecOut(s *model.PeerSpec) *pb.PeerSpec {
	return &pb.PeerSpec{Node: u(s.Node), Id: u(string(s.ID)), NodeId: int64(s.NodeID), Address: u(s.Address),
		Port: int64(s.Port), Diskless: s.Diskless, Stays: s.Stays, Options: optionsOut(s.Options),
		Paths: each(s.Paths, func(p *model.PathSpec) *pb.PathSpec { return &pb.PathSpec{Local: u(p.Local), Peer: u(p.Peer)} })}
}

func peerSpecIn(p *pb.PeerSpec) model.PeerSpec {
	return model.PeerSpec{Node: p.GetNode(), ID: model.UUID(p.GetId()), NodeID: int(p.GetNodeId()),
		Address: p.GetAddress(), Port: int(p.GetPort()), Diskless: p.GetDiskless(), Stays: p.GetStays(), Options: optionsIn(p.GetOptions()),
		Paths: each(p.GetPaths(), func(p **pb.PathSpec) model.PathSpec {
			return model.PathSpec{Local: (*p).GetLocal(), Peer: (*p).GetPeer()}
		})}
}

func volumeSpecOut(s *model.VolumeSpec) *pb.VolumeSpec {
	return &pb.VolumeSpec{Id: u(string(s.ID)), Number: int64(s.Number), Minor: int64(s.Minor), SizeKib: s.SizeKiB,
		BackingKib: s.BackingKiB, Pool: u(s.Pool), Backing: u(s.Backing), Want: uint32(s.Want),
		Initialised: s.Initialised, Seed: uint32(s.Seed), Options: optionsOut(s.Options), From: sourceOut(s.From),
		GrowKib: s.GrowKiB, Resize: s.Resize, GrowAlone: s.GrowAlone, Luks: luksOut(s.LUKS), FileSystem: fileSystemOut(s.FileSystem), Throttle: throttleOut(s.Throttle)}
}

func volumeSpecIn(p *pb.VolumeSpec) model.VolumeSpec {
	s := model.VolumeSpec{ID: model.UUID(p.GetId()), Number: int(p.GetNumber()), Minor: int(p.GetMinor()),
		SizeKiB: p.GetSizeKib(), BackingKiB: p.GetBackingKib(), Pool: p.GetPool(), Backing: p.GetBacking(),
		Want: model.Want(small(p.GetWant())), Initialised: p.GetInitialised(), Options: optionsIn(p.GetOptions()), From: sourceIn(p.GetFrom()),
		GrowKiB: p.GetGrowKib(), Resize: p.GetResize(), GrowAlone: p.GetGrowAlone(), LUKS: luksIn(p.GetLuks()), FileSystem: fileSystemIn(p.GetFileSystem()), Throttle: throttleIn(p.GetThrottle())}
	if n := p.GetSeed(); n <= uint32(model.SeedSkip) {
		s.Seed = model.Seed(n)
	}
	return s
}

func optionsOut(o map[string]map[string]string) map[string]*pb.Section {
	if len(o) == 0 {
		return nil
	}
	out := make(map[string]*pb.Section, len(o))
	for name, sec := range o {
		s := &pb.Section{Options: make(map[string]string, len(sec))}
		for k, v := range sec {
			s.Options[u(k)] = u(v)
		}
		out[u(name)] = s
	}
	return out
}

func optionsIn(p map[string]*pb.Section) map[string]map[string]string {
	if len(p) == 0 {
		return nil
	}
	out := make(map[string]map[string]string, len(p))
	for name, sec := range p {
		out[name] = sec.GetOptions()
	}
	return out
}
