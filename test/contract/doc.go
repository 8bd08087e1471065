// Package contract holds the tests in which clients talk to Holdfast as they do to LINSTOR: what they can't do without must be
// there. The public Python client comes from the Python package index, at a fixed version, into .tools (a test dependency
// only); the command line plays stories (stories/*.txtar) and the commands of the guides in docs/.
package contract
