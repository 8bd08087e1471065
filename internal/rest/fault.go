package rest

import (
	"holdfast/api"
	"holdfast/internal/fault"
	"holdfast/internal/model"
)

// toRc turns a note into an entry of the answer. op and obj are the request's, used where the note has none.
func toRc(n fault.Note, op fault.Op, obj fault.Object) api.ApiCallRc {
	if n.Op == fault.NoOp {
		n.Op = op
	}
	if n.Object == fault.NoObject {
		n.Object = obj
	}
	return api.ApiCallRc{RetCode: code(n).In(opBits(n.Op), objBits(n.Object)), Message: n.Message, Cause: n.Cause,
		Details: n.Details, Correction: n.Correction, ObjRefs: n.Refs}
}

func opBits(op fault.Op) api.Code {
	switch op {
	case fault.Create:
		return api.OpCreate
	case fault.Modify:
		return api.OpModify
	case fault.Delete:
		return api.OpDelete
	case fault.NoOp:
	}
	return 0
}

func objBits(o fault.Object) api.Code {
	switch o {
	case fault.Controller:
		return api.ObjCtrlConf
	case fault.Node:
		return api.ObjNode
	case fault.NetInterface:
		return api.ObjNetIf
	case fault.StoragePool:
		return api.ObjStorPool
	case fault.StoragePoolDefinition:
		return api.ObjStorPoolDfn
	case fault.ResourceGroup:
		return api.ObjRscGrp
	case fault.VolumeGroup:
		return api.ObjVlmGrp
	case fault.ResourceDefinition:
		return api.ObjRscDfn
	case fault.VolumeDefinition:
		return api.ObjVlmDfn
	case fault.Resource:
		return api.ObjRsc
	case fault.Volume:
		return api.ObjVlm
	case fault.Snapshot:
		return api.ObjSnapshot
	case fault.KeyValueStore:
		return api.ObjKvs
	case fault.NoObject, fault.ErrorReport:
	}
	return 0
}

// code is the one place where a fault gets LINSTOR's number (linstor-features, Appendix B); api.HTTPStatus derives the
// HTTP status from it (1.2). It is without operation and object bits.
func code(n fault.Note) api.Code {
	switch n.Severity {
	case fault.Success:
		if n.Field == "passphrase" {
			return api.PassphraseAccepted
		}
		return done(n.Op)
	case fault.Info:
		return api.MaskInfo | done(n.Op)
	case fault.Warning:
		if n.Kind == fault.AlreadyDeployed && n.Object == fault.VolumeDefinition {
			return api.WarnVlmdfnResizeSameSize
		}
		return warning(n)
	case fault.Failure:
	}
	return failure(n)
}

func done(op fault.Op) api.Code {
	switch op {
	case fault.Create:
		return api.Created
	case fault.Delete:
		return api.Deleted
	case fault.Modify, fault.NoOp:
	}
	return api.Modified
}

func warning(n fault.Note) api.Code {
	switch n.Kind {
	case fault.NotFound:
		return api.WarnNotFound
	case fault.NotConnected, fault.OtherController:
		return api.WarnNotConnected
	case fault.AlreadyDeployed:
		switch n.Field {
		case "disk":
			return api.WarnRscAlreadyHasDisk
		case "diskless":
			return api.WarnRscAlreadyDiskless
		}
		return api.WarnRscAlreadyDeployed
	case fault.NotApplied, fault.OutcomeUnknown:
		return api.WarnStltNotUpdated
	case fault.NoSpace:
		return api.WarnStorageError
	case fault.Done, fault.Invalid, fault.Exists, fault.InUse, fault.NotEnoughNodes, fault.Exhausted, fault.LastCopy,
		fault.Unsupported, fault.Refused, fault.ReadOnly, fault.Internal:
	}
	return api.WarnNoEffect
}

func failure(n fault.Note) api.Code {
	switch n.Kind {
	case fault.Invalid:
		return invalid(n.Object, n.Field)
	case fault.NotFound:
		if n.Field == "passphrase" {
			return api.FailNotFoundCryptKey
		}
		return notFound(n.Object)
	case fault.Exists:
		return exists(n.Object, n.Field)
	case fault.InUse:
		return api.FailInUse
	case fault.NotConnected:
		return api.FailNotConnected
	case fault.NotEnoughNodes:
		return api.FailNotEnoughNodes
	case fault.NoSpace:
		return api.FailNotEnoughFreeSpace
	case fault.Exhausted:
		return exhausted(n.Field)
	case fault.LastCopy:
		return api.FailInsufficientReplicaCount
	case fault.Unsupported:
		return unsupported(n.Object, n.Field)
	case fault.Refused:
		return refused(n.Object, n.Field)
	case fault.AlreadyDeployed:
		return api.FailExistsRsc
	case fault.NotApplied:
		return api.FailUnknownError // clients try again (linstor-clients 2.2, Incus)
	case fault.OtherController:
		return api.FailAccDeniedStltConn
	case fault.ReadOnly:
		return api.FailAccDeniedCommand
	case fault.OutcomeUnknown:
		return api.FailSql
	case fault.Internal, fault.Done:
	}
	return api.FailImplError
}

// invalid goes by the field, then by the object whose name it is.
func invalid(o fault.Object, field string) api.Code {
	switch field {
	case "name", "storage_pool_name", "resource_definition_name":
		return invalidName(o)
	case "type", "node_type":
		return api.FailInvldNodeType
	case "node_name": // a node that can't carry it, by its type
		return api.FailInvldNodeType
	case "address":
		return api.FailInvldNetAddr
	case "satellite_port":
		return api.FailInvldNetPort
	case "satellite_encryption_type":
		return api.FailInvldEncryptType
	case "net_interfaces":
		return api.FailMissingNetcom
	case "provider_kind":
		return api.FailInvldProvider
	case "free_space_mgr_name", "shared_space":
		return api.FailInvldFreeSpaceMgrName
	case "place_count":
		return api.FailInvldPlaceCount
	case "layer_list", "layer_stack", "layer_data":
		return api.FailInvldLayerStack
	case "external_name":
		return api.FailInvldExtName
	case "drbd_port":
		return api.FailInvldRscPort
	case "drbd_tcp_ports":
		return api.FailInvldTCPPort
	case "drbd_node_id":
		return api.FailInvldNodeID
	case "drbd_minor_number":
		return api.FailInvldMinorNr
	case "drbd_transport_type":
		return api.FailInvldTransportType
	case "volume_number":
		return api.FailInvldVlmNr
	case "size_kib":
		return api.FailInvldVlmSize
	case "volume_sizes":
		return api.FailInvldVlmCount
	case "passphrase", "old_passphrase", "new_passphrase":
		return api.FailInvldCryptPassphrase
	case "property", "override_props", model.PropPoolName:
		return api.FailInvldProp
	}
	return api.FailInvldRequest
}

func invalidName(o fault.Object) api.Code {
	switch o {
	case fault.Node:
		return api.FailInvldNodeName
	case fault.NetInterface:
		return api.FailInvldNetName
	case fault.StoragePool, fault.StoragePoolDefinition:
		return api.FailInvldStorPoolName
	case fault.ResourceGroup:
		return api.FailInvldRscGrpName
	case fault.ResourceDefinition, fault.Resource:
		return api.FailInvldRscName
	case fault.Snapshot:
		return api.FailInvldSnapshotName
	case fault.KeyValueStore:
		return api.FailInvldKvsName
	case fault.NoObject, fault.Controller, fault.VolumeGroup, fault.VolumeDefinition, fault.Volume, fault.ErrorReport:
	}
	return api.FailInvldRequest
}

func notFound(o fault.Object) api.Code {
	switch o {
	case fault.Node:
		return api.FailNotFoundNode
	case fault.NetInterface:
		return api.FailNotFoundNetIf
	case fault.StoragePool:
		return api.FailNotFoundStorPool
	case fault.StoragePoolDefinition:
		return api.FailNotFoundStorPoolDfn
	case fault.ResourceGroup:
		return api.FailNotFoundRscGrp
	case fault.VolumeGroup:
		return api.FailNotFoundVlmGrp
	case fault.ResourceDefinition:
		return api.FailNotFoundRscDfn
	case fault.VolumeDefinition:
		return api.FailNotFoundVlmDfn
	case fault.Resource:
		return api.FailNotFoundRsc
	case fault.Volume:
		return api.FailNotFoundVlm
	case fault.Snapshot:
		return api.FailNotFoundSnapshot
	case fault.KeyValueStore:
		return api.FailNotFoundKvs
	case fault.NoObject, fault.Controller, fault.ErrorReport: // LINSTOR has no number: 404 all the same
	}
	return api.UnknownAPICall
}

// exists: a number that is taken is not the object's "exists", which clients take for success (linstor-clients 2.2, CSI).
func exists(o fault.Object, field string) api.Code {
	switch field {
	case "passphrase":
		return api.FailExistsCryptPassphrase
	case "drbd_minor_number", "drbd_node_id", "drbd_tcp_ports", "drbd_port":
		return invalid(o, field)
	case model.PropPoolName:
		return api.FailStorPoolConfigurationError
	}
	switch o {
	case fault.Node:
		return api.FailExistsNode
	case fault.NetInterface:
		return api.FailExistsNetIf
	case fault.StoragePool:
		return api.FailExistsStorPool
	case fault.StoragePoolDefinition:
		return api.FailExistsStorPoolDfn
	case fault.ResourceGroup:
		return api.FailExistsRscGrp
	case fault.VolumeGroup:
		return api.FailExistsVlmGrp
	case fault.ResourceDefinition:
		return api.FailExistsRscDfn
	case fault.VolumeDefinition:
		return api.FailExistsVlmDfn
	case fault.Resource:
		return api.FailExistsRsc
	case fault.Volume:
		return api.FailExistsVlm
	case fault.Snapshot:
		return api.FailExistsSnapshotDfn
	case fault.NoObject, fault.Controller, fault.KeyValueStore, fault.ErrorReport:
	}
	return api.FailInvldRequest
}

func exhausted(field string) api.Code {
	switch field {
	case "volume_number":
		return api.FailPoolExhaustedVlmNr
	case "drbd_minor_number":
		return api.FailPoolExhaustedMinorNr
	case "drbd_tcp_ports", "drbd_port":
		return api.FailPoolExhaustedTCPPort
	case "drbd_node_id":
		return api.FailPoolExhaustedNodeID
	case "peer_slots":
		return api.FailInsufficientPeerSlots
	}
	return api.FailUnknownError
}

func unsupported(o fault.Object, field string) api.Code {
	switch field {
	case "size_kib":
		return api.FailInvldVlmSize
	case "provider_kind":
		return api.FailStltDoesNotSupportProvider
	case "disk_state":
		return api.FailSnapshotNotUpToDate
	case "layer_list", "layer_stack":
		return api.FailStltDoesNotSupportLayer
	}
	switch o {
	case fault.StoragePool, fault.StoragePoolDefinition:
		return api.FailStltDoesNotSupportProvider
	case fault.Resource, fault.Volume:
		return api.FailStltDoesNotSupportLayer
	case fault.Snapshot:
		return api.FailSnapshotsNotSupported
	case fault.NoObject, fault.Controller, fault.Node, fault.NetInterface, fault.ResourceGroup, fault.VolumeGroup,
		fault.ResourceDefinition, fault.VolumeDefinition, fault.KeyValueStore, fault.ErrorReport:
	}
	return api.FailInvldRequest
}

// refused: with a field it is a property; else it is access to the object.
func refused(o fault.Object, field string) api.Code {
	if field != "" {
		return api.FailInvldProp
	}
	switch o {
	case fault.Node, fault.NetInterface:
		return api.FailAccDeniedNode
	case fault.StoragePool:
		return api.FailAccDeniedStorPool
	case fault.StoragePoolDefinition:
		return api.FailAccDeniedStorPoolDfn
	case fault.ResourceGroup:
		return api.FailAccDeniedRscGrp
	case fault.VolumeGroup:
		return api.FailAccDeniedVlmGrp
	case fault.ResourceDefinition:
		return api.FailAccDeniedRscDfn
	case fault.VolumeDefinition:
		return api.FailAccDeniedVlmDfn
	case fault.Resource:
		return api.FailAccDeniedRsc
	case fault.Volume:
		return api.FailAccDeniedVlm
	case fault.Snapshot:
		return api.FailAccDeniedSnapshot
	case fault.KeyValueStore:
		return api.FailAccDeniedKvs
	case fault.Controller:
		return api.FailAccDeniedCtrlCfg
	case fault.NoObject, fault.ErrorReport:
	}
	return api.FailAccDeniedCommand
}
