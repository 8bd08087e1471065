// Package core holds the commands: functions from (snapshot, input, now) to (changes, reply). No I/O, no clock, no
// randomness of its own. One file a noun. A command that returns an error has changed nothing that anybody sees: the
// writer drops its Tx.
package core
