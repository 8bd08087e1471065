// Package lsblk asks lsblk which block devices there are, and wipefs what is written on one. It changes nothing: wipefs is
// only ever run with --no-act.
package lsblk
