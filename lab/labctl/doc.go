// Command labctl keeps a lab running and plays with it from a shell:
//
//	labctl up [-n 2]            bring up machines alpha, bravo ...
//	labctl exec alpha lvs       run a program; its exit code is labctl's
//	labctl kill alpha           power cut; labctl start alpha
//	labctl cluster              the same with Holdfast in it (make lab)
//	labctl down
//
// up leaves a process behind that holds the lab; the other commands talk to it over a socket in .lab/run.
package main
