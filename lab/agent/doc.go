// Command agent runs inside every lab machine: it runs programs, moves files and tunnels TCP for the lab, over HTTP
// on the control network (see agentapi). It is for tests; it lets whoever reaches it do anything.
package main
