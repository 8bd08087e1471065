// Package drbd speaks DRBD's command lines and config files, for both kernel
// generations that are in use: 8.4 and 9. It decides nothing.
//
//   - Detect tells the generation from the kernel.
//   - Config writes a resource's file, Parse reads one.
//   - Tool runs drbdadm (always for one file), drbdmeta and drbdsetup.
//   - ParseEvent and State turn `drbdsetup events2` into a picture.
//
// Checked against drbd-utils 9.22.0 with module 8.4.11 (Linux 6.1); recorded
// runs are in ../testdata/traces. What is said of 9 is checked with drbd-utils'
// own parser only.
package drbd
