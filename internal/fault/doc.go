// Package fault is the closed list of things that can be said to a user about a command: what happened, to which
// object, why, and what to do. It knows no code of any edge: rest maps a Note to a LINSTOR return code and an HTTP
// status, the command line maps what it gets to an exit code.
package fault
