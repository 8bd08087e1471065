// Package steps turns what a replica shall be and what is seen of it into the next steps, in order. Pure: the same words
// give the same steps.
//
// A plan goes as far as what is seen carries it; after its steps the node looks again and plans again, until there is
// nothing left to do or only something to wait for. It may stop, or the machine may die, after any step.
//
// Going up, bottom first:
//
//	device (create, activate) -> metadata -> [controller remembers it] -> config -> adjust -> first sync, forget peers
//
// Going down, top first:
//
//	guard -> down -> config -> devices -> record
//
// What is not provably this incarnation's (label of the device, first line of the config file, record of who brought the
// kernel's resource up) is left alone and named in the reason.
package steps
