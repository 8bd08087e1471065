// Package plan holds the rules that run after every change, be it a command or a node's report: milestones are
// remembered, tombstones go when their node confirms, node-ids come free when every peer has forgotten them, the first
// sync gets its source, an even number of replicas its tie-breaker. It also holds the guard on the last good copy, as the controller sees it. Pure.
package plan
