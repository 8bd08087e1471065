// Package luks runs cryptsetup (2.6) and reads what device-mapper has open. Keys go in through standard input and never into
// an argument.
package luks
