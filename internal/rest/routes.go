package rest

import (
	"slices"

	"holdfast/internal/fault"
	"holdfast/internal/props"
)

// routes is the table, the single source of what this server answers.
func routes() []route { return slices.Concat(implemented(), notYet()) }

func implemented() []route {
	const (
		get, post, put, del = "GET", "POST", "PUT", "DELETE"
		create, modify, rm  = fault.Create, fault.Modify, fault.Delete

		node  = "/v1/nodes/{node}"
		nif   = node + "/net-interfaces"
		pool  = node + "/storage-pools"
		pdef  = "/v1/storage-pool-definitions"
		group = "/v1/resource-groups/{group}"
		vg    = group + "/volume-groups"
		def   = "/v1/resource-definitions/{rsc}"
		vd    = def + "/volume-definitions"
		rsc   = def + "/resources"
		vol   = rsc + "/{node}/volumes"
		kv    = "/v1/key-value-store"
		snap  = def + "/snapshots"
	)
	return []route{
		{get, "/", 200, 0, 0, welcome, nil, "who is here"},
		{get, "/health", 200, 0, 0, health, nil, "liveness"},

		{get, openAPIPath, 200, 0, fault.Controller, openAPIDocument, nil, "this API as an OpenAPI document (Holdfast's own)"},
		{get, "/metrics", 200, 0, 0, metrics, nil, "metrics for Prometheus"},
		{get, "/v1/controller/config", 200, 0, fault.Controller, controllerConfig, nil, "how the controller was set up"},
		{get, "/v1/sos-report/download", 200, 0, fault.Controller, downloadReport, nil, "what the controller knows, as a tar.gz for support"},
		{get, "/v1/space-report", 200, 0, fault.Controller, spaceReport, nil, "a text on the space used"},
		{get, "/v1/controller/version", 200, 0, fault.Controller, version, nil, "which program answers"},
		{get, "/v1/controller/properties", 200, 0, fault.Controller, controllerProps, nil, "the cluster's properties"},
		{post, "/v1/controller/properties", 201, modify, fault.Controller, nil, modifyController, "set the cluster's properties"},
		{get, "/v1/controller/properties/info", 200, 0, fault.Controller, info(props.Controller), nil, "which keys there are"},
		{get, "/v1/controller/properties/info/all", 200, 0, fault.Controller, infoAll, nil, "which keys there are, by kind of object"},
		{del, "/v1/controller/properties/{key...}", 200, rm, fault.Controller, nil, deleteControllerProp, "remove a property"},
		{get, "/v1/encryption/passphrase", 200, 0, fault.Controller, passphrase, nil, "whether a master passphrase is set"},
		{post, "/v1/encryption/passphrase", 201, create, fault.Controller, nil, createPassphrase, "create the master passphrase"},
		{"PATCH", "/v1/encryption/passphrase", 200, modify, fault.Controller, nil, enterPassphrase, "enter the master passphrase"},
		{put, "/v1/encryption/passphrase", 200, modify, fault.Controller, nil, changePassphrase, "change the master passphrase"},

		{get, "/v1/nodes", 200, 0, fault.Node, listNodes, nil, "list nodes"},
		{post, "/v1/nodes", 201, create, fault.Node, nil, createNode, "add a node"},
		{get, "/v1/nodes/properties/info", 200, 0, fault.Node, info(props.Node), nil, "which keys there are"},
		{get, node, 200, 0, fault.Node, getNode, nil, "one node"},
		{put, node, 200, modify, fault.Node, nil, modifyNode, "change a node"},
		{del, node, 200, rm, fault.Node, nil, deleteNode, "delete a node"},
		{del, node + "/lost", 200, rm, fault.Node, nil, loseNode, "give a node up that never comes back"},
		{get, node + "/config", 200, 0, fault.Node, nodeConfig, nil, "how a node's satellite was set up, as far as the controller knows"},
		{get, node + "/safe-to-stop", 200, 0, fault.Node, safeToStop, nil, "whether a node may be stopped, and what would be lost"},
		{put, node + "/evacuate", 200, modify, fault.Node, nil, evacuateNode, "move everything off a node"},
		{put, node + "/evict", 200, modify, fault.Node, nil, evictNode, "replace what is on a node that is away"},
		{put, node + "/restore", 200, modify, fault.Node, nil, restoreNode, "take an eviction or evacuation back"},
		{put, node + "/reconnect", 200, modify, fault.Node, reconnectNode, nil, "connect to a node anew"},
		{get, nif, 200, 0, fault.NetInterface, listInterfaces, nil, "list a node's interfaces"},
		{post, nif, 201, create, fault.NetInterface, nil, createInterface, "add an interface"},
		{get, nif + "/{netif}", 200, 0, fault.NetInterface, getInterface, nil, "one interface"},
		{put, nif + "/{netif}", 200, modify, fault.NetInterface, nil, modifyInterface, "change an interface"},
		{del, nif + "/{netif}", 200, rm, fault.NetInterface, nil, deleteInterface, "delete an interface"},

		{get, pool, 200, 0, fault.StoragePool, listPools, nil, "list a node's storage pools"},
		{post, pool, 201, create, fault.StoragePool, nil, createPool, "add a storage pool"},
		{get, pool + "/properties/info", 200, 0, fault.StoragePool, info(props.Pool), nil, "which keys there are"},
		{get, pool + "/{pool}", 200, 0, fault.StoragePool, getPool, nil, "one storage pool"},
		{put, pool + "/{pool}", 200, modify, fault.StoragePool, nil, modifyPool, "change a storage pool"},
		{del, pool + "/{pool}", 200, rm, fault.StoragePool, nil, deletePool, "delete a storage pool"},
		{get, "/v1/physical-storage", 200, 0, fault.StoragePool, physicalStorage, nil, "empty disks of all nodes"},
		{get, "/v1/physical-storage/{node}", 200, 0, fault.StoragePool, physicalStorageOn, nil, "empty disks of a node"},
		{post, "/v1/physical-storage/{node}", 201, create, fault.StoragePool, nil, createDevicePool, "make a volume group or ZFS pool of empty disks"},
		{get, pdef, 200, 0, fault.StoragePoolDefinition, listPoolDefs, nil, "list storage pool definitions"},
		{post, pdef, 201, create, fault.StoragePoolDefinition, nil, createPoolDef, "add a storage pool definition"},
		{get, pdef + "/properties/info", 200, 0, fault.StoragePoolDefinition, info(props.PoolDefinition), nil, "which keys there are"},
		{get, pdef + "/{pool}", 200, 0, fault.StoragePoolDefinition, getPoolDef, nil, "one storage pool definition"},
		{put, pdef + "/{pool}", 200, modify, fault.StoragePoolDefinition, nil, modifyPoolDef, "change a storage pool definition"},
		{del, pdef + "/{pool}", 200, rm, fault.StoragePoolDefinition, nil, deletePoolDef, "delete a storage pool definition"},

		{get, "/v1/resource-groups", 200, 0, fault.ResourceGroup, listGroups, nil, "list resource groups"},
		{post, "/v1/resource-groups", 201, create, fault.ResourceGroup, nil, createGroup, "add a resource group"},
		{get, "/v1/resource-groups/properties/info", 200, 0, fault.ResourceGroup, info(props.Group), nil, "which keys there are"},
		{get, group, 200, 0, fault.ResourceGroup, getGroup, nil, "one resource group"},
		{put, group, 200, modify, fault.ResourceGroup, nil, modifyGroup, "change a resource group"},
		{del, group, 200, rm, fault.ResourceGroup, nil, deleteGroup, "delete a resource group"},
		{post, group + "/spawn", 201, create, fault.ResourceDefinition, nil, spawn, "make a definition from a group"},
		{post, "/v1/resource-groups/adjustall", 200, modify, fault.ResourceGroup, nil, adjustAll, "place what the definitions of all groups lack"},
		{post, group + "/adjust", 200, modify, fault.ResourceGroup, nil, adjustGroup, "place what the definitions of a group lack"},
		{post, group + "/query-size-info", 200, 0, fault.ResourceGroup, querySizeInfo, nil, "how much more a group could hold"},
		{post, "/v1/queries/resource-groups/query-all-size-info", 200, 0, fault.ResourceGroup, queryAllSizeInfo, nil, "how much more each group could hold"},
		{get, group + "/query-max-volume-size", 200, 0, fault.ResourceGroup, queryMaxOfGroup, nil, "the largest possible volume of a group"},
		{"OPTIONS", "/v1/query-max-volume-size", 200, 0, fault.VolumeDefinition, queryMax, nil, "the largest possible volume"},
		{get, vg, 200, 0, fault.VolumeGroup, listVolumeGroups, nil, "list volume groups"},
		{post, vg, 201, create, fault.VolumeGroup, nil, createVolumeGroup, "add a volume group"},
		{get, vg + "/properties/info", 200, 0, fault.VolumeGroup, info(props.VolumeDefinition), nil, "which keys there are"},
		{get, vg + "/{vlmnr}", 200, 0, fault.VolumeGroup, getVolumeGroup, nil, "one volume group"},
		{put, vg + "/{vlmnr}", 200, modify, fault.VolumeGroup, nil, modifyVolumeGroup, "change a volume group"},
		{del, vg + "/{vlmnr}", 200, rm, fault.VolumeGroup, nil, deleteVolumeGroup, "delete a volume group"},

		{get, "/v1/resource-definitions", 200, 0, fault.ResourceDefinition, listDefinitions, nil, "list resource definitions"},
		{post, "/v1/resource-definitions", 201, create, fault.ResourceDefinition, nil, createDefinition, "add a resource definition"},
		{get, "/v1/resource-definitions/properties/info", 200, 0, fault.ResourceDefinition, info(props.Definition), nil, "which keys there are"},
		{get, def, 200, 0, fault.ResourceDefinition, getDefinition, nil, "one resource definition"},
		{put, def, 200, modify, fault.ResourceDefinition, nil, modifyDefinition, "change a resource definition"},
		{del, def, 200, rm, fault.ResourceDefinition, nil, deleteDefinition, "delete a resource definition with its resources"},
		{post, def + "/verify", 200, modify, fault.ResourceDefinition, nil, startVerify, "compare the replicas' blocks (Holdfast's own)"},
		{get, "/v1/view/verifies", 200, 0, fault.ResourceDefinition, viewVerifies, nil, "what comparisons of replicas found (Holdfast's own)"},
		{post, def + "/autoplace", 201, create, fault.Resource, nil, autoplace, "place resources automatically"},
		{get, def + "/sync-status", 200, 0, fault.ResourceDefinition, syncStatus, nil, "whether all replicas are UpToDate"},
		{post, def + "/clone", 201, create, fault.ResourceDefinition, cloneDefinition, nil, "clone a definition with its data"},
		{get, def + "/clone/{clone}", 200, 0, fault.ResourceDefinition, cloneStatus, nil, "where a clone stands"},
		{get, def + "/resource-connections", 200, 0, fault.Resource, listResourceConnections, nil, "list resource connections"},
		{get, def + "/resource-connections/{nodeA}/{nodeB}", 200, 0, fault.Resource, getResourceConnection, nil, "one resource connection"},
		{put, def + "/resource-connections/{nodeA}/{nodeB}", 200, modify, fault.Resource, nil, modifyResourceConnection, "change a resource connection"},
		{get, def + "/resource-connections/properties/info", 200, 0, fault.Resource, info(props.Connection), nil, "which keys there are"},

		// The specification says 201; LINSTOR answers 200, and a client that compares compares with what it was told
		// (linstor-features 1.2, linstor-clients 2.1 rule 3): 201.
		{get, vd, 200, 0, fault.VolumeDefinition, listVolumeDefinitions, nil, "list volume definitions"},
		{post, vd, 201, create, fault.VolumeDefinition, nil, createVolumeDefinition, "add a volume definition"},
		{get, vd + "/properties/info", 200, 0, fault.VolumeDefinition, info(props.VolumeDefinition), nil, "which keys there are"},
		{get, vd + "/{vlmnr}", 200, 0, fault.VolumeDefinition, getVolumeDefinition, nil, "one volume definition"},
		{put, vd + "/{vlmnr}", 200, modify, fault.VolumeDefinition, nil, modifyVolumeDefinition, "change a volume definition"},
		{del, vd + "/{vlmnr}", 200, rm, fault.VolumeDefinition, nil, deleteVolumeDefinition, "delete a volume definition"},
		{put, vd + "/{vlmnr}/encryption-passphrase", 200, modify, fault.VolumeDefinition, nil, changeVolumePassphrase, "change a volume's passphrase"},

		{get, rsc, 200, 0, fault.Resource, listReplicas, nil, "list a definition's resources"},
		{post, rsc, 201, create, fault.Resource, nil, createReplicas, "create resources"},
		{get, rsc + "/properties/info", 200, 0, fault.Resource, info(props.Resource), nil, "which keys there are"},
		{get, rsc + "/{node}", 200, 0, fault.Resource, getReplica, nil, "one resource"},
		{post, rsc + "/{node}", 201, create, fault.Resource, nil, createReplica, "create a resource"},
		{put, rsc + "/{node}", 200, modify, fault.Resource, nil, modifyReplica, "change a resource"},
		{del, rsc + "/{node}", 200, rm, fault.Resource, nil, deleteReplica, "delete a resource"},
		{post, rsc + "/{node}/make-available", 200, create, fault.Resource, nil, makeAvailable, "make a resource usable on a node"},
		{post, rsc + "/{node}/unmake-available", 200, rm, fault.Resource, nil, unmakeAvailable, "take make-available back"},
		{post, rsc + "/{node}/activate", 200, modify, fault.Resource, nil, activate, "bring a resource up again"},
		{post, rsc + "/{node}/deactivate", 200, modify, fault.Resource, nil, deactivate, "take a resource down, with its data left in place"},
		{put, rsc + "/{node}/toggle-disk", 200, modify, fault.Resource, nil, toggleDisk, "give a resource a disk or take it"},
		{put, rsc + "/{node}/toggle-disk/diskful", 200, modify, fault.Resource, nil, toDiskful, "give a resource a disk"},
		{put, rsc + "/{node}/toggle-disk/diskful/{pool}", 200, modify, fault.Resource, nil, toDiskful, "give a resource a disk"},
		{put, rsc + "/{node}/toggle-disk/diskless", 200, modify, fault.Resource, nil, toDiskless, "take a resource's disk"},
		{put, rsc + "/{node}/toggle-disk/diskless/{pool}", 200, modify, fault.Resource, nil, toDiskless, "take a resource's disk"},
		{put, rsc + "/{node}/migrate-disk/{from}", 200, modify, fault.Resource, nil, migrateDisk, "move a disk from another node"},
		{put, rsc + "/{node}/migrate-disk/{from}/{pool}", 200, modify, fault.Resource, nil, migrateDisk, "move a disk from another node"},
		{del, rsc, 200, rm, fault.Resource, nil, deleteReplicas, "delete all resources of a definition"},
		{get, vol, 200, 0, fault.Volume, listVolumes, nil, "list a resource's volumes"},
		{get, vol + "/properties/info", 200, 0, fault.Volume, info(props.Volume), nil, "which keys there are"},
		{get, vol + "/{vlmnr}", 200, 0, fault.Volume, getVolume, nil, "one volume"},
		{put, vol + "/{vlmnr}", 200, modify, fault.Volume, nil, modifyVolume, "change a volume"},

		{get, "/v1/view/resources", 200, 0, fault.Resource, viewReplicas, nil, "all resources with their volumes"},
		{get, "/v1/view/conditions", 200, 0, fault.Resource, viewConditions, nil, "what is wrong with resources, and what would mend it (Holdfast's own)"},
		{get, "/v1/view/storage-pools", 200, 0, fault.StoragePool, viewPools, nil, "all storage pools"},
		{get, "/v1/view/snapshots", 200, 0, fault.Snapshot, viewSnapshots, nil, "all snapshots"},
		{get, snap, 200, 0, fault.Snapshot, listSnapshots, nil, "list a definition's snapshots"},
		{post, snap, 201, create, fault.Snapshot, nil, createSnapshot, "create a snapshot"},
		{get, snap + "/{snap}", 200, 0, fault.Snapshot, getSnapshot, nil, "one snapshot"},
		{put, snap + "/{snap}", 200, modify, fault.Snapshot, nil, modifySnapshot, "change a snapshot"},
		{del, snap + "/{snap}", 200, rm, fault.Snapshot, nil, deleteSnapshot, "delete a snapshot"},
		{post, "/v1/actions/snapshot/multi", 201, create, fault.Snapshot, nil, createSnapshots, "snapshots of several resources at once"},
		{post, def + "/snapshot-restore-volume-definition/{snap}", 200, create, fault.VolumeDefinition, nil, restoreVolumes, "restore a snapshot's volume definitions"},
		{post, def + "/snapshot-restore-resource/{snap}", 200, create, fault.Resource, nil, restoreResources, "restore a snapshot"},
		{post, def + "/snapshot-rollback/{snap}", 200, modify, fault.Snapshot, nil, rollbackSnapshot, "roll back to a snapshot"},

		{get, kv, 200, 0, fault.KeyValueStore, listKeyValues, nil, "list key-value stores"},
		{get, kv + "/{instance}", 200, 0, fault.KeyValueStore, getKeyValue, nil, "one key-value store"},
		{put, kv + "/{instance}", 200, modify, fault.KeyValueStore, nil, modifyKeyValue, "change a key-value store"},
		{del, kv + "/{instance}", 200, rm, fault.KeyValueStore, nil, deleteKeyValue, "delete a key-value store"},

		{get, "/v1/error-reports", 200, 0, fault.ErrorReport, noneOf, nil, "list error reports"},
		{get, "/v1/error-reports/{report}", 200, 0, fault.ErrorReport, noneOf, nil, "one error report"},
		{"PATCH", "/v1/error-reports", 200, rm, fault.ErrorReport, deleteNone, nil, "delete error reports"},
		{del, "/v1/error-reports/{report}", 200, rm, fault.ErrorReport, deleteNone, nil, "delete an error report"},

		// There is none of these, and nothing makes one: routeslater.go.
		{get, "/v1/remotes", 200, 0, fault.NoObject, noRemotes, nil, "list remotes: there are none"},
		{get, "/v1/remotes/s3", 200, 0, fault.NoObject, noneOf, nil, "list S3 remotes: there are none"},
		{get, "/v1/remotes/linstor", 200, 0, fault.NoObject, noneOf, nil, "list LINSTOR remotes: there are none"},
		{get, "/v1/remotes/ebs", 200, 0, fault.NoObject, noneOf, nil, "list EBS remotes: there are none"},
		{get, "/v1/remotes/{remote}/backups", 200, 0, fault.NoObject, noSuch("Remote", "remote"), nil, "list backups: there is no remote"},
		{get, "/v1/schedules", 200, 0, fault.NoObject, noSchedules, nil, "list schedules: there are none"},
		{get, "/v1/view/schedules-by-resource", 200, 0, fault.NoObject, noSchedules, nil, "list schedules by resource: there are none"},
		{get, "/v1/view/schedules-by-resource/{rsc}", 200, 0, fault.ResourceDefinition, noSchedulesOf, nil, "list a resource's schedules: there are none"},
		{get, "/v1/view/backup/queue", 200, 0, fault.NoObject, noQueues, nil, "list queued backups: there are none"},
		{get, "/v1/files", 200, 0, fault.NoObject, noneOf, nil, "list external files: there are none"},
		{get, "/v1/files/{file}", 200, 0, fault.NoObject, noSuch("External file", "file"), nil, "one external file: there is none"},

		{get, "/v1/node-connections", 200, 0, fault.Node, listNodeConnections, nil, "list node connections"},
		{put, "/v1/node-connections/{nodeA}/{nodeB}", 200, modify, fault.Node, nil, modifyNodeConnection, "change a node connection"},

		{get, "/v1/events/drbd/promotion", 200, 0, fault.Resource, promotionEvents, nil, "server-sent events: which resources may be promoted where"},
		{get, "/v1/events/nodes", 200, 0, fault.Node, nodeEvents, nil, "server-sent events: nodes that come, go and change"},

		{get, "/v1/stats/nodes", 200, 0, fault.Node, countNodes, nil, "how many nodes there are"},
		{get, "/v1/stats/storage-pools", 200, 0, fault.StoragePool, countPools, nil, "how many storage pools there are"},
		{get, "/v1/stats/resource-groups", 200, 0, fault.ResourceGroup, countGroups, nil, "how many resource groups there are"},
		{get, "/v1/stats/resource-definitions", 200, 0, fault.ResourceDefinition, countDefinitions, nil, "how many resource definitions there are"},
		{get, "/v1/stats/resources", 200, 0, fault.Resource, countReplicas, nil, "how many resources there are"},
		{get, "/v1/stats/error-reports", 200, 0, fault.ErrorReport, countReports, nil, "how many error reports there are"},
	}
}
