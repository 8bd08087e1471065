// Package model holds the nouns: what the controller keeps (node, storage pool, resource group, resource definition and
// all that hangs on it), what a node is told (NodeState) and what it says (NodeReport, ResourceStatus). It is pure data
// with names, sizes and validation; it does no I/O and reads no clock.
//
// Objects are immutable once they are in a snapshot: change a Clone. Sizes are KiB, times milliseconds since 1970 UTC.
package model
