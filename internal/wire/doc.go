// Package wire is the contract between controller and satellite: the messages, their protobuf form, and the transport
// (length-delimited frames over mutual TLS on TCP; the controller dials).
//
//	controller                                satellite
//	  Hello{order, features, cluster}  ---->    refuses an older epoch, another cluster, another instance
//	    (Claim, if it belongs to nobody)        of the same epoch
//	                                   <----  Welcome{uname, features, highest epoch}   or Refused
//	  Desired{full, changed, dropped}  ---->    keeps it on disk, acts
//	                                   <----  Report{full first, then what differs; acked desired}
//	  Ping                             ---->    every 2 s; silence of 10 s ends the session on either side
//	                                   <----  Pong
//
// A frame that doesn't parse, is too large, or comes out of order ends the session, never the process. A side ignores
// fields it doesn't know and uses only features that both named: versions two releases apart work together.
package wire
