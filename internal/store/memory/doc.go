// Package memory is a store that lives as long as the process, with switches for everything that can go wrong with a
// real one. `Reopen` is the crash: what wasn't durable is gone.
package memory
