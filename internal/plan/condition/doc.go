// Package condition names what is wrong with a resource: which condition, the evidence for it, and what would mend it.
// It looks at what the nodes report in their current sessions and decides nothing. Pure.
package condition
