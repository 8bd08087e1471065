// Package mkfs runs mkfs.ext4 and mkfs.xfs, and the programs that look whether a file system is whole.
package mkfs
