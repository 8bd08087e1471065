// Package pki holds the keys of controller and satellite, and the rule by which a satellite comes to belong to a cluster.
//
// A cluster has a certificate authority, made at the controller's first start; it signs the certificate with which the
// controller dials. A satellite has a key pair and a self-signed certificate, made at its first start. Neither side asks
// the clock or a name service who the other is: keys are pinned, and certificates don't expire, so that storage comes up
// on a machine whose clock is wrong.
//
//	controller checks  the fingerprint of the satellite's certificate: given by a person, or the first one it saw
//	satellite checks   that the controller's certificate is signed by the authority of the cluster that claimed it
//
// A satellite's life, as claim.go decides it:
//
//	         first start                      DecideClaim
//	(none) ───────────────> open for 1 h ─────────────────────────────> owned
//	                          │      ^                                   │
//	                   1 h on │      │ open-claim                release │
//	                          v      │                                   v
//	                         closed ─┘                              open for 1 h
//	                          └── DecideClaim with the satellite's claim code ──> owned
package pki
