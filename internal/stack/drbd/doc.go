// Package drbd is DRBD's layer of the device stack: it turns what a node is told of a resource into DRBD's config file.
// The file's first line names the incarnation, so that nobody takes it for another's.
package drbd
