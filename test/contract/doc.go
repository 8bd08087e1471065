// Package contract holds the tests in which public clients of LINSTOR talk to Holdfast: what they can't do without must be
// there. The Python client comes from the Python package index, at a fixed version, into .tools (a test dependency only).
package contract
