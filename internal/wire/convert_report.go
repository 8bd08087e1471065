package wire

import (
	"holdfast/internal/model"
	"holdfast/internal/wire/pb"
)

func reportOut(m Report) *pb.Report {
	p := &pb.Report{AckSeq: m.AckSeq, Full: m.Full, Resources: each(m.Resources, statusOut), Forgotten: us(m.Forgotten)}
	if m.Node != nil {
		p.Node = nodeOut(m.Node)
	}
	return p
}

func reportIn(p *pb.Report) Report {
	m := Report{AckSeq: p.GetAckSeq(), Full: p.GetFull(), Resources: each(p.GetResources(), deref(statusIn)),
		Forgotten: words[model.UUID](p.GetForgotten())}
	if p.GetNode() != nil {
		n := nodeIn(p.GetNode())
		m.Node = &n
	}
	return m
}

func nodeOut(n *model.NodeReport) *pb.NodeReport {
	p := &pb.NodeReport{Uname: u(n.Uname), BootId: u(n.BootID), Version: u(n.Version), Kernel: u(n.Kernel),
		Drbd: int64(n.DRBD), DrbdVersion: u(n.DRBDVersion), UtilsVersion: u(n.UtilsVersion), Providers: us(n.Providers),
		Layers: us(n.Layers), Snapshots: us(n.Snapshots), Unheld: n.Unheld, Pools: each(n.Pools, poolOut),
		Orphans: each(n.Orphans, func(o *model.Orphan) *pb.Orphan {
			return &pb.Orphan{Id: u(string(o.ID)), Pool: u(o.Pool), Name: u(o.Name)}
		}),
		Hung: each(n.Hung, func(h *model.HungProgram) *pb.HungProgram {
			return &pb.HungProgram{Pid: int64(h.Pid), Argv: us(h.Argv), SinceMs: h.SinceMS, Pool: u(h.Pool)}
		})}
	p.Copies = us(n.Copies)
	p.Devices, p.Makes, p.DevicePools = each(n.Devices, blockDeviceOut), us(n.Makes), each(n.DevicePools, devicePoolOut)
	if len(n.Unsupported) > 0 {
		p.Unsupported = make(map[string]*pb.Words, len(n.Unsupported))
		for k, why := range n.Unsupported {
			p.Unsupported[u(k)] = &pb.Words{Words: us(why)}
		}
	}
	return p
}

func nodeIn(p *pb.NodeReport) model.NodeReport {
	n := model.NodeReport{Uname: p.GetUname(), BootID: p.GetBootId(), Version: p.GetVersion(), Kernel: p.GetKernel(),
		DRBD: model.DRBDGeneration(p.GetDrbd()), DRBDVersion: p.GetDrbdVersion(), UtilsVersion: p.GetUtilsVersion(),
		Providers: words[model.ProviderKind](p.GetProviders()), Layers: words[model.LayerKind](p.GetLayers()),
		Pools: each(p.GetPools(), deref(poolIn)), Snapshots: words[model.ProviderKind](p.GetSnapshots()), Unheld: p.GetUnheld(),
		Orphans: each(p.GetOrphans(), func(o **pb.Orphan) model.Orphan {
			return model.Orphan{ID: model.UUID((*o).GetId()), Pool: (*o).GetPool(), Name: (*o).GetName()}
		}),
		Hung: each(p.GetHung(), func(h **pb.HungProgram) model.HungProgram {
			return model.HungProgram{Pid: int((*h).GetPid()), Argv: (*h).GetArgv(), SinceMS: (*h).GetSinceMs(), Pool: (*h).GetPool()}
		})}
	n.Devices, n.DevicePools = each(p.GetDevices(), deref(blockDeviceIn)), each(p.GetDevicePools(), deref(devicePoolIn))
	n.Makes, n.Copies = words[model.ProviderKind](p.GetMakes()), words[model.ProviderKind](p.GetCopies())
	if len(p.GetUnsupported()) > 0 {
		n.Unsupported = make(map[string][]string, len(p.GetUnsupported()))
		for k, why := range p.GetUnsupported() {
			n.Unsupported[k] = why.GetWords()
		}
	}
	return n
}

func poolOut(s *model.PoolStatus) *pb.PoolStatus {
	return &pb.PoolStatus{Uuid: u(string(s.UUID)), Name: u(s.Name), FreeKib: s.FreeKiB, TotalKib: s.TotalKiB,
		SeenMs: s.SeenMS, Reason: u(s.Reason), Volumes: us(s.Volumes), MetaPercent: s.MetaPercent, Zeroes: s.Zeroes, Trouble: u(s.Trouble),
		NoSnapshots: u(s.NoSnapshots)}
}

func poolIn(p *pb.PoolStatus) model.PoolStatus {
	return model.PoolStatus{UUID: model.UUID(p.GetUuid()), Name: p.GetName(), FreeKiB: p.GetFreeKib(),
		TotalKiB: p.GetTotalKib(), SeenMS: p.GetSeenMs(), Reason: p.GetReason(), Volumes: words[model.UUID](p.GetVolumes()),
		MetaPercent: p.GetMetaPercent(), Zeroes: p.GetZeroes(), Trouble: p.GetTrouble(), NoSnapshots: p.GetNoSnapshots()}
}

func statusOut(s *model.ResourceStatus) *pb.ResourceStatus {
	return &pb.ResourceStatus{Definition: u(string(s.Definition)), Name: u(s.Name), Id: u(string(s.ID)),
		Generation: s.Generation, Phase: uint32(s.Phase), Reason: u(s.Reason), SinceMs: s.SinceMS, Gone: s.Gone,
		InUse: s.InUse, Suspended: s.Suspended, MayPromote: s.MayPromote, PromotionScore: int64(s.PromotionScore), MetPeer: s.MetPeer, Within: u(string(s.Within)),
		Forgotten: ints(s.Forgotten), Volumes: each(s.Volumes, volumeOut), Peers: each(s.Peers, peerOut),
		Quiet: quietOut(s.Quiet), Rollback: rollbackOut(s.Rollback), Verify: verifyOut(s.Verify), Broken: s.Broken}
}

func statusIn(p *pb.ResourceStatus) model.ResourceStatus {
	s := model.ResourceStatus{Definition: model.UUID(p.GetDefinition()), Name: p.GetName(), ID: model.UUID(p.GetId()),
		Generation: p.GetGeneration(), Reason: p.GetReason(), SinceMS: p.GetSinceMs(), Gone: p.GetGone(),
		InUse: p.GetInUse(), Suspended: p.GetSuspended(), MayPromote: p.GetMayPromote(), PromotionScore: int(p.GetPromotionScore()), MetPeer: p.GetMetPeer(), Within: model.UUID(p.GetWithin()),
		Forgotten: intsIn(p.GetForgotten()), Volumes: each(p.GetVolumes(), deref(volumeIn)),
		Peers: each(p.GetPeers(), deref(peerIn)), Broken: p.GetBroken(), Quiet: quietIn(p.GetQuiet()),
		Rollback: rollbackIn(p.GetRollback()), Verify: verifyIn(p.GetVerify())}
	if n := p.GetPhase(); n <= uint32(model.Blocked) {
		s.Phase = model.Phase(n)
	}
	return s
}

func volumeOut(s *model.VolumeStatus) *pb.VolumeStatus {
	return &pb.VolumeStatus{Id: u(string(s.ID)), Number: int64(s.Number), Device: u(s.Device), Backing: u(s.Backing),
		Disk: u(s.Disk), AllocKib: s.AllocKiB, UsableKib: s.UsableKiB, MdReady: s.MDReady, HasQuorum: s.HasQuorum, NoDisk: s.NoDisk, BackingKib: s.BackingKiB,
		Luks: luksStatusOut(s.LUKS), FileSystem: s.FileSystem, NotThrottled: u(s.NotThrottled)}
}

func volumeIn(p *pb.VolumeStatus) model.VolumeStatus {
	return model.VolumeStatus{ID: model.UUID(p.GetId()), Number: int(p.GetNumber()), Device: p.GetDevice(),
		Backing: p.GetBacking(), Disk: word(p.GetDisk()), AllocKiB: p.GetAllocKib(), UsableKiB: p.GetUsableKib(),
		MDReady: p.GetMdReady(), HasQuorum: p.GetHasQuorum(), NoDisk: p.GetNoDisk(), BackingKiB: p.GetBackingKib(),
		LUKS: luksStatusIn(p.GetLuks()), FileSystem: p.GetFileSystem(), NotThrottled: p.GetNotThrottled()}
}

func peerOut(s *model.PeerStatus) *pb.PeerStatus {
	return &pb.PeerStatus{Node: u(s.Node), NodeId: int64(s.NodeID), State: u(s.State), Role: u(s.Role),
		Volumes: each(s.Volumes, func(v *model.PeerVolumeStatus) *pb.PeerVolumeStatus {
			return &pb.PeerVolumeStatus{Number: int64(v.Number), Replication: u(v.Replication), PeerDisk: u(v.PeerDisk),
				OutOfSyncKib: v.OutOfSyncKiB, DonePercent: v.DonePercent}
		})}
}

func peerIn(p *pb.PeerStatus) model.PeerStatus {
	return model.PeerStatus{Node: p.GetNode(), NodeID: int(p.GetNodeId()), State: word(p.GetState()), Role: word(p.GetRole()),
		Volumes: each(p.GetVolumes(), func(v **pb.PeerVolumeStatus) model.PeerVolumeStatus {
			return model.PeerVolumeStatus{Number: int((*v).GetNumber()), Replication: word((*v).GetReplication()),
				PeerDisk: word((*v).GetPeerDisk()), OutOfSyncKiB: (*v).GetOutOfSyncKib(), DonePercent: (*v).GetDonePercent()}
		})}
}
