// Package lvm speaks LVM2's command line: argv one way, JSON reports and
// error texts the other. It decides nothing.
//
// Checked against LVM 2.03.16 (Debian 12); recorded runs are in
// ../testdata/traces.
package lvm
