// Package rest is the edge that speaks LINSTOR's REST API v1: one route table (routes.go), a handler a route, one
// function that turns a fault into a ret_code (fault.go), and views of the state as JSON.
//
// Reads look at a snapshot and wait for nobody. The JSON of a definition's replicas, of a node and of its pools is kept
// beside the immutable entry it was made from (state.Memo), so that a list of everything is a matter of joining bytes.
//
// Facts on LINSTOR's side: which fields clients can't do without, which success codes they compare, how lenient a request
// may be. The tests name the rule they hold.
package rest
