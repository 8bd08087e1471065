package store

import "fmt"

// Kind says which noun a record holds. The numbers are stored: never change or reuse one; add at the end.
type Kind uint8

// The kinds. Resources, volumes, snapshots and their tombstones are part of their resource definition's record, storage
// pools of their node's.
const (
	KindCluster Kind = iota + 1
	KindNode
	KindStoragePoolDefinition
	KindResourceGroup
	KindResourceDefinition
	KindKeyValueStore
	KindSecret
)

var kindNames = [...]string{
	KindCluster:               "cluster",
	KindNode:                  "node",
	KindStoragePoolDefinition: "storage-pool-definition",
	KindResourceGroup:         "resource-group",
	KindResourceDefinition:    "resource-definition",
	KindKeyValueStore:         "key-value-store",
	KindSecret:                "secret",
}

// Known reports whether this program has a name for the kind. A store may hold others, written by a newer release.
func (k Kind) Known() bool { return k > 0 && int(k) < len(kindNames) }

// String is the kind's name as exports print it.
func (k Kind) String() string {
	if k.Known() {
		return kindNames[k]
	}
	return fmt.Sprintf("kind-%d", uint8(k))
}
