// Package nbd is a disk with a volatile write cache, served over the NBD protocol to a virtual machine.
//
// What a machine writes stays in the cache until it flushes (or writes with FUA). Cut is the loss of power: of what the
// cache held, a random part is gone, in whole pages of 4 KiB or torn at a sector of 512 bytes, and the rest had reached
// the medium, in any order. Before that the cache may write back anything at any time, as a real one does: older
// versions of a sector that was written twice, and whatever does not fit.
//
// The medium is a sparse file, or a sparse file over a base that is never written (copy on write).
package nbd
