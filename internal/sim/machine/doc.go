// Package machine is a model of the machines that satellites run on: files,
// LVM, loop devices and DRBD, with a network between them. A Machine is a
// run.Host, so that the real drivers, tools and executor run on it unchanged;
// it answers as the recorded runs in tool/testdata/traces do.
//
// All of it is deterministic: no clock, no goroutine, no randomness. Time and
// progress come from Network.Tick. One lock guards a whole network, so that an
// in-process cluster may use it from many goroutines.
//
// What is lost at a power cut and what stays is kept apart: files, volumes,
// their tags, DRBD's metadata and data stay; the kernel's DRBD state, loop
// devices, active volumes, suspended I/O, /run, /proc and /dev go.
//
// Each change that a program or a file operation makes is one effect, counted;
// CrashAfter and CutAfter stop the process or the machine right after one.
//
// Data are modelled as the set of acknowledged writes that a disk holds (each
// its own block) and what the rest holds (zeros, or what was there before), so
// that a checker can ask whether a write is readable somewhere. DRBD's rules
// for data generations (current, bitmap, history UUIDs) are its own, simplified:
// see generation.go.
package machine
