// Package client is the Go client of Holdfast's (and LINSTOR's) REST API v1.
//
// A Client holds a list of controllers; each request goes to the first of them that answers, and stays with that one until
// it stops answering. Only a failure to connect makes it try the next one: a request that may have been received is not
// repeated. Methods are named after the nouns of package api. An answer of status 400 and above is an *APIError; no
// controller reached is ErrConnect.
//
// The package imports the standard library and package api alone.
package client
