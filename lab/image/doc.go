// Package image makes what a lab machine boots from: an uncompressed kernel, a small initrd and a root file system,
// from packages of Debian 12. It unpacks them without running their scripts, so that neither debootstrap nor a chroot
// is needed, and asks apt as if nothing were installed, so that the host's own packages do not matter.
//
// A finished image lies in a folder named by a hash of all its inputs and is made anew when one of them changes.
package image
