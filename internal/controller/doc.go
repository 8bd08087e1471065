// Package controller holds the one writer and the sessions to the satellites.
//
// Brain is all of it that decides: a plain struct with step methods, without goroutine, clock or I/O, so that the
// simulator runs the same code. Controller is the shell around it: a loop with the real clock, the store, and TLS.
//
//	Submit, Message, Connected, Lost ...  ->  queue
//	Step       takes the queue as one batch: each command on a fork, plan.After behind it; gives one commit
//	Committed  publishes the snapshot, answers, works out what each session must be told
//	Outbox     what to send
//	DialPlan   whom to dial
//
// The life of a satellite's session, as Brain sees it:
//
//	(none) --DialPlan--> dialing --Connected--> open --first full Report--> online
//	   ^                    |                     |                           |
//	   |     DialFailed, Refused: later again     |  silence, error, replaced |
//	   +--------------------+---------------------+---------------------------+
//
// Nothing leaves for a node that isn't committed: orders are computed from the published snapshot only.
package controller
